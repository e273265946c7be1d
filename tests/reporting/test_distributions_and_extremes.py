"""Distributions of the scores of images, and the images with the best and worst scores."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.reporting.contribution_overlays import bias_for, contributions_of, require_drawable
from gazesal.reporting.overlays import gaze_of_all
from tests.reporting.html.html_page import parse

pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")


def with_scores(evaluation, method, metric, values):
    """Return the evaluation with other scores of one method, one per image for all observers."""
    scores = evaluation.scores.copy()
    rows = (scores["method"] == method) & (scores["metric"] == metric)
    scores.loc[rows, "score"] = scores.loc[rows, "image"].map(values)
    return dataclasses.replace(evaluation, scores=scores)


VALUES = {f"img00{i}": value for i, value in enumerate([0.4, 0.1, 0.9, 0.5, 0.2, 0.8, 0.3, 0.7])}


def test_extreme_images_are_listed_best_first(evaluation):
    changed = with_scores(evaluation, "noise", "ncc", VALUES)
    found = gazesal.plots.extreme_images(changed, "noise", "ncc", n=2)
    assert found["image"].tolist() == ["img002", "img005", "img004", "img001"]
    assert found["score"].tolist() == pytest.approx([0.9, 0.8, 0.2, 0.1])
    assert found["extreme"].tolist() == ["best", "best", "worst", "worst"]


def test_no_image_is_listed_twice_and_undefined_scores_are_left_out(evaluation):
    some = {**VALUES, **dict.fromkeys(["img001", "img002", "img005"], np.nan)}
    found = gazesal.plots.extreme_images(
        with_scores(evaluation, "good", "ncc", some), "good", "ncc", n=9
    )
    assert found["image"].is_unique
    assert found["extreme"].value_counts().to_dict() == {"best": 2, "worst": 2}
    one = {image: 0.5 if image == "img003" else np.nan for image in VALUES}
    found = gazesal.plots.extreme_images(with_scores(evaluation, "good", "ncc", one), "good", "ncc")
    assert found[["image", "extreme"]].to_numpy().tolist() == [["img003", "best"]]
    none = dict.fromkeys(VALUES, np.nan)
    assert gazesal.plots.extreme_images(
        with_scores(evaluation, "good", "ncc", none), "good", "ncc"
    ).empty


def test_lowest_image_is_best_if_lower_is_better(evaluation, tmp_path):
    cases = evaluation.cases
    options = {"sigma": 4.0, "resize": "bilinear", "density": "softmax"}
    found = gazesal.evaluate(cases, metrics=["kl_divergence"], **options)
    ends = gazesal.plots.extreme_images(found, "good", "kl_divergence", n=1)
    assert ends["score"].is_monotonic_increasing
    summary = found.summary().set_index("method")["estimate"]
    maps = summary[["good", "noise", "other_image"]]
    path = gazesal.reporting.write_html_report(found, tmp_path / "r.html", n_extremes=0)
    text = parse(path.read_text(encoding="utf-8")).text
    assert (
        f"(lower is better), {maps.idxmin()} has the best mean of 3 maps, {maps.min():.3f}" in text
    )


def test_extremes_are_drawn_with_their_scores(evaluation):
    figure = gazesal.plots.plot_extremes(evaluation, "good", "sauc", n=2, note="a $note")
    shown = [ax for ax in figure.axes if ax.get_title()]
    expected = gazesal.plots.extreme_images(evaluation, "good", "sauc", n=2)
    titles = [" ".join(ax.get_title().split()) for ax in shown]
    assert titles == [
        f"{row.extreme}: {row.image}, sAUC {row.score:.3f}" for row in expected.itertuples()
    ]
    assert all(len(ax.images) == 2 for ax in shown)  # picture and map
    assert all(ax.collections for ax in shown)  # contours of the gaze
    figure.canvas.draw()


def test_pictures_are_read_from_a_mapping_a_folder_or_the_cases(evaluation, study):
    picture = np.arange(12.0).reshape(3, 4)
    images = gazesal.plots.extreme_images(evaluation, "good", "ncc", n=1)["image"]
    for given in (dict.fromkeys(images, picture), study / "images", None, {}):
        figure = gazesal.plots.plot_extremes(evaluation, "good", "ncc", n=1, pictures=given)
        ground = figure.axes[0].images[0].get_array()
        if isinstance(given, dict):
            assert ground.shape == (picture.shape if given else (1, 1))
        else:
            assert ground.shape == (120, 100)


def test_extreme_images_refuses_invalid_arguments(evaluation):
    with pytest.raises(ValueError, match=r"`method` must be one of .* got 'best'"):
        gazesal.plots.extreme_images(evaluation, "best", "ncc")
    with pytest.raises(ValueError, match=r"`metric` must be one of .* got 'nss'"):
        gazesal.plots.extreme_images(evaluation, "good", "nss")
    with pytest.raises(ValueError, match="`n` must be at least 1"):
        gazesal.plots.plot_extremes(evaluation, "good", "ncc", n=0)
    gone = dataclasses.replace(evaluation, cases=[])
    with pytest.raises(ValueError, match="must have the case of image"):
        gazesal.plots.plot_extremes(gone, "good", "ncc")


def test_distributions_show_medians_and_quartiles_of_image_means(evaluation):
    figure = gazesal.plots.plot_distributions(evaluation.scores, note="$")
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["NCC", "AUC", "sNCC", "sAUC", "Residual NCC"]
    ax = figure.axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [
        "One observer vs. the others", "Center bias", "good", "noise", "other_image",
    ]  # fmt: skip
    own = evaluation.scores.query("method == 'noise' and metric == 'ncc'")
    means = own.groupby("image")["score"].mean()
    low, half, high = np.quantile(means, [0.25, 0.5, 0.75])
    place = ax.get_yticks()[labels.index("noise")]
    drawn = [line.get_xdata() for line in ax.lines if set(line.get_ydata()) == {place}]
    points, line, stroke = sorted(drawn, key=len, reverse=True)
    assert points == pytest.approx(means.to_numpy())
    assert line == pytest.approx([low, high])
    assert stroke == pytest.approx([half])
    figure.canvas.draw()


def test_distributions_of_many_images_have_no_single_points():
    rng = np.random.default_rng(0)
    scores = pd.DataFrame({"image": range(5000), "score": rng.normal(size=5000)})
    figure = gazesal.plots.plot_distributions(scores.assign(method="a", metric="mine"))
    assert max(len(line.get_xdata()) for line in figure.axes[0].lines) == 2


def test_distributions_draw_constant_and_skip_undefined_scores():
    scores = pd.DataFrame({"image": [1, 2, 1, 2], "method": ["a", "a", "b", "b"], "metric": "ncc"})
    figure = gazesal.plots.plot_distributions(scores.assign(score=[0.5, 0.5, np.nan, np.nan]))
    assert not figure.axes[0].collections
    with pytest.raises(ValueError, match="`scores` must have at least one defined score"):
        gazesal.plots.plot_distributions(scores.assign(score=np.nan))
    with pytest.raises(ValueError, match=r"`scores` must have the columns .* without score"):
        gazesal.plots.plot_distributions(scores)
    with pytest.raises(TypeError, match="`scores` must be a pandas DataFrame, got list"):
        gazesal.plots.plot_distributions([1])


class TestContributionsOfExtremes:
    @pytest.mark.parametrize("metric", ["ncc", "sauc", "sncc", "auc_borji"])
    def test_contributions_sum_to_the_score_against_all_observers(self, evaluation, metric):
        case = next(case for case in evaluation.cases if case.scored)
        gaze = gaze_of_all(evaluation, case)
        parts = contributions_of(
            evaluation, case, "noise", metric, gaze, bias_for(evaluation, case, metric)
        )
        maps = evaluation.maps_of(case.image)
        biased = metric in {"sauc", "sncc"}
        extra = [maps["center_bias"]] if biased else []
        saliency = maps["noise"]
        expected = gazesal.METRICS[metric](saliency, gaze, *extra)
        assert parts.sum() == pytest.approx(expected, abs=1e-12)

    def test_figure_shows_contributions_in_place_of_maps(self, evaluation):
        maps = gazesal.plots.plot_extremes(evaluation, "good", "ncc", n=1)
        parts = gazesal.plots.plot_extremes(evaluation, "good", "ncc", n=1, show="contributions")
        cmaps = [figure.axes[0].images[-1].get_cmap().name for figure in (maps, parts)]
        assert cmaps == ["inferno", "RdBu_r"]

    def test_contributions_to_other_metrics_are_refused(self, evaluation):
        with pytest.raises(ValueError, match="`metric`"):
            require_drawable("spearman")
        with pytest.raises(ValueError, match="`metric`"):
            require_drawable("information_gain")
        with pytest.raises(ValueError, match="`show`"):
            gazesal.plots.plot_extremes(evaluation, "good", "ncc", show="parts")
