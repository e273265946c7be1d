"""Tests of the study's tables from its released scores, and of the report."""

import numpy as np
import pandas as pd
import pytest

from gazesal.cxr.replication import tables
from gazesal.cxr.replication.report_parts import markdown_of, shown
from gazesal.cxr.replication.report_sections import sections_of
from gazesal.exceptions import SkippedDataWarning
from gazesal.stats.table_intervals import interval

COLUMNS = {
    "interobserver": ("score_interobserver", "thresholded"),
    "segmentation": ("score_convex", "thresholded"),
    **{f"woAG {way}": ("score_sono", way) for way in tables.MIXES},
    **{f"wAG {way}": ("score_ag", way) for way in tables.MIXES},
    "AM1": ("score_am1", "thresholded"),
    "AM2": ("score_am2", "thresholded"),
}
METRICS = {"ncc": "ncc", "auc": "auc_borji", "sncc": "sncc", "sauc": "sauc"}


@pytest.fixture(scope="module")
def released(shared):
    """The study's scores in the layout of a replication, with invented kinds of images."""
    wide = pd.read_csv(shared / "paper" / "scores.csv.gz")
    wide["image"] = wide["phase"].astype(str) + "/" + wide["trial"].astype(str)
    wide["reader"] = wide.groupby(["method", "metric", "model", "image"]).cumcount()
    wide["metric"] = wide["metric"].map(METRICS)
    keys = ["image", "reader", "model", "metric"]
    parts = []
    for name, (column, way) in COLUMNS.items():
        rows = wide.loc[wide["method"] == way, [*keys, column]]
        parts.append(rows.rename(columns={column: "score"}).assign(method=name))
    scores = pd.concat(parts).reset_index(drop=True)
    return scores.assign(abnormal=scores["image"].str.endswith(("1", "2", "3", "4", "5")))


@pytest.mark.parametrize("number", ["1", "2"])
def test_released_scores_give_the_printed_tables(released, number):
    made = tables.study_table(released, number)
    printed = tables.paper_table(number)
    assert list(made["method"].unique()) == list(tables.ROWS)
    joined = made.merge(printed, on=["method", "metric"], suffixes=("", "_paper"))
    assert len(joined) == len(printed) == 20
    for name in ("estimate", "low", "high"):
        assert joined[name].round(3).to_numpy() == pytest.approx(
            joined[f"{name}_paper"].to_numpy(), abs=1e-9
        )


def test_paired_differences_equal_the_reanalysis(released):
    found = tables.differences(released, 0)["these"].set_index(["method", "metric"])
    ceiling = found.loc[("interobserver", "sauc")]
    assert ceiling["estimate"] == pytest.approx(0.028, abs=5e-4)
    assert (ceiling["low"], ceiling["high"]) == pytest.approx((0.020, 0.037), abs=5e-4)
    assert not found.loc[("interobserver", "sncc"), "equivalent"]


def test_report_has_every_table_beside_the_papers(released):
    aucs = pd.DataFrame(
        {
            "label": ["Edema", "mean"] * 4,
            "auc": [0.8, 0.77, 0.7, 0.76] * 2,
            "low": np.nan,
            "high": np.nan,
            "n_positive": 9,
            "network": ["sononet"] * 4 + ["ag_sononet"] * 4,
            "training": [0, 0, 1, 1] * 2,
        }
    )
    sections, made = sections_of(
        aucs=aucs,
        scores=released,
        seed=0,
        figure="figure.png",
        compared=True,
    )
    text = markdown_of("T", ["f"], sections)
    assert text.startswith("# T\n\n- f\n\n## Classification\n\nAUC of")
    assert "| wAG uniform | 0.343 [0.311, 0.375] | 0.343 [0.311, 0.375] |" in text
    assert "| woAG | 0.765 [" in text
    assert "| 0.774 [0.771, 0.776] |" in text
    assert "| One observer vs. the others, abnormal |" in text
    assert "0.048 [0.020, 0.076] |" in text  # in Table 3 of the paper
    assert "![Maps of one image, and the scores of all](figure.png)" in text
    assert "and of the first training alone. The numbers of the tables" in text
    assert "over all 5 trainings." in text
    assert "| difference | p, unadjusted |" in text
    assert "| difference | p, Holm | equivalence |" in text
    assert "not adjusted for the 6 comparisons" in text
    assert "sign flips of the differences per image, adjusted by Holm's method for the 4" in text
    assert "the t statistic over variance components of images and models, adjusted by Holm" in text
    assert text.count("margins are examples chosen by gazesal, not by the study") == 2
    assert "freedom" not in text  # five trainings need no caution
    assert "over 2 trainings. The interval is the study's" in text
    assert "A t interval of the same values is 6.5 times as wide." in text
    assert "\n| Network | AUC |" in text
    assert "\n| Map, metric | difference |" in text
    assert "the images with any of the labels" in text
    assert set(made) >= {"table_1", "table_2", "table_3", "classification", "subset_tests"}
    assert len(made["subset_tests"]) == 6


