"""SIM, KL and EMD: identities, closed forms, every scale, and what is refused."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal import emd, kl_divergence, sim
from gazesal.metrics import distribution
from tests.metric_cases import arguments, plain_arguments
from tests.oracles import distribution as oracle

SAME = {"rel": 1e-12, "abs": 1e-12}


def shares(array):
    array = np.asarray(array, np.float64)
    return array / array.sum()


@given(case=plain_arguments("sim"))
def test_sim_is_what_total_variation_leaves(case):
    saliency, gaze = case
    distance = np.abs(shares(saliency) - shares(gaze)).sum() / 2
    assert sim(saliency, gaze) == pytest.approx(1 - distance, **SAME)


@given(case=plain_arguments("kl_divergence"), eps=st.sampled_from([0.0, 1e-12, 1e-3, 1e-2, 1.0]))
def test_divergence_equals_the_oracle_for_any_constant(case, eps):
    saliency, gaze = case[0] + 1 / 64, case[1]  # nowhere 0
    expected = oracle.kl_divergence(saliency, gaze, eps)
    assert kl_divergence(saliency, gaze, eps=eps) == pytest.approx(expected, **SAME)


def test_divergence_with_a_large_constant_may_be_negative():
    rng = np.random.default_rng(0)
    saliency, gaze = rng.random((20, 30)), rng.random((20, 30)) ** 8
    p, q = shares(saliency), shares(gaze)
    expected = (q * np.log(0.01 + q / (p + 0.01))).sum()
    assert expected < -0.5
    assert kl_divergence(saliency, gaze, eps=0.01) == pytest.approx(expected, **SAME)


@pytest.mark.parametrize("shape", [(20, 30), (1500, 2000)])
def test_divergence_of_a_map_from_itself_is_exactly_0(shape):
    """The default constant takes 2**-52 off for each pixel."""
    saliency = np.random.default_rng(0).random(shape)
    assert kl_divergence(saliency, saliency) == 0.0
    assert kl_divergence(3 * saliency, saliency) == 0.0


@given(case=plain_arguments("kl_divergence"))
def test_without_a_constant_it_bounds_the_similarity(case):
    """Pinsker: total variation is at most sqrt(KL / 2)."""
    saliency, gaze = case[0] + 1 / 64, case[1]
    distance = 1 - sim(saliency, gaze)
    assert distance <= math.sqrt(kl_divergence(saliency, gaze, eps=0) / 2) + 1e-9


def test_divergence_without_a_constant_may_be_infinite():
    assert kl_divergence([[1, 1, 0]], [[1, 0, 0]], eps=0) == pytest.approx(math.log(2))
    with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is 0 where") as caught:
        assert math.isnan(kl_divergence([[1, 1, 0]], [[0, 0, 1]], eps=0))
    assert caught[0].filename == __file__
    assert kl_divergence([[1, 1, 0]], [[0, 0, 1]]) == pytest.approx(52 * math.log(2))


def test_divergence_of_a_map_from_itself_is_zero_and_not_less():
    """The constant takes the sum of many pixels below 0."""
    gaze = np.random.default_rng(0).random((300, 400))
    assert kl_divergence(gaze, gaze) == kl_divergence(3 * gaze, gaze) == 0.0


@pytest.mark.parametrize("types", [(np.float32, np.float64), (np.float64, np.float32)])
@pytest.mark.parametrize("shape", [(181, 239), (1, 40_001)])
def test_maps_of_several_blocks_equal_the_oracle(types, shape):
    rng = np.random.default_rng(1)
    saliency, gaze = rng.random(shape).astype(types[0]), (rng.random(shape) ** 4).astype(types[1])
    p, q = shares(saliency), shares(gaze)
    assert sim(saliency, gaze) == pytest.approx(math.fsum(np.minimum(p, q).flat), rel=1e-13)
    terms = q * np.log(2.0**-52 + q / (p + 2.0**-52))
    assert kl_divergence(saliency, gaze) == pytest.approx(math.fsum(terms.flat), rel=1e-12)


@pytest.mark.parametrize("scales", [(1e-30, 1e30), (1e30, 1e-30), (1e-300, 1e300), (1e-322, 1.0)])
@pytest.mark.parametrize("metric", ["sim", "kl_divergence", "emd"])
def test_scales(metric, scales):
    rng = np.random.default_rng(2)
    saliency, gaze = rng.integers(1, 5, (2, 4, 5))
    options = {"shrink": 1} if metric == "emd" else {}
    function = getattr(gazesal, metric)
    got = function(saliency * scales[0], gaze * scales[1], **options)
    assert got == pytest.approx(function(saliency, gaze, **options), rel=1e-9)


class TestTransport:
    """The earth mover's distance."""

    @given(case=arguments("emd", shapes=st.tuples(st.just(1), st.integers(1, 30))))
    def test_on_a_line_it_is_the_area_between_cumulative_sums(self, case):
        saliency, gaze = case
        between = np.cumsum(shares(saliency) - shares(gaze))
        expected = np.abs(between).sum()
        assert emd(saliency, gaze, shrink=1) == pytest.approx(expected, rel=0, abs=1e-10)
        turned = emd(saliency.T, gaze.T, shrink=1)
        assert turned == pytest.approx(expected, rel=0, abs=1e-10)

    @given(case=plain_arguments("emd"), shrink=st.integers(1, 4))
    def test_distance_in_cells_equals_the_oracle(self, case, shrink):
        expected = oracle.emd(*case, shrink)
        assert emd(*case, shrink=shrink) == pytest.approx(expected, rel=0, abs=1e-6)

    @given(case=plain_arguments("emd"), shrink=st.integers(2, 4))
    def test_cells_move_it_by_their_diagonal_at_most(self, case, shrink):
        moved = abs(emd(*case, shrink=shrink) - emd(*case, shrink=1))
        assert moved <= (shrink - 1) * math.sqrt(2) + 1e-9

    def test_one_pixel_to_another_is_their_distance(self):
        maps = np.zeros((2, 20, 30))
        maps[0, 2, 3] = maps[1, 14, 8] = 5.0
        assert emd(*maps, shrink=1) == 13.0
        # cells of 4: the centers of (2, 3) and (14, 8) are at (1.5, 1.5) and (13.5, 9.5)
        assert emd(*maps, shrink=4) == pytest.approx(math.hypot(12, 8))

    def test_the_last_cell_is_centered_on_its_own_pixels(self):
        """Five columns in cells of 4: the second has one column, whose center is 4."""
        maps = np.zeros((2, 1, 5))
        maps[0, 0, 0] = maps[1, 0, 4] = 1.0
        assert emd(*maps, shrink=4) == 4 - 1.5
        assert emd(*maps, shrink=5) == emd(*maps, shrink=100) == 0.0

    @given(case=plain_arguments("emd"))
    def test_it_obeys_the_triangle_inequality(self, case):
        saliency, gaze = case
        third = np.ones(gaze.shape)
        direct = emd(saliency, gaze, shrink=1)
        assert direct <= emd(saliency, third, shrink=1) + emd(third, gaze, shrink=1) + 1e-9

    def test_proportional_maps_need_no_transport(self):
        gaze = np.random.default_rng(4).random((9, 8))
        assert emd(gaze, gaze, shrink=1) == 0.0
        assert emd(0.1 * gaze, gaze, shrink=1) == pytest.approx(0, abs=1e-14)

    def test_shrink_has_no_default(self):
        with pytest.raises(TypeError, match="shrink"):
            emd(np.eye(3), np.eye(3))

    @pytest.mark.parametrize("shrink", [0, -1])
    def test_cells_smaller_than_a_pixel_raise(self, shrink):
        with pytest.raises(ValueError, match="`shrink` must be at least 1"):
            emd(np.eye(3), np.eye(3), shrink=shrink)

    @pytest.mark.parametrize("shrink", [1.5, True, "2", None])
    def test_cells_of_a_fractional_size_raise(self, shrink):
        with pytest.raises(TypeError, match="`shrink` must be an integer"):
            emd(np.eye(3), np.eye(3), shrink=shrink)

    def test_more_distances_than_memory_holds(self):
        gaze = np.zeros((400, 400))
        gaze[:200] = 1.0
        with pytest.raises(ValueError, match=r"`shrink` must leave fewer cells, got 1 and .*80000"):
            emd(gaze[::-1], gaze, shrink=1)

    def test_missing_pot_raises_with_the_extra(self, monkeypatch):
        """An error with advice, and no other number."""
        monkeypatch.setitem(sys.modules, "ot", None)
        with pytest.raises(ImportError, match=r"pip install 'gazesal\[emd\]'"):
            emd([[0, 1]], [[1, 0]], shrink=1)

    def test_a_solver_that_gives_up_is_heard(self, monkeypatch):
        class Broken:
            @staticmethod
            def emd2(*_arguments, **_options):
                return 0.0, {"warning": "numItermax reached"}

        monkeypatch.setitem(sys.modules, "ot", Broken)
        with pytest.raises(RuntimeError, match="numItermax reached"):
            emd([[0, 1]], [[1, 0]], shrink=1)


