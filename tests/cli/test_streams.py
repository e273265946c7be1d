"""A closed pipe or a full disk behind standard output must not lose results."""

import errno
import io
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from gazesal.cli import main
from gazesal.cli.run_contexts import plain_errors
from gazesal.cli.streams import SteadyStream
from gazesal.exceptions import OffImageWarning, UndefinedMetricWarning
from tests.plain_study import HEIGHT, WIDTH, write_plain_study

FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write a small study to disk, which tests must not change."""
    return write_plain_study(tmp_path_factory.mktemp("study"))


def words_of(study, out):
    words = ["evaluate", "--fixations", study / "fixations.csv", "--maps", study / "maps"]
    words += ["--size", f"{WIDTH}x{HEIGHT}", "--sigma", 4, "--resize", "bilinear", "--jobs", 1]
    return [str(word) for word in [*words, "--no-report", "--out", out]]


def run(words, **streams):
    command = [sys.executable, "-m", "gazesal", *words]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(command, text=True, timeout=300, check=False, env=buffered, **streams)


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return write


def test_closed_pipe_ends_quietly_with_all_results(study, tmp_path):
    pipe = closed_pipe()
    done = run([*words_of(study, tmp_path / "out"), "--quiet"], stdout=pipe, stderr=subprocess.PIPE)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (141, "")
    assert len(pd.read_csv(tmp_path / "out" / "scores.csv")) == 4 * 3 * 5 * 5


def test_closed_standard_error_does_not_end_the_run(study, tmp_path):
    pipe = closed_pipe()
    done = run(words_of(study, tmp_path / "out"), stdout=subprocess.PIPE, stderr=pipe)
    os.close(pipe)
    assert done.returncode == 0
    assert f"wrote {tmp_path / 'out' / 'scores.csv'}" in done.stdout
    assert (tmp_path / "out" / "scores.csv").is_file()


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_full_standard_output_prints_one_line_and_keeps_results(study, tmp_path):
    with FULL.open("w") as full:
        done = run([*words_of(study, tmp_path), "--quiet"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: standard output must be writable, got 'No space left")
    assert (tmp_path / "scores.csv").is_file()


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["cite", "ncc"],
        ["synthesize", "reflacx", "--side", "96", "--images", "2", "--readers", "2"],
    ],
    ids=lambda words: words[0],
)
def test_commands_print_one_line_if_standard_output_is_full(words, tmp_path):
    words = [*words, "--out", str(tmp_path)] if words[0] == "synthesize" else words
    with FULL.open("w") as full:
        done = run(words, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert (words[0] == "synthesize") == (tmp_path / "main_data").is_dir()


class Broken(io.StringIO):
    """A stream without a file, which cannot be written."""

    def write(self, _text):
        raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))


def test_stream_keeps_the_first_error_and_drops_later_text():
    stream = SteadyStream(Broken())
    assert stream.write("one") == 3
    first = stream.error
    assert stream.write("two") == 3
    stream.flush()
    assert stream.error is first
    assert first.errno == errno.EPIPE


def test_letters_missing_from_the_encoding_are_escaped():
    raw = io.BytesIO()
    stream = SteadyStream(io.TextIOWrapper(raw, encoding="ascii"))
    stream.write("方 and a")
    stream.flush()
    assert raw.getvalue() == b"\\u65b9 and a"
    assert stream.error is None


def test_errors_of_the_command_precede_errors_of_the_output(tmp_path):
    pipe = closed_pipe()
    done = run(["report", str(tmp_path)], stdout=pipe, stderr=subprocess.PIPE)
    os.close(pipe)
    assert done.returncode == 1
    assert "there is no saved evaluation" in done.stderr


def test_scores_are_kept_if_the_figure_fails(study, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert CliRunner().invoke(main, [*words_of(study, out), "--quiet"]).exit_code == 0
    assert (out / "figure.png").is_file()

    def fail(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    words = [*words_of(study, out), "--quiet", "--seed", "1", "--n-samples", "50"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert "No space left on device; nothing was replaced. Free some" in result.output
    assert str(out / "figure.png") in result.output
    assert not (out / "figure.png").exists()  # the earlier figure shows other numbers
    assert '"seed": 1' in (out / "settings.json").read_text()


@pytest.mark.parametrize("name", ["scores.csv", "summary.md", "settings.json", "evaluation"])
def test_full_disk_keeps_the_results_of_an_earlier_run(study, tmp_path, monkeypatch, name):
    out = tmp_path / "out"
    assert CliRunner().invoke(main, [*words_of(study, out), "--quiet"]).exit_code == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    if name == "evaluation":

        def fail(*_args, **_options):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("pandas.DataFrame.to_parquet", fail)
    else:
        write = Path.write_text
        order = ["scores.csv", "summary.txt", "summary.md", "summary.csv", "settings.json"]
        calls = []

        def until_full(self, *args, **options):
            calls.append(self)
            if len(calls) == order.index(name) + 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(self, *args, **options)

        monkeypatch.setattr(Path, "write_text", until_full)
    words = [*words_of(study, out), "--quiet", "--seed", "1", "--n-samples", "50"]
    result = CliRunner().invoke(main, words)
    monkeypatch.undo()
    assert result.exit_code == 1
    assert "No space left on device; nothing was replaced" in result.output
    assert str(out / name) in result.output
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


EVIL = "=cmd|' /C calc'!A0"


def test_hostile_names_are_escaped_for_terminals_and_spreadsheets(study, tmp_path):
    maps = tmp_path / "maps"
    for method in (EVIL, "@SUM(1)"):
        (maps / method.replace("/", "_")).mkdir(parents=True)
        for path in (study / "maps" / "noise").iterdir():
            (maps / method.replace("/", "_") / path.name).write_bytes(path.read_bytes())
    words = words_of(study, tmp_path / "out")
    words[words.index("--maps") + 1] = str(maps)
    result = CliRunner().invoke(main, [*words, "--quiet"])
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    for path in (tmp_path / "out").glob("*.*"):
        data = path.read_bytes()
        assert b"\x1b" not in data or path.suffix == ".png"
        if path.suffix == ".csv":
            assert not re.search(rb"""(^|,)"?[=@]""", data, re.MULTILINE)
    (maps / "@SUM(1)").rename(maps / "\x1b[31mred")
    result = CliRunner().invoke(main, [*words, "--quiet"])
    assert result.exit_code == 1
    assert r"\x1b[31mred" in result.output
    assert "\x1b" not in result.output


def test_warnings_of_the_library_are_printed_once_and_others_never(capsys):
    """Includes warning classes that are added later."""
    with plain_errors():
        for _ in range(2):
            warnings.warn("fixations may be shares", OffImageWarning, stacklevel=1)
        code = "import warnings; warnings.warn('skewed \\x1b', UserWarning)"
        exec(code, {"__name__": "gazesal.stats.made_up"})  # noqa: S102
        exec(code, {"__name__": "other_library"})  # noqa: S102
        warnings.warn("undefined", UndefinedMetricWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    found = capsys.readouterr().err.splitlines()
    assert found == ["Warning: fixations may be shares", "Warning: skewed \\x1b"]
