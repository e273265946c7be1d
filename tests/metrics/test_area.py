"""The valid area of an image: metrics on some of its pixels, or with weights of pixels."""

import json
import math
import warnings

import numpy as np
import pytest

import gazesal
from tests.metric_cases import NAMES, OPTIONS, POINTS, example, function

EVERY = pytest.mark.parametrize("name", NAMES)
SHAPE = (9, 11)
SAME = {"rel": 1e-12, "abs": 1e-12}


@pytest.fixture
def mask():
    return np.random.default_rng(5).random(SHAPE) < 0.6


def quiet(call, *arguments, **options):
    """Return a score without the warning of fixations dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.OffImageWarning)
        return call(*arguments, **options)


def on_pixels(name, given, pixels):
    """Return arguments on a list of pixels alone, which may repeat, as maps of one row."""
    metric = gazesal.METRICS[name]
    found = []
    for argument, value in zip(metric.arguments, given, strict=True):
        if argument in POINTS:
            column, row = np.floor(value + 0.5).astype(int).T
            at = row * SHAPE[1] + column
            first = {pixel: place for place, pixel in reversed(list(enumerate(pixels)))}
            found.append(np.array([[first[each], 0] for each in at if each in first], float))
        else:
            chosen = value.ravel()[pixels][np.newaxis]
            found.append(chosen / chosen.sum() if argument in metric.densities else chosen)
    return found


@EVERY
@pytest.mark.parametrize("seed", range(3))
def test_a_mask_gives_the_score_of_the_selected_pixels(name, seed, mask):
    given = example(name, SHAPE, seed)
    got = quiet(function(name), *given, area=mask)
    if name == "emd":  # uses positions, so the pixels outside have no mass instead
        expected = function(name)(*(np.where(mask, each, 0) for each in given))
    else:
        expected = function(name)(*on_pixels(name, given, np.flatnonzero(mask)))
    assert got == pytest.approx(expected, **SAME)


@EVERY
def test_pixels_outside_the_area_do_not_matter(name, mask):
    given = example(name, SHAPE)
    expected = quiet(function(name), *given, area=mask)
    for outside in (np.nan, np.inf, -1e300):
        changed = [np.where(mask, v, outside) if v.shape == SHAPE else v for v in given]
        assert quiet(function(name), *changed, area=mask) == expected
        weights = np.where(mask, 3.0, 0.0)
        assert quiet(function(name), *changed, area=weights) == expected


@EVERY
@pytest.mark.parametrize("area", [np.ones(SHAPE, bool), np.ones(SHAPE), np.full(SHAPE, 255)])
def test_an_area_of_all_pixels_changes_no_bit(name, area):
    given = example(name, SHAPE)
    assert function(name)(*given, area=area) == function(name)(*given)


@EVERY
@pytest.mark.parametrize("seed", range(2))
def test_a_weight_counts_a_pixel_as_often(name, seed):
    given = example(name, SHAPE, seed)
    weights = np.random.default_rng(seed).integers(0, 4, SHAPE)
    got = quiet(function(name), *given, area=weights)
    assert got == pytest.approx(quiet(function(name), *given, area=weights * 1e-3), **SAME)
    if name == "emd":
        expected = function(name)(*(each * weights for each in given))
    elif name == "auc_judd":  # a fixated pixel counts once, its repetitions are no negatives
        fixated = np.zeros(SHAPE, bool)
        column, row = np.floor(given[1] + 0.5).astype(int).T
        fixated[row, column] = True
        rest = np.where(fixated, 0, weights).astype(float)
        inside = fixated & (weights > 0)
        expected = gazesal.sauc(given[0], inside.astype(float), rest)
    else:
        repeated = np.repeat(np.arange(weights.size), weights.ravel())
        expected = function(name)(*on_pixels(name, given, repeated))
    assert got == pytest.approx(expected, **SAME)


@EVERY
def test_nan_inside_the_area_is_an_error(name, mask):
    given = example(name, SHAPE)
    given[0].flat[np.flatnonzero(mask)[3]] = np.nan
    with pytest.raises(ValueError, match="saliency_map"):
        quiet(function(name), *given, area=mask)


@pytest.mark.parametrize("seed", range(2))
def test_score_restricts_all_maps_to_the_area(seed, mask):
    rng = np.random.default_rng(seed)
    maps = {"one": rng.random(SHAPE), "two": rng.random(SHAPE)}
    truth, bias = rng.random(SHAPE), rng.random(SHAPE)
    names = [n for n in NAMES if gazesal.METRICS[n].ground_truth == "map" and n not in OPTIONS]
    for area in (mask, rng.random(SHAPE) * mask):
        found = gazesal.score(maps, {"gaze": truth}, bias, names, area=area)
        for k, name in enumerate(found.metrics):
            for i, saliency in enumerate(maps.values()):
                wanted = [saliency, truth, bias][: len(gazesal.METRICS[name].arguments)]
                expected = function(name)(*wanted, area=area)
                assert found.values[i, 0, k] == pytest.approx(expected, **SAME)


def test_score_refuses_a_metric_without_area(mask):
    def own(saliency_map, gaze_map):
        return float(saliency_map.mean() + gaze_map.mean())

    maps = [np.random.default_rng(0).random(SHAPE)]
    with pytest.raises(ValueError, match="`area`"):
        gazesal.score(maps, maps, metrics=[gazesal.Metric(own)], area=mask)


def test_fixations_outside_the_area_are_dropped_with_a_warning(mask):
    saliency = np.random.default_rng(0).random(SHAPE)
    rows, columns = np.nonzero(mask)
    out_rows, out_columns = np.nonzero(~mask)
    points = [[columns[0], rows[0]], [out_columns[0], out_rows[0]]]
    with pytest.warns(gazesal.OffImageWarning, match="1 of 2 `fixations` lie outside `area`"):
        got = gazesal.nss(saliency, points, area=mask)
    assert got == gazesal.nss(saliency, points[:1], area=mask)
    with pytest.raises(ValueError, match="inside `area`"):
        gazesal.nss(saliency, points[1:], area=mask)


def test_negatives_given_as_points_or_as_a_map_are_restricted(mask):
    given = example("auc_shuffled", SHAPE)
    expected = quiet(gazesal.auc_shuffled, *given, area=mask)
    assert quiet(gazesal.auc, *given, area=mask) == expected
    bias = np.random.default_rng(3).random(SHAPE)
    inside = quiet(gazesal.auc, *given[:2], bias, area=mask)
    assert inside == pytest.approx(quiet(gazesal.auc, *given[:2], bias * mask), abs=0.2)
    with pytest.raises(ValueError, match="negatives"):
        gazesal.auc(*given[:2], np.ones((3, 5)), area=mask)


@pytest.mark.parametrize(
    ("area", "kind"),
    [
        (np.zeros(SHAPE, bool), ValueError),
        (np.zeros(SHAPE), ValueError),
        (-np.ones(SHAPE), ValueError),
        (np.full(SHAPE, np.nan), ValueError),
        (np.ones(SHAPE[::-1], bool), ValueError),
        (np.ones(4), ValueError),
        ("mask.png", TypeError),
    ],
)
def test_an_invalid_area_is_an_error(area, kind):
    maps = example("ncc", SHAPE)
    with pytest.raises(kind, match="`area`"):
        gazesal.ncc(*maps, area=area)
    with pytest.raises(kind, match="`area`"):
        gazesal.score(maps[:1], maps[1:], metrics=["ncc"], area=area)


def test_a_map_that_is_no_density_on_the_area_is_an_error(mask):
    saliency, points = example("log_likelihood", SHAPE)
    with pytest.raises(ValueError, match="must be a density"):
        quiet(gazesal.log_likelihood, saliency * 1000, points, area=mask)


def test_a_map_that_is_constant_on_the_area_is_undefined(mask):
    gaze = np.random.default_rng(1).random(SHAPE)
    saliency = np.where(mask, 1.0, gaze)
    with pytest.warns(gazesal.UndefinedMetricWarning):
        assert math.isnan(gazesal.ncc(saliency, gaze, area=mask))
    assert gazesal.auc_borji(saliency, gaze, area=mask) == 0.5


def test_random_map_on_a_disc_is_above_chance_only_without_the_area():
    """The border of a disc-shaped field of view is low in the map and has no gaze."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:80j, -1:1:120j]
    disc = (1.5 * x) ** 2 + y**2 < 1
    saliency = np.where(disc, rng.random(disc.shape), 0)
    gaze = np.where(disc, np.exp(-(x**2 + y**2) / 0.1), 0)
    assert gazesal.auc_borji(saliency, gaze) > 0.7
    assert gazesal.auc_borji(saliency, gaze, area=disc) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", ["ncc", "nss", "information_gain"])
