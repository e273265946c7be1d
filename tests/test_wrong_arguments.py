"""Every public function refuses arguments of a wrong kind by an error that names the argument."""

import datetime as dt
import inspect
import pathlib
import warnings

import numpy as np
import pandas as pd
import pytest

import gazesal
from tests.public_api import public, public_objects

RNG = np.random.default_rng(0)
MAP, GAZE, BIAS = RNG.random((3, 8, 10))
DENSITY = BIAS / BIAS.sum()
POINTS, OTHERS = RNG.uniform(0, 7, (2, 5, 2))
BY_IMAGE = {"a": POINTS, "b": OTHERS}
TABLE = pd.DataFrame(
    [
        {
            "image": image,
            "method": method,
            "reader": reader,
            "score": RNG.random() + (method == "r"),
        }
        for image in "abcdef"
        for method, bonus in (("m", 0.0), ("q", 0.0), ("r", 1.0))
        for reader in "uvw"
    ]
)
DESIGN = gazesal.stats.Design(["image", "reader"])
FIXATIONS = pd.DataFrame(
    {"image": list("aabb"), "observer": list("uvuv"), "x": 1.0, "y": [1, 2, 3, 4], "duration": 1.0}
)
TIMED = FIXATIONS.assign(start=[0.0, 1.0, 2.0, 3.0])
WORDS = pd.DataFrame({"word": ["a", "mass", "."], "start": [0.0, 1.0, 2.0], "end": [0.5, 1.5, 2.1]})
OTHER_MAP = np.random.default_rng(9).random((8, 10))
CUBE = np.random.default_rng(8).normal(size=(8, 4, 5))
MAPS = {"m": {"a": MAP, "b": GAZE}, "q": {"a": GAZE, "b": MAP}}


CASES = gazesal.cases_from_tables(FIXATIONS, MAPS, (8, 10))
EVALUATION = gazesal.evaluate(CASES, sigma=2.0, metrics=["ncc"], n_jobs=1)
with warnings.catch_warnings():  # of few images, which do not matter here
    warnings.simplefilter("ignore", gazesal.IntervalWarning)
    SUMMARY = EVALUATION.summary()


