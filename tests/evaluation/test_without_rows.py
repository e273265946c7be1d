"""Evaluations without the row of the center bias, or of the observers."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.reporting.captions import describe
from tests.evaluation.test_gaze_checks import SIGMA, make_cases


def of_several_sizes():
    """Return images of three sizes."""
    shapes = [(24, 32), (48, 64), (32, 24)]
    return [
        replace(make_cases(1, scale=(23.0, 23.0), shape=shape)[0], image=f"i{k}")
        for k, shape in enumerate(shapes)
    ]


def of_two_and_one():
    """Return two images of one size and one of another."""
    first, second, _ = of_several_sizes()
    return [first, replace(first, image="i9"), second]


class TestWithoutCenterBias:
    """Metrics without a center bias need no common size."""

    @pytest.mark.parametrize("bad_images", ["raise", "list"])
    @pytest.mark.parametrize("metrics", [["ncc"], ["nss", "auc_judd"], ["auc_shuffled", "snss"]])
    def test_images_of_several_sizes_are_scored(self, metrics, bad_images):
        cases = of_several_sizes()
        evaluation = gazesal.evaluate(
            cases, sigma=SIGMA, metrics=metrics, center_bias="none", bad_images=bad_images
        )
        assert evaluation.methods == ["interobserver", "noise"]
        assert evaluation.center_bias is None
        assert evaluation.bad_images.empty
        assert set(evaluation.scores["image"]) == {"i0", "i1", "i2"}
        if metrics == ["ncc"]:
            case = cases[1]
            rest = gazesal.gaze_heatmap(case.gaze["bob"].points, case.shape, sigma=SIGMA)
            found = evaluation.scores.query("image == 'i1' and observer == 'ann'")
            found = found.set_index("method")["score"]["noise"]
            assert found == pytest.approx(gazesal.ncc(case.maps["noise"], rest), rel=1e-9)

    def test_other_scores_are_unchanged(self):
        metrics = ["ncc", "auc_borji", "nss", "auc_shuffled"]
        with_it = gazesal.evaluate(make_cases(), sigma=SIGMA, metrics=metrics).scores
        without = gazesal.evaluate(
            make_cases(), sigma=SIGMA, metrics=metrics, center_bias="none"
        ).scores
        expected = with_it[with_it["method"] != "center_bias"].reset_index(drop=True)
        assert without.equals(expected)

    def test_error_on_several_sizes_suggests_it(self):
        with pytest.raises(ValueError, match='center_bias="none"'):
            gazesal.evaluate(of_several_sizes(), sigma=SIGMA, metrics=["ncc"])
        with pytest.raises(ValueError, match="`cases` must be images of one size") as found:
            gazesal.evaluate(of_several_sizes(), sigma=SIGMA)
        assert "center_bias=" not in str(found.value)
        options = {"sigma": SIGMA, "bad_images": "list"}
        listed = gazesal.evaluate(of_two_and_one(), metrics=["ncc"], **options).bad_images
        assert 'center_bias="none"' in listed["reason"].item()
        listed = gazesal.evaluate(of_two_and_one(), metrics=["sncc"], **options).bad_images
        assert "center_bias=" not in listed["reason"].item()

    @pytest.mark.parametrize("metric", ["sncc", "sauc", "information_gain"])
    def test_metrics_of_the_center_bias_raise(self, metric):
        options = {"density": "sum"} if metric == "information_gain" else {}
        with pytest.raises(ValueError, match=f"`center_bias` .* with {metric}"):
            gazesal.evaluate(
                make_cases(),
                sigma=SIGMA,
                metrics=["ncc", metric],
                center_bias="none",
                **options,
            )

    def test_own_center_biases_raise(self):
        cases = [replace(case, center_bias=np.ones(case.shape)) for case in make_cases()]
        with pytest.raises(ValueError, match=r"`center_bias` .* of their own"):
            gazesal.evaluate(cases, sigma=SIGMA, metrics=["ncc"], center_bias="none")

    def test_one_image_is_enough(self):
        evaluation = gazesal.evaluate(
            make_cases(1), sigma=SIGMA, metrics=["ncc"], center_bias="none"
        )
        assert len(evaluation.scores) == 4

    def test_is_reported_saved_and_resumed(self, tmp_path):
        pytest.importorskip("pyarrow")
        options = {"sigma": SIGMA, "metrics": ["ncc"], "center_bias": "none"}
        evaluation = gazesal.evaluate(of_several_sizes(), **options, checkpoint=tmp_path / "kept")
        again = gazesal.evaluate(of_several_sizes(), **options, checkpoint=tmp_path / "kept")
        assert again.scores.equals(evaluation.scores)
        evaluation.save(tmp_path / "saved")
        loaded = gazesal.Evaluation.load(tmp_path / "saved")
        assert loaded.scores.equals(evaluation.scores)
        words = describe(evaluation, evaluation.summary())
        assert "Center bias: not scored." in words
        assert set(evaluation.maps_of("i0")) == {"interobserver", "ground_truth", "noise"}


def of_one_observer(case):
    """Return the case with only its first observer."""
    name = next(iter(case.gaze))
    return replace(case, gaze={name: case.gaze[name]})


class TestSingleObservers:
    """One observer can be a ground truth, but has no interobserver score."""

    def test_maps_and_center_bias_are_scored_against_the_one(self):
        cases = [of_one_observer(case) for case in make_cases()]
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all")
        assert evaluation.methods == ["center_bias", "noise"]
        assert evaluation.scores["score"].notna().all()
        case = cases[2]
        gaze = gazesal.gaze_heatmap(case.gaze["ann"].points, case.shape, sigma=SIGMA)
        found = evaluation.scores.query("image == 'i2' and method == 'noise' and metric == 'ncc'")
        assert found["score"].item() == pytest.approx(
            gazesal.ncc(case.maps["noise"], gaze), rel=1e-9
        )

    def test_metrics_of_points_take_the_fixations_of_the_one(self):
        cases = [of_one_observer(case) for case in make_cases()]
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all", metrics=["nss"])
        case = cases[0]
        found = evaluation.scores.query("image == 'i0' and method == 'noise'")
        assert found["score"].item() == pytest.approx(
            gazesal.nss(case.maps["noise"], case.gaze["ann"].points), rel=1e-12
        )

    def test_among_other_images_have_no_interobserver_score(self):
        first, *others = make_cases()
        evaluation = gazesal.evaluate(
            [of_one_observer(first), *others], sigma=SIGMA, ground_truth="all"
        )
        own = evaluation.scores.query("method == 'interobserver'")
        assert set(own["image"]) == {"i1", "i2", "i3"}
        assert set(evaluation.scores.query("method == 'noise'")["image"]) == {
            *("i0", "i1", "i2", "i3")
        }
        words = describe(evaluation, evaluation.summary())
        assert "4 images, 1 to 2 observers each." in words

    @pytest.mark.parametrize("bad_images", ["raise", "list"])
    def test_error_suggests_the_ground_truth(self, bad_images):
        cases = [of_one_observer(case) for case in make_cases()]
        with pytest.raises(ValueError, match='ground_truth="all"'):
            gazesal.evaluate(cases, sigma=SIGMA, bad_images=bad_images)

    def test_nothing_to_score_raises(self):
        cases = [replace(of_one_observer(case), maps={}) for case in make_cases()]
        with pytest.raises(ValueError, match="image 'i0' must have a map"):
            gazesal.evaluate(
                cases, sigma=SIGMA, ground_truth="all", center_bias="none", metrics=["ncc"]
            )
        nobody = [replace(case, gaze={}) for case in make_cases()]
        with pytest.raises(ValueError, match="image 'i0' must have the gaze"):
            gazesal.evaluate(nobody, sigma=SIGMA, ground_truth="all")

    def test_reports_comparisons_and_plots_omit_the_row(self, tmp_path):
        pytest.importorskip("matplotlib")
        cases = [of_one_observer(case) for case in make_cases()]
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all")
        summary = evaluation.summary()
        words = describe(evaluation, summary)
        assert "Ground truth: the gaze map of the one observer." in words
        gazesal.reporting.write_report(evaluation, tmp_path / "report", summary=summary)
        assert len(evaluation.compare("noise", "center_bias")) == 5
        assert evaluation._repr_html_()
        evaluation.plot_maps()
        evaluation.plot_intervals()

    def test_html_page_omits_the_row(self, tmp_path):
        pytest.importorskip("jinja2")
        pytest.importorskip("matplotlib")
        cases = [of_one_observer(case) for case in make_cases()]
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all")
        path = gazesal.reporting.write_html_report(evaluation, tmp_path / "page.html")
        assert "Images have one observer each, so" in path.read_text("utf-8")
