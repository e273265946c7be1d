"""Areas within a tolerance: the bound holds for maps made to break it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal import auc_borji, sauc
from gazesal.kernels.auc import areas
from gazesal.kernels.auc.approximate import bins
from tests.oracles import ranks as oracle
from tests.strategies import map_triples

TINY = np.nextafter(0.0, 1.0)
SHAPE = (211, 397)
SIZE = SHAPE[0] * SHAPE[1]


@pytest.fixture(autouse=True, scope="module")
def bins_for_small_maps_too():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(areas, "LEAST_PIXELS", 0)
        yield


def saliency_of(kind, rng):
    """A map of 83,767 pixels, of a kind that bins may not like."""
    noise = rng.random(SIZE)
    return {
        "noise": lambda: noise,
        "single precision": lambda: noise.astype(np.float32),
        "heavy ties": lambda: rng.integers(0, 5, SIZE) / 7,
        "two values": lambda: np.where(noise < 0.3, -1.0, 2.5),
        "mostly zero": lambda: np.maximum(noise - 0.8, 0.0),
        "saturated": lambda: np.clip(3 * noise - 1, 0.0, 1.0),
        "quantized": lambda: np.round(255 * noise),
        "denormals": lambda: TINY * rng.integers(-900, 900, SIZE),
        "denormals beside one": lambda: np.where(noise < 0.9, TINY * np.arange(SIZE), 1.0),
        "signed zeros": lambda: np.where(noise < 0.5, np.where(noise < 0.2, -0.0, 0.0), noise),
        "one cell": lambda: 1e6 + noise * 2.0**-20,
        "last bits": lambda: 1.0 + 2.0**-52 * rng.integers(0, 4000, SIZE),
        "outlier": lambda: np.where(np.arange(SIZE) == 5, 1e300, 1.0 + 1e-12 * noise),
        "other outlier": lambda: np.where(np.arange(SIZE) == 9, -1e300, noise),
        "all magnitudes": lambda: rng.choice([-1.0, 1.0], SIZE) * 10.0 ** (600 * noise - 300),
        "peaked": lambda: np.exp(40 * noise),
        "smooth": lambda: np.sin(np.arange(SIZE) / 5000.0),
    }[kind]()  # fmt: skip


def weights_of(kind, values, rng):
    """Positives and negatives, in counts, so that the truth follows from integers."""
    order = np.argsort(values, kind="stable")
    positives, negatives = np.zeros((2, SIZE), np.int64)
    if kind == "spread":
        return rng.integers(0, 4, SIZE), rng.integers(0, 4, SIZE)
    if kind == "few pixels":  # all mass on neighbors in rank, alternating
        where = order[SIZE // 3 : SIZE // 3 + 40]
        positives[where[::2]], negatives[where[1::2]] = 1, 1
        return positives, negatives
    if kind == "off the sample":  # none on the pixels that a step of 2 would read
        positives[order[: SIZE // 2]], negatives[order[SIZE // 4 :]] = 1, 2
        positives[::2], negatives[1::3] = 0, 0
        return positives, negatives
    positives[rng.integers(0, SIZE)] = 1  # one pixel
    return positives, np.ones(SIZE, np.int64)


KINDS = ["noise", "single precision", "heavy ties", "two values", "mostly zero", "saturated",
         "quantized", "denormals", "denormals beside one", "signed zeros", "one cell", "last bits",
         "outlier", "other outlier", "all magnitudes", "peaked", "smooth"]  # fmt: skip


@pytest.mark.parametrize("weights", ["spread", "few pixels", "off the sample", "one pixel"])
@pytest.mark.parametrize("kind", KINDS)
def test_areas_are_within_the_tolerance(kind, weights):
    rng = np.random.default_rng(KINDS.index(kind))
    values = saliency_of(kind, rng)
    assert np.isfinite(values).all()
    positives, negatives = weights_of(weights, values, rng)
    maps = [array.reshape(SHAPE) for array in (values, positives, negatives)]
    ones = np.ones(SIZE, np.int64)
    expected = float(oracle.weighted_auc_of_integers(values + 0.0, positives, negatives))
    uniform = float(oracle.weighted_auc_of_integers(values + 0.0, positives, ones))
    assert sauc(*maps) == pytest.approx(expected, rel=0, abs=1e-12)
    for tolerance in (0.3, 1e-2, 1e-3, 1e-4, 1e-6):
        assert abs(sauc(*maps, tolerance=tolerance) - expected) <= tolerance
        assert abs(auc_borji(*maps[:2], tolerance=tolerance) - uniform) <= tolerance
        both = gazesal.score(
            maps[:1], [maps[1], maps[2]], maps[2], ["sauc", "auc_borji"], tolerance=tolerance
        )
        assert abs(both.values[0, 0] - [expected, uniform]).max() <= tolerance


@pytest.mark.parametrize("kind", KINDS)
def test_the_bound_is_no_smaller_than_the_error(kind):
    """Of the bins alone, whether or not the tolerance is met; with bins far too few."""
    rng = np.random.default_rng(50 + KINDS.index(kind))
    values = saliency_of(kind, rng)
    positives, negatives = weights_of("spread", values, rng)
    expected = float(oracle.weighted_auc_of_integers(values + 0.0, positives, negatives))
    p, q = positives.astype(np.float64), negatives.astype(np.float64)
    sample = bins.sample_weights([p], [q], SIZE)
    extremes = float(values.min()), float(values.max())
    for wanted in (16, 500, 20_000):
        wins, halves = areas.binned_wins(
            values, extremes, [p], [q], [q.sum()], sample, 1e-3, wanted
        )
        bound = halves[0] / p.sum() + areas.ROUNDING + areas.SLACK
        assert abs(wins[0, 0] / p.sum() - expected) <= bound


@pytest.mark.parametrize(
    ("kind", "tolerance", "most"),
    [("noise", 1e-3, 1e-3), ("peaked", 1e-3, 1e-3), ("mostly zero", 1e-3, 1e-3),
     ("quantized", 1e-3, 0.0), ("two values", 1e-3, 0.0), ("one cell", 1e-3, 1e-3)],
)  # fmt: skip
def test_bins_suffice_for_maps_as_they_come(kind, tolerance, most):
    """The looser way is taken: its bound is met without ordering, exactly where all are ties."""
    rng = np.random.default_rng(3)
    values = saliency_of(kind, rng)
    p, q = rng.random((2, SIZE))
    sample = bins.sample_weights([p], [q], SIZE)
    _, halves = areas.binned_wins(
        values, (float(values.min()), float(values.max())), [p], [q], [q.sum()], sample,
        tolerance, round(2 / tolerance),
    )  # fmt: skip
    assert halves[0] / p.sum() <= most


@given(triple=map_triples(), tolerance=st.sampled_from([1e-9, 1e-6, 1e-2, 0.5, 0.9]))
def test_areas_of_small_maps_are_within_the_tolerance(triple, tolerance):
    expected = float(oracle.weighted_auc(*triple))
    assert abs(sauc(*triple, tolerance=tolerance) - expected) <= tolerance


def test_without_a_tolerance_no_pixels_are_binned():
    """Neighboring values, which a million bins would tie."""
    values = 1.0 + 2.0**-52 * np.random.default_rng(4).permutation(SIZE).reshape(SHAPE)
    values[0, 0] = 0.0
    p, q = (values.ravel() % 2.0**-51 > 0).reshape(SHAPE) * [[1.0]], np.ones(SHAPE)
    expected = float(
        oracle.weighted_auc_of_integers(values, p.astype(np.int64), q.astype(np.int64))
    )
    assert sauc(values, p, q) == pytest.approx(expected, rel=0, abs=1e-13)


@pytest.mark.parametrize(
    ("tolerance", "n_pixels", "pay"),
    [(1e-6, 2**23, True), (1e-6, 2**21, False), (9e-7, 2**30, False), (1e-3, 2**18, False),
     (1e-3, 2**20, True), (0.3, 2**19, True)],
)  # fmt: skip
def test_bins_are_for_large_maps_and_loose_tolerances(monkeypatch, tolerance, n_pixels, pay):
    monkeypatch.setattr(areas, "LEAST_PIXELS", 2**19)
    assert areas.bins_pay(tolerance, n_pixels) == pay


@pytest.mark.parametrize("metric", [auc_borji, sauc])
class TestArgument:
    """Values of `tolerance`."""

    MAPS = ([[1.0, 2.0]], [[1.0, 3.0]], [[2.0, 1.0]])

    def call(self, metric, **options):
        return metric(*self.MAPS[: 2 if metric is auc_borji else 3], **options)

    @pytest.mark.parametrize("tolerance", [0, 0.0, 1, -1e-6, np.nan, np.inf])
    def test_tolerance_out_of_range_raises(self, metric, tolerance):
        with pytest.raises(ValueError, match="`tolerance` must be between 0 and 1"):
            self.call(metric, tolerance=tolerance)

    @pytest.mark.parametrize("tolerance", ["1e-6", True, [1e-6]])
    def test_other_than_a_number_raises(self, metric, tolerance):
        with pytest.raises(TypeError, match="`tolerance` must be a number or None"):
            self.call(metric, tolerance=tolerance)

    def test_tolerance_with_samples_raises(self, metric):
        with pytest.raises(ValueError, match="`tolerance` must be None with `n_samples`"):
            self.call(metric, tolerance=1e-6, n_samples=9, rng=0)
