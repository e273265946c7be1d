"""Real gaze of 15 observers on natural images at a quarter of their size, with three methods.

Two maps that ignore the image are scored beside them, for statements of the documentation.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gazesal

SHAPE = (150, 200)  # size of the maps; the images are 600 x 800
SIGMA = 6.0  # about one degree
DOCS = Path(__file__).resolve().parents[2] / "docs"
METHODS = ("fine_grained", "intensity_contrast", "spectral_residual")
BLIND = ("border", "Gaussian")  # the same map for all images
SHUFFLED = ["sncc", "sauc", "residual_ncc", "semipartial_ncc"]
METRICS = ("ncc", "auc_borji", *SHUFFLED)


@pytest.fixture(scope="module")
def osie(shared):
    """Evaluate the 100 images with maps. The center bias is over all 400."""
    folder = shared / "data" / "osie"
    fixations = gazesal.read_fixations(
        folder / "fixations.csv.gz", origin="one_based", columns={"duration": "duration_ms"}
    )
    fixations[["x", "y"]] = (fixations[["x", "y"]] + 0.5) / 4 - 0.5  # pixel centers at integers
    maps = dict(gazesal.find_maps(folder / "maps"))
    maps |= {name: dict.fromkeys(maps[METHODS[0]], blind_map(name)) for name in BLIND}
    cases = gazesal.cases_from_tables(fixations, maps, SHAPE, unmapped="gaze_only")
    return gazesal.evaluate(cases, sigma=SIGMA, metrics=METRICS, n_jobs=1)


def blind_map(name):
    """Return a map that ignores the image: high near the border, or in the center."""
    height, width = SHAPE
    y, x = np.mgrid[:height, :width]
    if name == "border":
        distance = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
        return np.exp(-distance / 20)
    return np.exp(
        -(((x - (width - 1) / 2) / (width / 4)) ** 2 + ((y - (height - 1) / 2) / (height / 4)) ** 2)
        / 2
    )


def image_means(evaluation, method, metric):
    """Return the mean score of each image."""
    scores = evaluation.scores
    cell = scores[(scores["method"] == method) & (scores["metric"] == metric)]
    return cell.groupby("image")["score"].mean()


def test_everything_was_scored(osie):
    assert osie.center_bias.n_maps == 400 * 15
    assert len(osie.scores) == 100 * 15 * 7 * 6
    assert osie.scores["score"].notna().all()


@pytest.mark.parametrize("metric", gazesal.STUDY_METRICS)
def test_interobserver_beats_every_method(osie, metric):
    ceiling = image_means(osie, "interobserver", metric)
    for method in METHODS:
        margin = gazesal.stats.confidence_interval(ceiling - image_means(osie, method, metric))
        assert margin.low > 0, (method, margin)


@pytest.mark.parametrize("metric", gazesal.STUDY_METRICS)
def test_methods_differ(osie, metric):
    means = [image_means(osie, method, metric) for method in METHODS]
    for i in range(3):
        for j in range(i):
            assert not np.allclose(means[i], means[j], atol=1e-3)
    best = gazesal.stats.confidence_interval(means[2] - means[0])
    assert best.low > 0  # spectral residual over fine grained, on the same images


def test_left_out_center_bias_has_sauc_at_chance(osie):
    sauc = gazesal.stats.confidence_interval(image_means(osie, "center_bias", "sauc"))
    assert sauc.low < 0.5 < sauc.high
    assert sauc.high - sauc.low < 0.06


def test_sncc_of_the_center_bias_is_its_ncc_minus_one(osie):
    """So a map without image-specific content does not have an sNCC of 0."""
    keys = ["image", "observer"]
    scores = osie.scores[osie.scores["method"] == "center_bias"].set_index([*keys, "metric"])
    wide = scores["score"].unstack("metric")
    np.testing.assert_allclose(wide["sncc"], wide["ncc"] - 1, atol=1e-12)
    assert wide["sncc"].mean() < -0.5


def test_left_out_center_bias_fits_its_image_no_better_than_another_image(osie):
    """The chance level of its sNCC is the score of the same map with another image's gaze."""
    images = osie.scores["image"].unique()
    maps = {image: osie.maps_of(image) for image in images[::2]}
    names = list(maps)
    gains = []
    for name, other in zip(names, np.roll(names, 1), strict=True):
        bias = maps[name]["center_bias"]
        own = gazesal.sncc(bias, maps[name]["ground_truth"], bias)
        strange = gazesal.sncc(bias, maps[other]["ground_truth"], bias)
        gains.append(own - strange)
    interval = gazesal.stats.confidence_interval(gains)
    assert interval.low < 0 < interval.high
    assert interval.high - interval.low < 0.2


def test_plain_metrics_reward_the_center_bias_and_shuffled_ones_do_not(osie):
    """This is the reason to use shuffled metrics."""
    plain = image_means(osie, "center_bias", "auc_borji").mean()
    assert plain > image_means(osie, "fine_grained", "auc_borji").mean()
    shuffled = image_means(osie, "center_bias", "sauc").mean()
    assert shuffled < image_means(osie, "fine_grained", "sauc").mean()


def test_scores_are_a_tidy_table(osie):
    expected = ["image", "observer", "method", "metric", "score"]
    assert list(osie.scores.columns) == expected
    assert not osie.scores.duplicated(expected[:4]).any()
    assert isinstance(osie.summary(n_resamples=100), pd.DataFrame)


def test_maps_that_ignore_the_image_score_as_documented(osie):
    means = osie.summary(interval="t").pivot(index="method", columns="metric", values="estimate")
    expected = {
        "interobserver": (0.466, 0.783, 0.642, 0.638),
        "spectral_residual": (0.181, 0.708, 0.296, 0.284),
        "center_bias": (-0.706, 0.498, -0.003, 0.0),
        "Gaussian": (-0.657, 0.507, 0.009, 0.012),
        "border": (0.595, 0.494, -0.005, -0.008),
    }
    text = (DOCS / "concepts" / "center_bias.md").read_text(encoding="utf-8")
    for method, scores in expected.items():
        assert means.loc[method].loc[SHUFFLED].tolist() == pytest.approx(scores, abs=5e-4)
        cells = "".join(f"| {score:.3f} " for score in scores) + "|"
        assert cells.replace("-", "\N{MINUS SIGN}") in text
