"""Command-line tests of `gazesal synthesize`."""

import pytest
from click.testing import CliRunner

from gazesal.cli import main
from gazesal.datasets import Reflacx, write_synthetic_reflacx

SMALL = ["--images", "4", "--readers", "2", "--unread", "1", "--side", "96", "--seed", "3"]


def synthesize(*words):
    """Run the command."""
    return CliRunner().invoke(main, ["synthesize", "reflacx", *map(str, words)])


def test_command_writes_the_files_of_the_function(tmp_path):
    result = synthesize("--out", tmp_path / "cli", *SMALL)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "Synthetic data, seed 3: no patient and no radiologist is in them.",
        "wrote 11 readings of 7 images, 1 of them without eye tracking, and 1 images without "
        f"readings into {tmp_path / 'cli'}",
    ]
    write_synthetic_reflacx(
        tmp_path / "function", n_images=4, n_readers=2, n_unread=1, side=96, seed=3
    )
    contents = [
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("cli", "function")
    ]
    assert contents[0] == contents[1]
    assert len(Reflacx(tmp_path / "cli").readings) == 8


def test_command_in_the_readme_writes_the_same_files(tmp_path):
    synthesize("--out", tmp_path / "first", *SMALL)
    readme = (tmp_path / "first" / "README.txt").read_text()
    line = next(line for line in readme.splitlines() if "gazesal synthesize" in line)
    words = line.split()[3:]
    words[words.index("DIR")] = tmp_path / "again"
    assert synthesize(*words).exit_code == 0
    for name in ("lesions.csv", "README.txt", "main_data/metadata_phase_1.csv"):
        first, again = (tmp_path / folder / name for folder in ("first", "again"))
        assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--images", "199"], "`n_images` must be at most 198, got 199"),
        (["--images", "1"], "1 is not in the range x>=2"),
        (["--readers", "many"], "'many' is not a valid integer"),
        (["--seed", "-1"], "-1 is not in the range x>=0"),
    ],
)
def test_invalid_options_print_one_line_and_write_no_file(tmp_path, words, message):
    result = synthesize("--out", tmp_path / "out", *words)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)  # not an uncaught exception
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_created_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = synthesize("--out", tmp_path / "file" / "inside", *SMALL)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "file" in result.output


def test_help_lists_the_layouts():
    result = CliRunner().invoke(main, ["synthesize", "--help"])
    assert "reflacx" in result.output