def test_undefined_scores_are_left_out_and_counted(released):
    few = released[released["image"].isin(sorted(released["image"].unique())[:8])].copy()
    lost = (few["method"] == "woAG thresholded") & (few["metric"] == "ncc") & (few["reader"] == 0)
    few.loc[lost, "score"] = np.nan
    sections, made = sections_of(
        aucs=pd.DataFrame(),
        scores=few,
        seed=0,
        figure=None,
        compared=False,
    )
    text = markdown_of("T", [], sections)
    assert f"left out: woAG thresholded NCC {int(lost.sum())}." in text
    assert "No test images with labels." in text
    assert "paper" not in text
    row = made["table_1"].set_index(["method", "metric"]).loc[("woAG thresholded", "ncc")]
    kept = few[~lost & (few["method"] == "woAG thresholded") & (few["metric"] == "ncc")]
    assert row["estimate"] == pytest.approx(kept["score"].mean(), abs=0.02)


def test_one_training_has_no_intervals_about_other_trainings(released):
    one = released[released["model"] == 1]
    assert set(tables.intervals_by_question(one, 0)) == {"these"}
    assert set(tables.differences(one, 0)) == {"these"}


def test_few_trainings_add_a_caution_about_t_intervals(released):
    few = released[released["image"].isin(sorted(released["image"].unique())[:8])]

    def report(n):
        part = few[few["model"].isin(sorted(few["model"].unique())[:n])]
        sections, _ = sections_of(
            aucs=pd.DataFrame(), scores=part, seed=0, figure="f.png", compared=False
        )
        return markdown_of("T", [], sections)

    text = report(2)
    words = "With 2 trainings, the variance between trainings has one degree of freedom. Such t"
    assert text.count(words) == 2
    at = [text.index(f"models {each}") for each in ("like these (t)", "these\n", "like these\n")]
    assert at[0] < text.index(words) < at[1]
    assert text.rindex(words) > at[2]
    assert "has 3 degrees of freedom" in report(4)
    one = report(1)
    assert "freedom" not in one
    assert "first training alone" not in one


def test_zero_has_no_sign():
    assert [shown(v) for v in (-0.0004, 0.0004, -0.0006, np.nan)] == [
        "0.000",
        "0.000",
        "-0.001",
        "nan",
    ]
    assert [shown(v, sign=True) for v in (-0.0004, 0.0, 0.0006)] == ["0.000", "0.000", "+0.001"]


def test_undefined_score_leaves_its_image_out_of_tables_over_models():
    rng = np.random.default_rng(0)
    image, reader, model = np.indices((12, 5, 4)).reshape(3, -1)
    keys = {"image": image, "reader": reader, "model": model}
    scores = pd.concat(
        pd.DataFrame({"method": row, "metric": metric, **keys, "score": rng.normal(0.5, 0.1, 240)})
        for row in tables.ROWS
        for metric in ("ncc", "auc_borji", "sncc", "sauc")
    ).reset_index(drop=True)
    lost = scores["method"].isin(["woAG thresholded", "wAG uniform"])
    lost &= scores["metric"].isin(["ncc", "sncc"]) & (scores["image"] == 3) & (scores["model"] == 1)
    scores.loc[lost, "score"] = np.nan
    with pytest.warns(SkippedDataWarning, match="wAG uniform ncc: 1"):
        made = tables.intervals_by_question(scores, 0)["like these"]
    made = made.set_index(["method", "metric"])
    own = scores[(scores["method"] == "wAG uniform") & (scores["metric"] == "ncc")]
    expected = interval(own[own["image"] != 3], tables.CROSSED)
    row = made.loc[("wAG uniform", "ncc")]
    assert (row["low"], row["high"], row["n_image"]) == (expected.low, expected.high, 11)
    assert made.loc[("wAG uniform", "auc_borji"), "n_image"] == 12
    with pytest.warns(SkippedDataWarning, match="wAG uniform sncc: 1"):
        found = tables.differences(scores, 0)["like these"]
    assert found.set_index(["method", "metric"]).loc[("woAG uniform", "sncc"), "n_image"] == 11