def sound_calls():
    """Positional and keyword arguments of a sound call of each function, by its name."""
    on_maps = {"saliency_map": MAP, "gaze_map": GAZE}
    on_points = {"saliency_map": MAP, "fixations": POINTS}
    biased = {**on_maps, "center_bias": BIAS}
    shuffled = {**on_points, "other_fixations": OTHERS}
    dense = {"saliency_map": DENSITY, "fixations": POINTS}
    sampled = {"n_samples": 20, "rng": 0}
    on_region = {"saliency_map": MAP, "region": GAZE > 0.6}
    pooled = {"fixations": BY_IMAGE, "shapes": (8, 10), "weights": None, "outside": "raise"}
    fitting = {
        "maps": {"a": MAP, "b": GAZE},
        "fixations": BY_IMAGE,
        "center_bias": "images",
        "blurs": [0.0],
        "n_knots": 3,
        "penalty": 1.0,
        "groups": {"a": 1, "b": 2},
        "n_folds": 2,
        "max_pixels": 100,
        "outside": "raise",
    }
    compared = {"table": TABLE, "design": DESIGN, "confidence_level": 0.9}
    drawn = {"n_resamples": 60, "rng": 0}
    boxes = [[1, 1, 7, 6], [2, 1, 8, 7]]
    frame = gazesal.ReferenceFrame.from_boxes(boxes, [(8, 10)] * 2)
    registered = gazesal.RegisteredCenterBias(frame, [(MAP, boxes[0]), (GAZE, boxes[1])])
    parts = gazesal.stats.variance_components(TABLE[TABLE["method"] == "m"], DESIGN)
    one_method = TABLE[TABLE["method"] == "m"]
    sexes = one_method["image"].map(dict(zip("abcdef", "fffmmm", strict=True)))
    return {
        "ncc": on_maps,
        "spearman": on_maps,
        "sncc": biased,
        "residual_ncc": biased,
        "residual_nss": biased,
        "contributions": {
            "metric": "sauc",
            "saliency_map": MAP,
            "gaze": GAZE,
            "center_bias": BIAS,
        },
        "semipartial_ncc": biased,
        "maps_for_metric": {"density": GAZE, "metric": "sauc", "center_bias": BIAS},
        "auc_borji": {**on_maps, "tolerance": None, **sampled},
        "sauc": {**biased, "tolerance": None, **sampled},
        "auc": {**on_points, "negatives": "all", "outside": "raise"},
        "auc_judd": {**on_points, "outside": "raise"},
        "auc_shuffled": {**shuffled, "outside": "raise"},
        "nss": {**on_points, "outside": "raise"},
        "snss": {**shuffled, "outside": "raise"},
        "information_gain": {**dense, "baseline": DENSITY, "eps": 1e-9, "outside": "raise"},
        "log_likelihood": {**dense, "eps": 1e-9, "outside": "raise"},
        "sim": on_maps,
        "kl_divergence": {**on_maps, "eps": 1e-9},
        "emd": {**on_maps, "shrink": 4},
        "mit_nss": {**on_points, "outside": "raise"},
        "mit_ig": {**on_points, "baseline": BIAS, "outside": "raise"},
        "mit_sim": on_maps,
        "mit_kl": on_maps,
        "pysaliency_kl": {**on_maps, "minimum": 1e-9},
        "mit_auc_judd": {**on_points, "jitter": True, "rng": 0, "outside": "raise"},
        "pysaliency_auc_judd": {**on_points, "jitter": True, "rng": 0, "outside": "raise"},
        "mit_auc_borji": {**on_points, "n_splits": 3, "step": 0.1, "rng": 0, "outside": "raise"},
        "mit_auc_shuffled": {**shuffled, "n_splits": 3, "step": 0.1, "rng": 0, "outside": "raise"},
        "pointing_game": {**on_region, "tolerance": 2, "ties": "any"},
        "relevance_mass": {**on_region, "negative": "clip"},
        "relevance_rank": on_region,
        "top_k_intersection": {**on_region, "k": 10},
        "localization_auc": on_region,
        "average_precision": on_region,
        "iou": {**on_region, "threshold": 0.5},
        "Box": {"x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0},
        "Box.mask": {"self": gazesal.regions.Box(1, 2, 3, 4), "shape": (8, 10)},
        "Ellipse": {"x": 1.0, "y": 2.0, "radius_x": 3.0, "radius_y": 4.0},
        "Ellipse.between": {"x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0},
        "Ellipse.mask": {"self": gazesal.regions.Ellipse(1, 2, 3, 4), "shape": (8, 10)},
        "RunLengths": {"counts": [3, 5], "shape": (4, 2)},
        "RunLengths.mask": {
            "self": gazesal.regions.RunLengths([3, 5], (4, 2)),
            "shape": (4, 2),
        },
        "add_areas": {
            "cases": CASES,
            "areas": {case.image: np.ones(case.shape, bool) for case in CASES},
        },
        "add_regions": {
            "cases": CASES,
            "regions": {"a": {"lesion": gazesal.regions.Box(1, 2, 3, 4)}},
        },
        "gaze_in_regions": {
            "fixations": FIXATIONS.assign(start=0.0),
            "regions": {"a": {"lesion": gazesal.regions.Box(0, 0, 3, 4)}},
            "shape": (8, 10),
            "onset": 0.0,
            "outside": "raise",
        },
        "thresholds_from_others": {
            "saliency_maps": [MAP, GAZE],
            "regions": [GAZE > 0.6, MAP > 0.6],
            "metric": "dice",
            "candidates": [0.2, 0.5],
        },
        "Polygon": {"points": [(1, 2), (3, 4), (5, 1)]},
        "Polygon.mask": {
            "self": gazesal.regions.Polygon([(1, 2), (3, 4), (5, 1)]),
            "shape": (8, 10),
        },
        "dice": {**on_region, "top": 0.1},
        "to_density": {"saliency_map": MAP, "method": "sum", "minimum": 0.5, "temperature": 1.0},
        "score": {
            "saliency_maps": {"m": MAP},
            "gaze_maps": [GAZE],
            "center_bias": BIAS,
            "metrics": ["sncc", "sauc"],
            "pairs": [[True]],
            "tolerance": 0.1,
            "n_threads": 1,
        },
        "gaze_heatmap": {
            "fixations": POINTS,
            "shape": (8, 10),
            "sigma": 1.5,
            "weights": np.ones(5),
            "visible": [0, 0, 10, 8],
            "outside": "raise",
        },
        "fixations_from_map": {"fixation_map": np.eye(8), "threshold": 0.5},
        "one_vs_rest": {"maps": [MAP, GAZE]},
        "attainable": {
            "metric": "snss",
            "gaze_maps": [MAP, MAP + GAZE],
            "center_bias": BIAS,
            "fixations": [POINTS, OTHERS],
            "other_fixations": POINTS,
        },
        "gold_standard": {
            "fixations": [POINTS, OTHERS],
            "shape": (8, 10),
            "sigma": 1.5,
            "center_bias": BIAS,
            "shares": (0.7, 0.2, 0.1),
        },
        "GoldStandard.density": {
            "self": gazesal.stats.gold_standard([POINTS, OTHERS], (8, 10), 1.5),
            "observer": 1,
        },
        "observer_curve": {
            "metric": "snss",
            "gaze_maps": [MAP, MAP + GAZE],
            "center_bias": BIAS,
            "fixations": [POINTS, OTHERS],
            "other_fixations": POINTS,
            "n_subsets": 1,
            "rng": 0,
        },
        "observer_limit": {
            "sizes": [1, 2, 3, 4],
            "scores": RNG.random((5, 4)),
            "form": "power",
            "clusters": list("aabbc"),
            "confidence_level": 0.9,
        },
        "implied_ceiling": {"one_vs_rest": 0.6, "n_observers": 5},
        "split_half": {"gaze_maps": [MAP, MAP + GAZE], "n_splits": 2, "rng": 0},
        "spearman_brown": {"correlation": 0.5, "factor": 2.0},
        "pooled_corrected_ncc": {
            "images": [(MAP, [GAZE, GAZE + BIAS, MAP]), (BIAS, [MAP, GAZE + BIAS, GAZE])] * 3,
            "clusters": list("aabbcc"),
            "confidence_level": 0.9,
        },
        "ratio_interval": {
            "numerators": RNG.random(6),
            "denominators": 1 + RNG.random(6),
            "clusters": list("aabbcc"),
            "interval": "bootstrap",
            "confidence_level": 0.9,
            "n_resamples": 60,
            "rng": 0,
        },
        "noise_ceiling": {"gaze_maps": [MAP, MAP + GAZE], "standardize": False},
        "NoiseCeiling.attainable": {
            "self": gazesal.stats.noise_ceiling([MAP, MAP + GAZE]),
            "n_observers": 3,
        },
        "control_scores": {
            "metric": "sncc",
            "saliency_maps": [MAP, GAZE],
            "gaze": [GAZE, MAP],
            "center_bias": [BIAS, BIAS],
            "boxes": boxes,
        },
        "ControlScores.p_value": {
            "self": gazesal.stats.control_scores("ncc", [MAP] * 9, [GAZE] * 9),
            "n_resamples": 20,
            "rng": 0,
        },
        "corrected_ncc": {"saliency_map": MAP, "gaze_maps": [MAP, MAP + GAZE]},
        "resample": {"array": MAP, "shape": (4, 5), "method": "bilinear"},
        "sampled_auc_error": {**biased, "n_samples": 10, "n_negatives": 9},
        "samples_for_error": {**biased, "error": 0.01},
        "CenterBias": {"gaze_maps": [MAP, GAZE]},
        "CenterBias.on_image": {"self": gazesal.CenterBias([MAP, GAZE]), "shape": (8, 10)},
        "CenterBias.without": {"self": gazesal.CenterBias([MAP, GAZE]), "gaze_maps": [MAP]},
        "CenterBias.merged": {
            "self": gazesal.CenterBias([MAP]),
            "other": gazesal.CenterBias([GAZE]),
        },
        "GaussianCenterBias": {"sigma": (0.2, 0.2), "unit": "sides", "center": (0.5, 0.5)},
        "GaussianCenterBias.fit": {**pooled, "unit": "sides", "isotropic": True, "centered": True},
        "GaussianCenterBias.on_image": {
            "self": gazesal.GaussianCenterBias.clarke_tatler(),
            "shape": (8, 10),
        },
        "KdeCenterBias": {**pooled, "bandwidth": 0.1, "mixing": 0.1},
        "KdeCenterBias.fit": {**pooled, "bandwidths": [0.1, 0.2, 5.0], "mixings": [0.1, 0.2]},
        "KdeCenterBias.on_image": {
            "self": gazesal.KdeCenterBias(BY_IMAGE, (8, 10), bandwidth=0.1, mixing=0.1),
            "shape": (8, 10),
        },
        "partial_ncc": {**on_maps, "given": [BIAS, OTHER_MAP], "remove_from": "both"},
        "fit_density": {**fitting, "form": "linear", "scale": "none"},
        "FittedDensity.density": {
            "self": gazesal.fit_density(**fitting, form="linear"),
            "saliency_map": MAP,
            "center_bias": DENSITY,
            "held_out": "a",
        },
        "added_information": {
            **fitting,
            "given": {"other": {"a": GAZE, "b": MAP}},
            "interval": "t",
            "confidence_level": 0.9,
        },
        "contribution_difference": {
            "first": CUBE,
            "second": CUBE[::-1],
            "units": list("abcdefgh"),
            "threshold": 1.0,
            "n_permutations": 200,
            "rng": 0,
        },
        "ContributionDifference.significant": {
            "self": gazesal.stats.contribution_difference(CUBE, CUBE[::-1], rng=0),
            "alpha": 0.1,
        },
        "plot_contribution_difference": {
            "result": gazesal.stats.contribution_difference(CUBE, CUBE[::-1], rng=0),
            "picture": MAP,
            "alpha": 0.1,
        },
        "InputGeometry.stretched": {"image_shape": (8, 10), "input_shape": (4, 4)},
        "InputGeometry.letterboxed": {"image_shape": (8, 10), "input_shape": (4, 4)},
        "InputGeometry.center_cropped": {
            "image_shape": (8, 10),
            "input_shape": (4, 4),
            "shorter_side": 5,
        },
        "ReferenceFrame": {"box_size": (4, 5), "box_corner": (1, 1), "shape": (9, 9)},
        "ReferenceFrame.from_boxes": {"boxes": boxes, "shapes": [(8, 10)] * 2, "rounding": "none"},
        "ReferenceFrame.scale": {"self": frame, "box": boxes[0]},
        "RegisteredCenterBias": {"frame": frame, "gaze_maps": [(MAP, boxes[0]), (GAZE, boxes[1])]},
        "RegisteredCenterBias.on_image": {"self": registered, "shape": (8, 10), "box": boxes[0]},
        "RegisteredCenterBias.without": {"self": registered, "gaze_maps": [(MAP, boxes[0])]},
        "RegisteredCenterBias.merged": {"self": registered, "other": registered},
        "adjust_p_values": {"p_values": [0.1, 0.2], "method": "holm"},
        "confidence_interval": {
            "scores": RNG.random(12),
            "clusters": list("aabbccddeeff"),
            "interval": "t",
            "confidence_level": 0.9,
        },
        "interval": {"table": one_method, "design": DESIGN, "confidence_level": 0.9},
        "interval_table": {
            "table": TABLE,
            "design": DESIGN,
            "by": "method",
            "confidence_level": 0.9,
        },
        "compare": {**compared, "contrast": "method", "interval": "t", "adjust": "holm"},
        "compare_subgroups": {
            "table": one_method.assign(sex=sexes),
            "design": gazesal.stats.Design("image", averaged="reader"),
            "group": "sex",
            "confidence_level": 0.9,
            "n_resamples": 60,
            "rng": 0,
        },
        "normalized_score": {
            **compared,
            "method": "m",
            "floor": "q",
            "ceiling": "r",
            "contrast": "method",
            **drawn,
        },
        "variance_components": {"table": one_method, "design": DESIGN},
        "plan_study": {
            "parts": parts,
            "half_width": 0.5,
            "units": "image",
            "sizes": {"reader": [2, 3]},
            "confidence_level": 0.9,
            "most": 1000,
        },
        "cases_from_tables": {
            "fixations": FIXATIONS,
            "maps": MAPS,
            "shape": (8, 10),
            "input_geometry": "stretched",
        },
        "read_map": {"path": "map.npy"},
        "read_fixations": {
            "source": FIXATIONS,
            "origin": "pixel_center",
            "unit": "pixels",
            "sizes": (8, 10),
            "screen": gazesal.Screen(display=(10, 8)),
        },
        "fixations_from_screen": {
            "points": POINTS,
            "shape": (8, 10),
            "screen": gazesal.Screen(display=(10, 8)),
        },
        "fixations_between": {"fixations": TIMED, "start": 0.0, "end": 1.0},
        "find_mentions": {"words": WORDS, "terms": {"a": ["no"]}, "negations": ("not",)},
        "gaze_when_named": {
            "fixations": TIMED,
            "words": WORDS,
            "mentions": {"a": ["mass"]},
            "window": "sentence",
            "before": 1.0,
        },
        "Screen": {"display": (10, 8), "placement": "center", "scale": 2.0},
        "Screen.edges": {"self": gazesal.Screen(display=(10, 8)), "shape": (8, 10)},
        "read_egd_fixations": {"path": "table.csv", "origin": "pixel_center"},
        "read_sizes": {"path": "sizes.csv"},
        "read_regions": {"path": "masks"},
        "find_maps": {"folder": "maps"},
        "open_maps": {"source": "maps.npz"},
        "open_salicon_results": {"path": "results.json"},
        "evaluate": {
            "cases": CASES,
            "sigma": 2.0,
            "metrics": ["ncc"],
            "n_jobs": 1,
            "outside": "raise",
        },
        "audit": {"cases": CASES, "maps": MAPS, "duration_unit": "ms", "seed": 0, "n_jobs": 1},
        "extreme_images": {"evaluation": EVALUATION, "method": "m", "metric": "ncc", "n": 1},
        "summary_text": {"summary": SUMMARY},
        "summary_markdown": {"summary": SUMMARY},
        "summary_latex": {"summary": SUMMARY, "digits": 3, "observers": "m", "floors": ()},
        "summary_html": {"summary": SUMMARY, "digits": 3, "observers": "m", "floors": ()},
        "write_report": {"evaluation": EVALUATION, "folder": "out", "summary": SUMMARY},
        "write_html_report": {
            "evaluation": EVALUATION,
            "path": "out.html",
            "summary": SUMMARY,
            "metric": "ncc",
            "n_extremes": 0,
        },
        "plot_evaluation": {"evaluation": EVALUATION, "summary": SUMMARY, "picture": MAP},
        "plot_extremes": {"evaluation": EVALUATION, "method": "m", "metric": "ncc", "n": 1},
        "plot_intervals": {"summary": SUMMARY},
        "plot_contributions": {"contribution_map": MAP, "picture": GAZE},
        "plot_distributions": {"scores": EVALUATION.scores},
        "plot_pairs": {
            "table": TABLE,
            "design": gazesal.stats.Design("image", averaged="reader"),
            "method": "m",
            "reference": "q",
            "contrast": "method",
        },
        "Reflacx": {"root": "reflacx"},
        "MimicCxrJpg": {"root": "mimic"},
    }


CALLS = sound_calls()
READ = ("read_", "find_maps", "open_maps", "open_salicon_results", "Reflacx", "MimicCxrJpg")
IN_FILES = ("write_", *READ)
# Kinds that are sound for some arguments, and only do not fit the others of the call, which the
# error may then name. A name of a column that the table lacks is one.
UNFIT = {"text", "empty text", "list of text", "pair of text", "dict of text", "mapping of None"}
UNFIT |= {"dict", "empty list", "empty array", "frame", "frame of nothing"}
UNFIT |= {"bool points", "huge pair"}
ARGUMENTS = [
    (name, argument) for name, call in CALLS.items() for argument in call if argument != "self"
]
# Kinds of values, each of which is wrong for most arguments.
WRONG = {
    "None": lambda: None,
    "text": lambda: "no such thing",
    "empty text": lambda: "",
    "path": lambda: pathlib.Path("no") / "such" / "file.npy",
    "bytes": lambda: b"\x00\xff",
    "object": object,
    "function": lambda: np.mean,
    "class": lambda: dict,
    "dict": dict,
    "dict of text": lambda: {"a": "b"},
    "set": lambda: {1, 2},
    "generator": lambda: (each for each in [1, "a", None]),
    "empty list": list,
    "list of text": lambda: ["a", "b"],
    "list of None": lambda: [None, None],
    "ragged": lambda: [[1.0, 2.0], [3.0]],
    "0-d": lambda: np.array(3.0),
    "3-d": lambda: np.ones((2, 3, 4)),
    "empty array": lambda: np.empty((0, 0)),
    "complex": lambda: 1j,
    "complex array": lambda: np.ones((8, 10), complex),
    "bool": lambda: True,
    "bool points": lambda: np.ones((5, 2), bool),
    "date": lambda: dt.date(2020, 1, 2),
    "dates": lambda: np.zeros((8, 10), "datetime64[s]"),
    "durations": lambda: np.ones((5, 2), "timedelta64[s]"),
    "masked": lambda: np.ma.masked_array(np.ones((5, 2)), np.eye(5, 2, dtype=bool)),
    "nan": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "nan array": lambda: np.full((8, 10), np.nan),
    "negative": lambda: -1,
    "negative array": lambda: -np.ones((8, 10)),
    "zero": lambda: 0,
    "fraction": lambda: 0.5,
    "10**12": lambda: 10**12,
    "10**400": lambda: 10**400,
    "2**40": lambda: 2**40,
    "objects": lambda: np.array([[object(), 1], [2, 3]], object),
    "matrix": lambda: np.asmatrix(np.ones((8, 10))) * np.nan,
    "frame": lambda: pd.DataFrame({"no": ["such"], "columns": [None]}),
    "frame of nothing": pd.DataFrame,
    "series of dates": lambda: pd.Series(pd.to_datetime(["2020-01-02"])),
    "mapping of None": lambda: {"a": None, "b": None},
    "pair of text": lambda: ("a", "b"),
    "huge pair": lambda: (10**9, 10**9),
    "pair of nan": lambda: (float("nan"), float("nan")),
}


def call(name, argument, make):
    """Call a function with one argument made for this call. Warnings do not matter here."""
    given = dict(CALLS[name])
    function = public(name)
    own = given.pop("self", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given[argument] = make()
        return function(own, **given) if own is not None else function(**given)


def is_named(name, argument, kind, message):
    """Return whether an error names the argument, or the path that was given for it."""
    if name.startswith(IN_FILES) and kind in {"text", "empty text", "path"}:
        return True
    names = {argument, *(CALLS[name] if kind in UNFIT else ())}
    if kind in UNFIT and "design" in CALLS[name]:
        names.add("averaged")
    return any(f"`{each}" in message for each in names)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_the_error_names_the_argument(name, argument, tmp_path, monkeypatch):
    """Or the value is of use, and there is no error."""
    monkeypatch.chdir(tmp_path)
    unnamed = {}
    for kind, make in WRONG.items():
        try:
            call(name, argument, make)
        except (TypeError, ValueError, OSError) as error:
            if not is_named(name, argument, kind, str(error)):
                unnamed[kind] = repr(error)[:200]
        except Exception as error:  # noqa: BLE001  (every other kind is wrong)
            unnamed[kind] = repr(error)[:200]
    assert unnamed == {}


@pytest.mark.parametrize("name", CALLS)
def test_the_valid_call_is_accepted(name, tmp_path, monkeypatch):
    """Else the errors above would be of another argument."""
    monkeypatch.chdir(tmp_path)
    if name.startswith(READ):
        return
    argument, value = next((a, v) for a, v in CALLS[name].items() if a != "self")
    call(name, argument, lambda: value)


def test_every_public_function_of_arguments_is_called():
    apart = ("gazesal.adapters", "gazesal.cxr", "gazesal.cite")  # tested in their folders
    names = {
        name.rpartition(".")[2]
        for name, thing in public_objects()
        if inspect.isfunction(thing) and not name.startswith(apart)
    }
    functions = names - set(CALLS)
    assert functions == LATER


# Their arguments are files and folders, which the tests of their modules damage, or results.
LATER = {
    "cases_from_manifest",
    "cases_from_reflacx",
    "plot_differences",
    "write_synthetic_reflacx",
}
