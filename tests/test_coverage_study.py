"""Tests that the study of coverage runs and that its results are in the documentation."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "concepts" / "intervals.md").read_text("utf-8")


def results():
    """Return the part of the page that the study writes."""
    return PAGE.partition("<!-- coverage: made by `make coverage` -->")[2].partition("<!-- end")[0]


def rows(text):
    """Return the cells of the rows of Markdown tables, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and "%" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.filterwarnings("ignore")
def test_short_study_has_the_tables_of_the_page():
    words = ["--studies", "8", "--resamples", "40", "--dry-run"]
    script = ROOT / "benchmarks" / "interval_coverage.py"
    done = subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, check=True, timeout=300
    )
    short, long = rows(done.stdout), rows(results())
    assert [row[:2] for row in short if len(row) == 6] == [row[:2] for row in long if len(row) == 6]
    assert len(short) == len(long)


def test_released_scores_have_the_table_of_the_page(shared):
    words = ["--studies", "112", "--resamples", "20", "--dry-run", "--scores"]
    script = ROOT / "benchmarks" / "interval_coverage.py"
    done = subprocess.run(
        [sys.executable, script, *words, shared / "paper" / "scores.csv.gz"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    page = PAGE.partition("made by `make coverage SCORES=FILE` -->")[2].partition("<!-- end")[0]
    short, long = rows(done.stdout.partition("56 sets of 91")[2]), rows(page)
    assert [row[:2] for row in short] == [row[:2] for row in long]
    assert len(long) == 4
    for _, images, t, percentile, _, studentized in long:
        assert 94 <= float(t.rstrip("%")) <= 96
        assert 94 <= float(studentized.rstrip("%")) <= 96
        assert (float(percentile.rstrip("%")) < 93) == (int(images) <= 20)


def test_recommended_intervals_cover():
    """The shares of the recommended intervals are near 95 %, with an error of half a point."""
    (studies,) = re.findall(r"(\d+) simulated studies", results())
    assert int(studies) >= 4000
    recommended = {
        ("images", "studentized bootstrap"): (94, 96),
        ("images", "BCa bootstrap"): (94, 96),
        ("images x models", "t"): (93.5, 96.5),
        ("images x readers x models", "t"): (93.5, 96.5),
    }
    seen = 0
    for claim, interval, covers, *_ in (row for row in rows(results()) if len(row) == 6):
        if (claim, interval) in recommended:
            low, high = recommended[claim, interval]
            assert low <= float(covers.rstrip("%")) <= high, (claim, interval)
            seen += 1
    assert seen == 4 * results().count("Scores simulated from")
    assert seen >= 8