def test_area_is_documented(name):
    assert "\narea : array_like of bool or float" in getattr(gazesal, name).__doc__


def _scores(case, maps, area):
    """Return the scores of a case of the reference outputs on an area."""
    saliency, gaze, points = maps
    calls = {
        "spearman": lambda: gazesal.spearman(saliency, gaze, area=area),
        "ncc": lambda: gazesal.ncc(saliency, gaze, area=area),
        "auc_gaze_map": lambda: gazesal.auc_borji(saliency, gaze, area=area),
        "auc_gaze_as_density": lambda: gazesal.auc_borji(saliency, gaze, area=area),
        "auc_points_vs_all_pixels": lambda: gazesal.auc(saliency, points, area=area),
        "auc_points": lambda: gazesal.auc(saliency, points, area=area),
        "auc_fixated_vs_unfixated_pixels": lambda: gazesal.auc_judd(saliency, points, area=area),
        "nss": lambda: gazesal.nss(saliency, points, area=area),
        "sim": lambda: gazesal.sim(saliency, gaze, area=area),
    }
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key in calls.keys() & case.keys():
            if key == "sim" and saliency.min() < 0:
                continue
            found[key] = calls[key]()
    return found


def test_agrees_with_other_code_on_areas_and_weights(shared):
    folder = shared / "references"
    expected = json.loads((folder / "metrics.json").read_text())
    arrays = np.load(folder / "metrics.npz", allow_pickle=False)
    compared = 0
    for case in expected["cases"]:
        key, numbers = case["key"], case["numbers"]
        maps = arrays[f"{key}_saliency"], arrays[f"{key}_gaze"]
        points = np.column_stack([arrays[f"{key}_fix_x"], arrays[f"{key}_fix_y"]])
        areas = {name: arrays[f"{key}_{name}"] for name in numbers if name.startswith("valid_")}
        weights = case["weighted"] if "weighted" in case else numbers["weighted"]
        pairs = [(numbers[name], area) for name, area in areas.items()]
        pairs += [(weights[kind], arrays[f"{key}_weights_{kind}"]) for kind in weights]
        for wanted, area in pairs:
            column, row = np.floor(points + 0.5).astype(int).T
            dropped = not (area[row, column] > 0).all()
            for name, got in _scores(wanted, (*maps, points), area).items():
                if dropped and area.dtype != bool and name in {"nss", "auc_points"}:
                    continue  # the other code counts fixations on pixels of weight 0
                value = math.nan if wanted[name] is None else wanted[name]
                assert got == pytest.approx(value, rel=0, abs=1e-10, nan_ok=True), (key, name)
                compared += 1
    assert compared > 100
