"""Maps of fixated pixels become fixations, with the same scores as the fixations themselves."""

import json
import re
import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal import fixations_from_map

SHAPE = (24, 31)


def marked(points, shape=SHAPE):
    """Return the counts of points at pixel centers."""
    counts = np.zeros(shape, np.int64)
    x, y = np.asarray(points, np.int64).T
    np.add.at(counts, (y, x), 1)
    return counts


def by_rows(points):
    """Return points sorted by y, then by x."""
    return np.asarray(points)[np.lexsort(np.asarray(points).T)]


points_on_pixels = st.lists(
    st.tuples(st.integers(0, SHAPE[1] - 1), st.integers(0, SHAPE[0] - 1)), min_size=1, max_size=40
)


class TestKindsOfMaps:
    @given(points_on_pixels)
    def test_counts_repeat_their_pixel(self, points):
        found = fixations_from_map(marked(points))
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, by_rows(points))

    @pytest.mark.parametrize(
        "dtype", [np.bool_, np.uint8, np.int8, np.uint16, np.int64, np.float32]
    )
    @pytest.mark.parametrize("largest", [1, 255])
    def test_marks_count_once_in_any_dtype(self, dtype, largest):
        if dtype is np.int8 and largest == 255:
            largest = 1
        fixation_map = (marked([(3, 4), (30, 0), (0, 23)]) > 0).astype(dtype) * dtype(largest)
        expected = [[30.0, 0.0], [3.0, 4.0], [0.0, 23.0]]
        assert fixations_from_map(fixation_map).tolist() == expected

    @pytest.mark.parametrize("value", [0.5, 1.0, 10.0, 100.0, 255.0, 65535.0, 1e12])
    def test_single_value_that_is_no_count_marks(self, value):
        assert fixations_from_map([[0.0, value]]).tolist() == [[1.0, 0.0]]

    def test_single_count_repeats(self):
        assert fixations_from_map([[0, 3]]).tolist() == [[1.0, 0.0]] * 3

    @pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
    def test_sparse_matrix(self, kind):
        assert fixations_from_map(kind([[0, 2], [1, 0]])).tolist() == [[1, 0], [1, 0], [0, 1]]

    def test_map_of_zeros_has_no_fixation(self):
        found = fixations_from_map(np.zeros(SHAPE))
        assert found.shape == (0, 2)
        with pytest.raises(ValueError, match="`fixations` must hold at least one fixation"):
            gazesal.nss(np.eye(*SHAPE), found)

    def test_the_map_is_not_changed(self):
        fixation_map = marked([(1, 1), (1, 1)])
        before = fixation_map.copy()
        fixations_from_map(fixation_map)
        np.testing.assert_array_equal(fixation_map, before)


class TestRefused:
    @pytest.mark.parametrize(
        ("fixation_map", "words"),
        [
            (gazesal.gaze_heatmap([(3, 3)], SHAPE, sigma=2.0), "several positive values"),
            ([[0, 1, 255]], "several positive values up to 255. Give threshold=127"),
            ([[0, 1, 2.5]], "several positive values"),
            ([[0, 1, 10**12]], "several positive values"),
            ([[0, -1]], "must be non-negative, got -1"),
            ([[0, np.nan]], "must be finite"),
            ([1, 0], "2-D"),
            (scipy.sparse.coo_array((10**6, 10**6)), "must have at most"),
        ],
    )
    def test_map_that_has_no_fixations(self, fixation_map, words):
        with pytest.raises(ValueError, match=f"fixation_map`.*{words}"):
            fixations_from_map(fixation_map)

    def test_more_fixations_than_memory_should_hold(self):
        with pytest.raises(ValueError, match="at most 10000000 fixations, got 31625000"):
            fixations_from_map(np.pad(np.arange(250_000).reshape(500, 500) % 2 + 126, 500))

    def test_mostly_fixated_map_warns(self):
        with pytest.warns(gazesal.InputWarning, match="`fixation_map` marks 99 of 100 pixels"):
            fixations_from_map(255 - 255 * (np.arange(100).reshape(10, 10) == 7))


