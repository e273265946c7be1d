"""Images with one observer, or one gaze map, alone and among images with several."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from tests.evaluation.test_gaze_checks import SHAPE, SIGMA, drawn, make_cases
from tests.metric_cases import function

SENTENCE = "Images have one observer each, so there is no row of one observer vs. the others."
MIXED = "One observer vs. the others is over the 2 of 6 images that have several observers"


def of_one_observer(case):
    """Return the case with only its first observer."""
    name = next(iter(case.gaze))
    return replace(case, gaze={name: case.gaze[name]})


def of_one(n=5):
    """Return images with one observer each, and another observer on every second image."""
    cases = []
    for k, case in enumerate(make_cases(n)):
        name = ("ann", "bob")[k % 2]
        cases.append(replace(case, gaze={name: case.gaze[name]}))
    return cases


def mixed():
    """Return two images with two observers and four images with one, in two groups."""
    cases = [case if k < 2 else of_one_observer(case) for k, case in enumerate(make_cases(6))]
    return [
        replace(case, groups={"site": "north" if k < 3 else "south", "patient": f"p{k % 3}"})
        for k, case in enumerate(cases)
    ]


def evaluate(cases, **options):
    """Score cases against all of their gaze."""
    return gazesal.evaluate(cases, **{"sigma": SIGMA, "ground_truth": "all"} | options)


@pytest.fixture(scope="module")
def of_ones():
    """Return an evaluation of images with one observer each."""
    return evaluate(of_one())


@pytest.fixture(scope="module")
def of_mixed():
    """Return an evaluation of images with one and with two observers."""
    return evaluate(mixed())


def gaze_map(case):
    """Return the gaze map of the only observer."""
    (own,) = case.gaze.values()
    return gazesal.gaze_heatmap(own.points, case.shape, sigma=SIGMA)


class TestEqualsTheFunctions:
    """The scores equal the functions, with the center bias of the other images."""

    def test_study_metrics_equal_score_with_the_bias_of_the_others(self):
        cases = of_one()
        found = evaluate(cases).scores.set_index(["image", "method", "metric"])["score"]
        for case in cases:
            others = [gaze_map(other) for other in cases if other is not case]
            bias = gazesal.CenterBias(others).density()
            maps = {"noise": case.maps["noise"], "center_bias": bias}
            expected = gazesal.score(maps, [gaze_map(case)], bias).to_frame()
            for row in expected.itertuples():
                assert found[case.image, row.saliency_map, row.metric] == pytest.approx(
                    row.score, abs=1e-12, rel=0
                )

    @pytest.mark.parametrize("name", sorted(gazesal.METRICS))
    def test_every_metric_equals_its_function(self, name):
        metric = gazesal.METRICS[name]
        if "shrink" in metric.required_options:
            pytest.importorskip("ot")
        as_density = "saliency_map" in (*metric.weights, *metric.densities)
        options = {"density": "shift"} if as_density else {}
        options |= {"shrink": 1} if "shrink" in metric.required_options else {}
        options |= {"baseline": "center_bias"} if metric.needs == "baseline" else {}
        cases = of_one()
        if options.get("shrink"):
            cases = [small(case) for case in cases]
        scores = evaluate(cases, metrics=[name], **options).scores
        assert list(scores["method"].unique()) == ["center_bias", "noise"]
        for case in cases:
            others = [other for other in cases if other is not case]
            bias = gazesal.CenterBias(map(gaze_map, others)).density()
            saliency = case.maps["noise"]
            if as_density:
                saliency = gazesal.to_density(saliency, "shift")
            own = scores[scores["image"] == case.image].set_index("method")["score"]
            for method, tested in (("noise", saliency), ("center_bias", bias)):
                arguments = {
                    "saliency_map": tested,
                    "gaze_map": gaze_map(case),
                    "fixations": points_of([case]),
                    "center_bias": bias,
                    "baseline": bias,
                    "other_fixations": points_of(others),
                }
                expected = function(name)(*(arguments[each] for each in metric.arguments))
                assert own[method] == pytest.approx(expected, abs=1e-12, rel=1e-12)

    def test_given_gaze_maps_equal_the_fixations_they_came_from(self):
        cases = of_one()
        metrics = ["ncc", "sncc", "sauc", "auc_borji", "sim"]
        blurred = evaluate(cases, metrics=metrics).scores
        of_maps = evaluate([drawn(case) for case in cases], sigma=None, metrics=metrics).scores
        np.testing.assert_allclose(of_maps["score"], blurred["score"], rtol=0, atol=1e-12)

    def test_images_registered_by_their_boxes(self):
        cases = [replace(case, box=(1, 2, 29 + k % 3, 22)) for k, case in enumerate(of_one())]
        evaluation = evaluate(cases, metrics=["sncc", "auc_shuffled"])
        case, others = cases[0], cases[1:]
        pairs = [(gaze_map(other), other.box) for other in others]
        bias = gazesal.RegisteredCenterBias(evaluation.options.frame, pairs)
        expected = gazesal.sncc(case.maps["noise"], gaze_map(case), bias.on_image(SHAPE, case.box))
        found = evaluation.scores.query("image == 'i0' and method == 'noise' and metric == 'sncc'")
        assert found["score"].item() == pytest.approx(expected, abs=1e-12)


def small(case):
    """Return a case of few pixels, for metrics that take long."""
    return replace(
        case,
        shape=(8, 10),
        maps={"noise": case.maps["noise"][:8, :10]},
        gaze={
            name: gazesal.Gaze(points=own.points * 0.25, durations=own.durations)
            for name, own in case.gaze.items()
        },
    )


def points_of(cases):
    """Return the fixations on several images."""
    return np.concatenate([own.points for case in cases for own in case.gaze.values()])


class TestRuns:
    """Groups, workers, checkpoints and invalid images work as with several observers."""

    METRICS = ("ncc", "sauc", "nss", "auc_shuffled")

    @pytest.mark.parametrize("make", [of_one, mixed])
    def test_workers_and_checkpoints_give_the_same_table(self, make, tmp_path):
        pytest.importorskip("pyarrow")
        cases, options = make(), {"metrics": self.METRICS}
        plain = evaluate(cases, **options)
        kept = evaluate(cases, **options, n_jobs=2, checkpoint=tmp_path / "kept")
        again = evaluate(cases, **options, checkpoint=tmp_path / "kept")
        plain.save(tmp_path / "saved")
        loaded = gazesal.Evaluation.load(tmp_path / "saved")
        for other in (kept, again, loaded):
            assert other.scores.equals(plain.scores)
            assert repr(other) == repr(plain)

    def test_groups_leave_the_center_bias_together(self):
        cases = mixed()[2:]
        evaluation = evaluate(cases, metrics=["sncc"], leave_out="site")
        others = [gaze_map(case) for case in cases if case.groups["site"] != "north"]
        bias = gazesal.CenterBias(others).density()
        case = cases[0]
        found = evaluation.scores.query("image == 'i2' and method == 'noise'")["score"].item()
        assert found == pytest.approx(
            gazesal.sncc(case.maps["noise"], gaze_map(case), bias), abs=1e-12
        )

    def test_images_without_valid_gaze_are_listed(self):
        first, *others = of_one()
        (name,) = first.gaze
        bad = replace(first, gaze={name: replace(first.gaze[name], points=np.full((6, 2), 99.0))})
        evaluation = evaluate([bad, *others], metrics=["sncc"], bad_images="list")
        assert evaluation.bad_images["image"].tolist() == ["i0"]
        without = evaluate(others, metrics=["sncc"])
        assert evaluation.scores["score"].tolist() == without.scores["score"].tolist()

    @pytest.mark.parametrize("bad_images", ["raise", "list"])
    def test_rest_names_the_other_ground_truth(self, bad_images):
        options = {"ground_truth": "rest", "bad_images": bad_images}
        with pytest.raises(ValueError, match=r'ground_truth="all" \(--ground-truth all\)'):
            evaluate(of_one(), **options)
        if bad_images == "list":
            listed = evaluate(mixed(), **options).bad_images
            assert listed["image"].tolist() == ["i2", "i3", "i4", "i5"]
            assert listed["reason"].str.contains('ground_truth="all"').all()


class TestSources:
    """Cases from tables, manifests and releases may have one observer each."""

    def test_manifest_with_one_file_of_gaze_for_each_image(self, tmp_path):
        rows = []
        for case in of_one():
            ((observer, own),) = case.gaze.items()
            np.save(tmp_path / f"{case.image}.npy", case.maps["noise"])
            table = pd.DataFrame(own.points, columns=["x", "y"]).assign(duration=1.0)
            table.to_csv(tmp_path / f"{case.image}.csv", index=False)
            size = {"image": case.image, "width": SHAPE[1], "height": SHAPE[0]}
            files = {"map:noise": f"{case.image}.npy", f"gaze:{observer}": f"{case.image}.csv"}
            rows.append(size | files)
        pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
        cases = gazesal.cases_from_manifest(tmp_path / "manifest.csv")
        assert [list(case.gaze) for case in cases] == [["ann"], ["bob"], ["ann"], ["bob"], ["ann"]]
        found = evaluate(cases, metrics=["ncc", "nss"]).scores
        expected = evaluate(of_one(), metrics=["ncc", "nss"]).scores
        np.testing.assert_allclose(found["score"], expected["score"], rtol=0, atol=1e-12)

    def test_manifest_with_one_gaze_map_for_each_image(self, tmp_path):
        rows = []
        for case in of_one():
            np.save(tmp_path / f"{case.image}.npy", case.maps["noise"])
            np.save(tmp_path / f"{case.image}_gaze.npy", gaze_map(case))
            size = {"image": case.image, "width": SHAPE[1], "height": SHAPE[0]}
            files = {"map:noise": f"{case.image}.npy", "gaze:crowd": f"{case.image}_gaze.npy"}
            rows.append(size | files)
        pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
        cases = gazesal.cases_from_manifest(tmp_path / "manifest.csv")
        evaluation = evaluate(cases, sigma=None)
        expected = evaluate(of_one()).scores
        np.testing.assert_allclose(evaluation.scores["score"], expected["score"], atol=1e-12)
        assert "one gaze map each" in repr(evaluation)
        words = gazesal.reporting.summary_text(evaluation.summary())
        assert "Images have one gaze map each, so there is no row" in words

    def test_egd_cxr(self, tmp_path):
        header = "SESSION_ID,DICOM_ID,CNT,FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV"
        lines = [f"{header},X_ORIGINAL,Y_ORIGINAL"]
        rng = np.random.default_rng(1)
        names = [f"{k:08x}" + "-00000000" * 4 for k in range(4)]
        for name in names:
            for number, (x, y) in enumerate(rng.integers(0, [64, 48], (9, 2)).tolist()):
                lines.append(f"1,{name},9,0.4,0.5,1.2,0.25,{number},1,{x},{y}")
        lines.append(f"1,{names[0]},9,0.4,0.5,1.2,0.25,77,1,-1,-1")
        (tmp_path / "fixations.csv").write_text("\n".join(lines) + "\n")
        with pytest.warns(gazesal.SkippedDataWarning, match="1 without a position"):
            table = gazesal.datasets.read_egd_fixations(tmp_path / "fixations.csv")
        maps = {"mine": {name: rng.random((48, 64)) for name in names}}
        cases = gazesal.cases_from_tables(table, maps, (48, 64))
        evaluation = evaluate(cases, metrics=["ncc", "sauc", "nss", "auc_shuffled"])
        assert evaluation.methods == ["center_bias", "mine"]
        assert evaluation.scores["score"].notna().all()
        own = table[table["image"] == names[2]][["x", "y"]]
        found = evaluation.scores.set_index(["image", "method", "metric"])["score"]
        assert found[names[2], "mine", "nss"] == pytest.approx(
            gazesal.nss(maps["mine"][names[2]], own), abs=1e-12
        )


class TestResultsWithoutTheRow:
    """Tables, pages, plots and errors state why a row is missing."""

    def test_repr_tables_and_notebooks(self, of_ones):
        assert "; no interobserver, as images have one observer each)" in repr(of_ones)
        summary = of_ones.summary()
        assert summary.attrs["observers"] == SENTENCE
        for table in (
            gazesal.reporting.summary_text(summary),
            gazesal.reporting.summary_markdown(summary),
            gazesal.reporting.summary_latex(summary),
            gazesal.reporting.summary_html(summary),
            of_ones._repr_html_(),
        ):
            assert table.count(SENTENCE) == 1

    def test_written_files_and_page(self, of_ones, tmp_path):
        pytest.importorskip("matplotlib")
        pytest.importorskip("jinja2")
        gazesal.reporting.write_report(of_ones, tmp_path)
        for name in ("summary.txt", "summary.md"):
            assert (tmp_path / name).read_text().count(SENTENCE) == 1
        page = gazesal.reporting.write_html_report(of_ones, tmp_path / "page.html")
        text = page.read_text()
        assert text.count(SENTENCE) == 1
        assert "Against one observer" not in text

    def test_plots(self, of_ones):
        pytest.importorskip("matplotlib")
        for figure in (of_ones.plot_intervals(), of_ones.plot_maps()):
            parts = [figure, *getattr(figure, "subfigs", [])]
            words = [part._supxlabel.get_text() for part in parts if part._supxlabel]
            assert "one observer each" in " ".join(words).replace("\n", " ")
        assert gazesal.plots.plot_distributions(of_ones.scores)
        assert of_ones.plot_differences("noise", "center_bias")

    def test_errors(self, of_ones):
        with pytest.raises(ValueError, match=r"'interobserver'\. Images have one observer each"):
            of_ones.compare("noise", "interobserver")
        with pytest.raises(ValueError, match="Images with one observer have no such score"):
            gazesal.stats.normalized_score(
                of_ones.scores.query("metric == 'ncc'"),
                gazesal.stats.Design("image", averaged="observer"),
                method="noise",
                floor="center_bias",
                ceiling="interobserver",
            )
        with pytest.raises(ValueError, match=r"`method` .*'interobserver'"):
            gazesal.plots.extreme_images(of_ones, "interobserver", "ncc")


class TestMixedSets:
    """Rows of the observers are over the images with several observers, and state so."""

    def test_scores_of_the_observers_equal_an_evaluation_of_their_images(self, of_mixed):
        own = of_mixed.scores.query("method == 'interobserver' and metric == 'ncc'")
        assert own["image"].unique().tolist() == ["i0", "i1"]
        case = mixed()[0]
        maps = [
            gazesal.gaze_heatmap(gaze.points, case.shape, sigma=SIGMA)
            for gaze in case.gaze.values()
        ]
        found = own[own["image"] == "i0"]["score"].tolist()
        assert found == pytest.approx([gazesal.ncc(*maps)] * 2, abs=1e-12)

    def test_tables_state_the_number_of_images(self, of_mixed):
        assert "; interobserver on 2 of 6 images)" in repr(of_mixed)
        summary = of_mixed.summary()
        counts = summary.query("metric == 'ncc'").set_index("method")["n_images"]
        assert counts.to_dict() == {"interobserver": 2, "center_bias": 6, "noise": 6}
        for table in (
            gazesal.reporting.summary_text(summary),
            gazesal.reporting.summary_markdown(summary),
            gazesal.reporting.summary_latex(summary),
            gazesal.reporting.summary_html(summary),
        ):
            assert "One observer vs. the others (2 of 6 images)" in table
            assert MIXED in table

    def test_several_observers_everywhere_need_no_words(self):
        evaluation = evaluate(make_cases())
        assert "interobserver" not in repr(evaluation)
        summary = evaluation.summary()
        assert summary.attrs["observers"] == ""
        table = gazesal.reporting.summary_text(summary)
        assert "images" not in table

    def test_comparisons_are_paired_on_the_images_of_both(self, of_mixed):
        (found,) = of_mixed.compare("noise", "interobserver", "ncc")
        assert (found.difference.n_clusters, found.n_unpaired) == (2, 4)
        assert str(found).endswith("; 4 scores without a partner left out")
        scores = of_mixed.scores.query("metric == 'ncc' and image in ['i0', 'i1']")
        means = scores.groupby(["method", "image"])["score"].mean()
        expected = (means["noise"] - means["interobserver"]).mean()
        assert found.difference.estimate == pytest.approx(expected, abs=1e-12)
        (of_maps,) = of_mixed.compare("noise", "center_bias", "ncc")
        assert (of_maps.difference.n_clusters, of_maps.n_unpaired) == (6, 0)
        (by_patient,) = of_mixed.compare("noise", "interobserver", "ncc", unit="patient")
        assert (by_patient.difference.n_clusters, by_patient.n_unpaired) == (2, 4)

    def test_comparisons_within_groups_skip_groups_without_pairs(self, of_mixed):
        found = of_mixed.compare("noise", "interobserver", "ncc", by="site")
        assert [(dict(row.group)["site"], row.n_unpaired) for row in found] == [("north", 1)]

    def test_normalized_score_is_over_the_images_of_all_three(self, of_mixed):
        rng = np.random.default_rng(0)
        scores = of_mixed.scores.query("metric == 'ncc'").copy()
        levels = {"center_bias": 0.0, "noise": 0.4, "interobserver": 1.0}
        scores["score"] = scores["method"].map(levels) + rng.normal(0, 0.01, len(scores))
        names = {"method": "noise", "floor": "center_bias", "ceiling": "interobserver"}
        design = {"averaged": "observer", "unbalanced": "average"}
        with pytest.raises(ValueError, match=r"6 for noise, .* 2 for interobserver"):
            gazesal.stats.normalized_score(scores, gazesal.stats.Design("image", **design), **names)
        found = gazesal.stats.normalized_score(
            scores, gazesal.stats.Design("image", **design, missing="drop"), **names
        )
        both = scores[scores["image"].isin(["i0", "i1"])]
        expected = gazesal.stats.normalized_score(
            both, gazesal.stats.Design("image", **design), **names
        )
        assert (found.estimate, found.low, found.high) == (
            expected.estimate,
            expected.low,
            expected.high,
        )
        assert (found.n_clusters, found.n_dropped) == (2, len(scores) - len(both))

    def test_page_and_plots_state_the_number_of_images(self, tmp_path):
        pytest.importorskip("matplotlib")
        pytest.importorskip("jinja2")
        of_mixed = evaluate(replace(case, groups={"site": case.groups["site"]}) for case in mixed())
        page = gazesal.reporting.write_html_report(of_mixed, tmp_path / "page.html")
        text = page.read_text()
        assert text.count(MIXED) == 1
        assert "One observer vs. the others (2 of 6 images)" in text
        assert "one observer (2 of 6 images), whose map is noisy, scores" in text.lower()
        assert "Images with only one of the two scores are left out, up to 4." in text
        assert "nan [nan, nan]" not in text
        for figure, label in (
            (of_mixed.plot_intervals(), "(2 of 6 images)"),
            (of_mixed.plot_differences("noise", "interobserver"), "(2 of 6 pairs)"),
            (gazesal.plots.plot_distributions(of_mixed.scores), "(2 of 6 images)"),
        ):
            texts = [text.get_text() for ax in figure.axes for text in ax.get_yticklabels()]
            assert any(label in text.replace("\n", " ") for text in texts)

    @pytest.mark.parametrize(("image", "titles"), [("i0", 4), ("i5", 3)])
    def test_maps_of_one_image_are_drawn(self, of_mixed, image, titles):
        pytest.importorskip("matplotlib")
        assert len(of_mixed.maps_of(image)) == titles
        assert of_mixed.plot_maps(image)


class TestResidualScores:
    """Reports of scores relative to the center bias."""

    METRICS = ("ncc", "sauc", "nss", "residual_ncc", "residual_nss", "semipartial_ncc")

    def test_caption_states_the_level_of_the_center_bias(self, tmp_path):
        pytest.importorskip("matplotlib")
        gazesal.reporting.write_report(evaluate(of_one(), metrics=self.METRICS), tmp_path)
        text = (tmp_path / "summary.txt").read_text()
        assert "The expected residual NSS of the center bias is 0, or less with few images" in text

    def test_titles_of_panels_do_not_overlap(self):
        pytest.importorskip("matplotlib")
        figure = evaluate(of_one(), metrics=self.METRICS).plot_maps()
        figure.canvas.draw()
        panels = [ax for part in [figure, *figure.subfigs] for ax in part.axes if ax.get_title()]
        named = dict.fromkeys(ax for ax in panels if "(" in ax.get_title())
        boxes = [ax.title.get_window_extent() for ax in named]
        assert len(boxes) == 6
        for left, right in itertools.pairwise(boxes):
            assert left.x1 < right.x0
        assert boxes[-1].x1 <= figure.bbox.x1


class TestGazeBesideGazeMaps:
    """Fixations beside a gaze map of all observers are checked as if they were drawn."""

    METRICS = ("ncc", "nss")

    def with_gaze_map(self, case, **changes):
        """Return the case with a gaze map of all, and with other gaze of its observer."""
        ((name, own),) = case.gaze.items()
        return replace(
            case, gaze={name: replace(own, **changes)}, gaze_map=gaze_map(of_one_observer(case))
        )

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"points": np.full((6, 2), 99.0)}, "outside"),
            ({"durations": np.array([-1.0, 1, 1, 1, 1, 1])}, "weights"),
            ({"durations": np.ones(4)}, "weights"),
            ({"visible": np.ones((6, 3))}, "visible"),
        ],
    )
    def test_invalid_fixations_are_refused(self, changes, words):
        n = {"points": np.full((6, 2), 5.0), "durations": np.ones(6)}
        first, *others = of_one()
        cases = [self.with_gaze_map(first, **n | changes), *map(self.with_gaze_map, others)]
        with pytest.raises(ValueError, match=rf"image i0, observer ann.*{words}"):
            evaluate(cases, sigma=None, metrics=self.METRICS)

    def test_fixations_outside_unscored_images_are_refused(self):
        first, *others = of_one()
        (name,) = first.gaze
        off = gazesal.Gaze(points=np.full((6, 2), 99.0))
        cases = [replace(first, gaze={name: off}, scored=False, maps={}), *others]
        options = {"metrics": ["auc_shuffled"], "center_bias": "none"}
        with pytest.raises(ValueError, match=r"image i0, observer ann.*outside"):
            evaluate(cases, **options)

    @pytest.mark.parametrize("gaze", [gazesal.FixationMap(np.eye(24, 32)), "own"])
    def test_fixations_as_gaze_map_name_the_remedy(self, gaze):
        first, *others = of_one()
        (own,) = first.gaze.values()
        case = replace(first, gaze_map=own if gaze == "own" else gaze)
        with pytest.raises(TypeError, match=r"`gaze_map` of image 'i0' .* Give it in `gaze`"):
            evaluate([case, *others])

    def test_sets_of_gaze_maps_and_observers_are_described_as_both(self):
        first, *others = of_one()
        with pytest.warns(gazesal.InputWarning, match="`sigma`"):
            found = evaluate([self.with_gaze_map(first), *others], metrics=["nss"])
        assert "images have one observer or gaze map each" in repr(found)

    def test_an_observer_named_all_beside_others_is_refused(self):
        first, *others = make_cases()
        ann, bob = first.gaze.values()
        with pytest.raises(ValueError, match=r"`gaze` of image 'i0'.*'all'"):
            evaluate([replace(first, gaze={"all": ann, "bob": bob}), *others])