def test_size_of_blocks_does_not_change_the_score():
    saliency, gaze = np.random.default_rng(5).random((2, 100, 130))  # more than a block
    assert saliency.size > distribution.BLOCK
    p, q = saliency / saliency.sum(), gaze / gaze.sum()
    expected = (q * np.log(q / p)).sum()
    assert kl_divergence(saliency, gaze, eps=0) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("offset", [0.0, 3e4])
def test_a_megapixel_in_single_precision_agrees_with_long_doubles(offset):
    """Sums are in float64, and by blocks, whatever the dtype."""
    rng = np.random.default_rng(6)
    saliency = (0.3 * rng.random((1000, 1100)) ** 4 + offset).astype(np.float32)
    gaze = (rng.random(saliency.shape) ** 6).astype(np.float32)
    points = rng.integers(0, 1000, (300, 2))
    at = points[:, 1], points[:, 0]
    long_saliency, long_gaze = saliency.astype(np.longdouble), gaze.astype(np.longdouble)
    centered = long_saliency - long_saliency.mean()
    z_scores = centered[at] / np.sqrt((centered**2).mean())
    p, q = long_saliency / long_saliency.sum(), long_gaze / long_gaze.sum()
    eps = np.longdouble(2.0**-52)
    density = (saliency / saliency.sum(dtype=np.float64)).astype(np.float32)
    shares_of_it = density.astype(np.longdouble) / density.astype(np.longdouble).sum()
    gains = np.log2(eps + shares_of_it[at]) - np.log2(eps + np.longdouble(1) / saliency.size)
    for got, expected in (
        (gazesal.nss(saliency, points), z_scores.mean()),
        (sim(saliency, gaze), np.minimum(p, q).sum()),
        (kl_divergence(saliency, gaze), (q * np.log(eps + q / (p + eps))).sum()),
        (gazesal.log_likelihood(density, points), gains.mean()),
    ):
        assert got == pytest.approx(float(expected), rel=0, abs=1e-12)