class TestThreshold:
    def test_selects_pixels_above_it_once(self):
        assert fixations_from_map([[0, 127, 128, 255]], threshold=127).tolist() == [[2, 0], [3, 0]]

    def test_above_all_values_warns(self):
        with pytest.warns(gazesal.InputWarning, match="`threshold` must be below"):
            assert not len(fixations_from_map([[0, 1]], threshold=127))

    def test_of_zeros_has_no_fixation(self):
        assert fixations_from_map(np.zeros((9, 9)), threshold=127).shape == (0, 2)

    @pytest.mark.parametrize("threshold", [-1, np.nan, np.inf])
    def test_is_a_non_negative_number(self, threshold):
        with pytest.raises(ValueError, match="`threshold`"):
            fixations_from_map([[0, 1]], threshold=threshold)


class TestEqualScores:
    """Fixations at pixel centers and the map of them have the same scores, to the bit."""

    @given(points_on_pixels, points_on_pixels, st.integers(0, 99))
    def test_metrics_of_points(self, points, others, seed):
        saliency = np.random.default_rng(seed).random(SHAPE)
        own, from_map = np.asarray(points, float), fixations_from_map(marked(points))
        other, others_from_map = np.asarray(others, float), fixations_from_map(marked(others))
        for metric in (gazesal.nss, gazesal.auc_judd, gazesal.auc):
            assert metric(saliency, own) == metric(saliency, from_map)
        for shuffled in (gazesal.auc_shuffled, gazesal.snss):
            assert shuffled(saliency, own, other) == shuffled(saliency, from_map, others_from_map)

    @given(points_on_pixels, st.sampled_from([0.7, 3.0, (2.0, 5.0)]))
    def test_gaze_maps(self, points, sigma):
        drawn = gazesal.gaze_heatmap(points, SHAPE, sigma=sigma)
        again = gazesal.gaze_heatmap(fixations_from_map(marked(points)), SHAPE, sigma=sigma)
        np.testing.assert_array_equal(drawn, again)

    def test_gaze_maps_of_many_fixations(self):
        shape, points = (90, 110), np.random.default_rng(0).integers(0, 90, (3000, 2))
        drawn = gazesal.gaze_heatmap(points, shape, sigma=2.0, weights=np.full(3000, 250.0))
        again = gazesal.gaze_heatmap(fixations_from_map(marked(points, shape)), shape, sigma=2.0)
        np.testing.assert_array_equal(drawn, again)


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "formats" / "01_benchmark_maps"


@contextmanager
def ignored(category):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield


def truth_of(folder, kind):
    table = pd.read_csv(folder / f"truth_{kind}.csv")
    return {image: by_rows(rows[["x", "y"]]) for image, rows in table.groupby("image")}


class TestBenchmarkFiles:
    """Published layouts give the fixations that the files were made from."""

    @pytest.mark.parametrize(
        ("pattern", "kind", "threshold"),
        [
            ("png/*.png", "binary", None),
            ("npy/*.npy", "counts", None),
            ("demo_style/*.mat", "binary", None),
            ("FIXATIONLOCS/*.mat", None, None),
            ("ALLFIXATIONMAPS/*_fixPts.jpg", "binary", 127),
        ],
    )
    def test_files(self, folder, pattern, kind, threshold):
        kinds = json.loads((folder / "meta.json").read_text())["truth"]
        files = sorted(folder.glob(pattern))
        assert files
        for path in files:
            of_file = (
                kind or re.search("binary|counts", kinds[f"{path.parent.name}/{path.name}"])[0]
            )
            with ignored(gazesal.InputWarning):  # that JPEG is lossy
                values = gazesal.read_map(path)
            found = fixations_from_map(values, threshold=threshold)
            image = path.stem.removesuffix("_fixPts")
            np.testing.assert_array_equal(found, truth_of(folder, of_file)[image])

    def test_lossy_pictures_name_the_remedy(self, folder):
        for path in folder.glob("ALLFIXATIONMAPS/*_fixPts.jpg"):
            with ignored(gazesal.InputWarning):
                values = gazesal.read_map(path)
            with pytest.raises(ValueError, match="Give threshold=127"):
                fixations_from_map(values)
