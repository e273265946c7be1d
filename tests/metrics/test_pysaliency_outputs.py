"""pysaliency's numbers on fixations of natural images, each by the function that claims it."""

import json
import math
import warnings

import numpy as np
import pytest

import gazesal

MAPS = ["half", "grad", "center", "sparse", "quant8", "const"]
EVERY = pytest.mark.parametrize("name", MAPS)
SAME = {"rel": 1e-9, "abs": 1e-12}
MINIMUM = 1e-3  # added to every map before it became a density there


@pytest.fixture(scope="module")
def expected(shared):
    path = shared / "oracles" / "metrics" / "pysaliency.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def inputs(shared):
    with np.load(shared / "oracles" / "metrics" / "mit_inputs.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


class Image:
    """Arguments of one image."""

    def __init__(self, inputs, image, name, all_images):
        def part(which, of=image):
            return inputs[f"i{of}_{which}"]

        self.saliency, self.gaze = part(f"sal_{name}"), part("gt")
        self.points = np.column_stack([part("fix_x"), part("fix_y")])
        height, width = self.saliency.shape
        self.others = np.concatenate(
            [
                np.column_stack(
                    [
                        np.trunc(part("fix_x", of) * (width / part("gt", of).shape[1])),
                        np.trunc(part("fix_y", of) * (height / part("gt", of).shape[0])),
                    ]
                )
                for of in all_images
                if of != image
            ]
        )
        self.baseline = part("baseline")

    def density(self, which):
        return gazesal.to_density(getattr(self, which), "sum", minimum=MINIMUM)


CLAIMED = {
    "NSS": lambda i: gazesal.nss(i.saliency, i.points),
    "CC": lambda i: gazesal.ncc(i.saliency, i.gaze),
    "SIM": lambda i: gazesal.sim(i.saliency, i.gaze),
    "KLdiv_default": lambda i: gazesal.compat.pysaliency_kl(i.saliency, i.gaze),
    "KLdiv_MIT": lambda i: gazesal.kl_divergence(i.saliency, i.gaze, eps=2.2204e-16),
    "AUC_uniform": lambda i: gazesal.auc(i.saliency, i.points),
    "AUC_unfixated": lambda i: gazesal.auc(i.saliency, i.points, "unfixated"),
    "AUC_shuffled": lambda i: gazesal.auc_shuffled(i.saliency, i.points, i.others),
    "AUC_judd_thresholds_fixations_unfixated_nojitter": lambda i: (
        gazesal.compat.pysaliency_auc_judd(i.saliency, i.points, jitter=False)
    ),
    "IG_vs_baseline_bits": lambda i: gazesal.information_gain(
        i.density("saliency"), i.points, i.density("baseline")
    ),
    "IG_vs_uniform_bits": lambda i: gazesal.log_likelihood(i.density("saliency"), i.points),
    # the same without a baseline, in nats
    "log_likelihood_nats": lambda i: (
        gazesal.log_likelihood(i.density("saliency"), i.points) * math.log(2)
        - math.log(i.saliency.size)
    ),
}
AVERAGES = {
    "NSS_model_average_image": "NSS",
    "NSS_model_average_fixation": "NSS",
    "AUC_uniform_average_image": "AUC_uniform",
    "AUC_uniform_average_fixation": "AUC_uniform",
    "AUC_unfixated_average_image": "AUC_unfixated",
    "AUC_unfixated_average_fixation": "AUC_unfixated",
    "AUC_shuffled_average_image": "AUC_shuffled",
    "AUC_shuffled_average_fixation": "AUC_shuffled",
    "IG_vs_baseline_bits_average_fixation": "IG_vs_baseline_bits",
}
RANDOM = "AUC_judd_jitter_seed42_average_image"
UNDEFINED = {"NSS", "CC"}  # of a constant map, where pysaliency has 0


def images(inputs, expected, name):
    return [Image(inputs, each, name, expected["images"]) for each in expected["images"]]


def scores(key, every_image):
    """One score an image; those that are undefined must say so."""
    found = []
    for image in every_image:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found.append(CLAIMED[key](image))
        kinds = [each.category for each in caught]
        assert kinds == [gazesal.UndefinedMetricWarning] * math.isnan(found[-1])
    return np.array(found)


@EVERY
def test_every_number_is_claimed(name, expected):
    assert set(expected["results"][name]) == {*CLAIMED, *AVERAGES, RANDOM}
    assert set(expected["results"]) == set(MAPS)


@EVERY
@pytest.mark.parametrize("key", CLAIMED)
def test_scores_of_each_image_equal_pysaliency(name, key, inputs, expected):
    got = scores(key, images(inputs, expected, name))
    want = np.array(expected["results"][name][key])
    if name == "const" and key in UNDEFINED:
        assert np.isnan(got).all()
        assert not want.any()
    else:
        assert got == pytest.approx(want, **SAME)


@EVERY
@pytest.mark.parametrize("key", AVERAGES)
def test_averages_equal_pysaliency(name, key, inputs, expected):
    """Per image or per fixation: two numbers from the same scores."""
    every_image = images(inputs, expected, name)
    got = scores(AVERAGES[key], every_image)
    if np.isnan(got).any():
        assert name == "const"
        assert expected["results"][name][key] == 0
        return
    weights = [len(image.points) for image in every_image] if key.endswith("fixation") else None
    average = np.average(got, weights=weights)
    assert average == pytest.approx(expected["results"][name][key], **SAME)


@EVERY
def test_one_draw_of_jitter(name, inputs, expected):
    """A mean over five images of one draw each, within four standard deviations of ours."""
    every_image = images(inputs, expected, name)
    draws = [
        np.mean(
            [
                gazesal.compat.pysaliency_auc_judd(i.saliency, i.points, rng=seed)
                for i in every_image
            ]
        )
        for seed in range(30)
    ]
    error = np.std(draws, ddof=1) * math.sqrt(1 + 1 / len(draws))
    assert abs(expected["results"][name][RANDOM] - np.mean(draws)) <= 4 * error + 1e-9
