"""Tests that the released scores give Tables 1 and 2 of Bigolin Lanfredi et al. (2021).

All printed digits agree. The columns of Table 1, whose header is misprinted, are NCC and AUC.
"""

import re
import subprocess
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pandas as pd
import pytest

import gazesal

ROOT = Path(__file__).resolve().parents[2]
CELLS = pd.read_csv(ROOT / "tests" / "reference_values" / "study_tables.csv", dtype=str)
NAMES = {"ncc": "ncc", "auc_borji": "auc", "sncc": "sncc", "sauc": "sauc"}


@pytest.fixture(scope="module")
def scores(shared):
    return pd.read_csv(shared / "paper" / "scores.csv.gz")


def printed(value: float) -> str:
    """Round the exact binary value to three decimals, without a sign of zero."""
    rounded = Decimal(value).quantize(Decimal("0.001"), ROUND_HALF_EVEN)
    return str(abs(rounded) if rounded == 0 else rounded)


def test_the_tables_are_complete():
    assert len(CELLS) == 40
    assert set(CELLS["metric"]) == set(gazesal.STUDY_METRICS)


@pytest.mark.parametrize(
    "cell",
    list(CELLS.itertuples()),
    ids=[f"{c.metric}-{c.column}-{c.method}" for c in CELLS.itertuples()],
)
def test_cell_equals_the_printed_interval(scores, cell):
    rows = scores[(scores["method"] == cell.method) & (scores["metric"] == NAMES[cell.metric])]
    interval = gazesal.stats.confidence_interval(
        rows[cell.column],
        clusters=rows["phase"].astype(str) + "/" + rows["trial"].astype(str),
        interval="study",
    )
    assert (interval.n_scores, interval.n_clusters) == (2275, 91)
    got = tuple(printed(value) for value in (interval.estimate, interval.low, interval.high))
    assert got == (cell.estimate, cell.low, cell.high)


def in_one_line(text):
    """Replace spaces and line ends by one space."""
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def example(shared):
    """Return the output of the example for the released scores."""
    path = ROOT / "examples" / "study_tables.py"
    command = [sys.executable, path, shared / "paper" / "scores.csv.gz"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return in_one_line(done.stdout)


@pytest.fixture(scope="module")
def page():
    """Return the section of the documentation on the released scores."""
    text = (ROOT / "docs" / "replication.md").read_text("utf-8")
    return in_one_line(text.partition("## The released scores")[2].partition("\n## ")[0])


def test_page_states_the_pairs_that_the_example_distinguishes(example, page):
    found = dict(re.findall(r"(sncc|sauc): (\d+ of \d+) pairs", example))
    assert f"only {found['sncc']} pairs" in page
    assert f"and {found['sauc']} on" in page


def test_page_states_the_adjusted_comparisons(example, page):
    assert "sauc: woAG uniform - wAG uniform = -0.007 [-0.013, -0.000], p = 0.08;" in example
    assert "0.08 among the four comparisons" in page
    assert "sncc: interobserver - wAG uniform = -0.000 [-0.026, +0.025], p = 0.98;" in example
    assert "width of the paired interval is 0.025. It shows no difference" in page
    assert "equivalence within 0.02 shown" not in example
    assert "no equivalence within 0.02" in page


def test_page_states_the_intervals_that_are_too_wide(example, page):
    tables = re.findall(
        r"(One observer vs. the others|AM1) ((?:-?[\d.]+ \[[-\d., ]+\] ?)+)", example
    )
    bounds = [re.findall(r"\[([-\d.]+), ([-\d.]+)\]", cells) for _, cells in tables]
    widths = [[float(high) - float(low) for low, high in row] for row in bounds]
    # as printed, by image, by image and model: the readers and AM1 in each
    printed_readers, printed_am1, image_readers, image_am1 = widths[:4]
    readers = [p / b for p, b in zip(printed_readers, image_readers, strict=True)]
    am1 = [p / b for p, b in zip(printed_am1, image_am1, strict=True)]
    assert all(one > other for one, other in zip(am1, readers, strict=True))
    assert (min(am1), max(am1)) == pytest.approx((1.7, 2.0), abs=0.15)
    assert readers[:2] == pytest.approx((1.6, 1.1), abs=0.06)
    assert "by a factor of 1.7 to 2.0 for AM1, and for the radiologists by a factor of 1.6" in page
    printed, _, like_these = bounds[1::2]
    assert f"NCC of AM1 has [{', '.join(printed[0])}]" in page
    assert f"known to [{', '.join(like_these[0])}]" in page
