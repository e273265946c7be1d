"""Maps in the frame of a network's input are resized to their images."""

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal import InputGeometry

SHAPES = {"wide": (30, 40), "tall": (48, 36)}
SIDE = 64


def on_image(shape):
    """Return a smooth map on an image."""
    y, x = np.mgrid[: shape[0], : shape[1]] / np.reshape(shape, (2, 1, 1))
    return 1 + x + 2 * y


def in_input(geometry):
    """Return the same map in the input of a network, sampled at its pixel centers."""
    top, left, height, width = geometry.content
    rows = ((np.arange(geometry.input_shape[0]) + 0.5 - top) / height).clip(0, 1)
    columns = ((np.arange(geometry.input_shape[1]) + 0.5 - left) / width).clip(0, 1)
    return 1 + columns[None] + 2 * rows[:, None]


@pytest.fixture
def fixations():
    rows = [(image, name, 5.0, 6.0, 1.0) for image in SHAPES for name in ("ann", "bob")]
    rows += [(image, "ann", 20.0, 11.0, 1.0) for image in SHAPES]
    return pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])


def cases_of(fixations, maps, rule):
    return gazesal.cases_from_tables(fixations, {"cam": maps}, SHAPES, input_geometry=rule)


@pytest.mark.parametrize("kind", ["letterboxed", "stretched"])
def test_frames_by_name_are_undone(fixations, kind):
    make = getattr(InputGeometry, kind)
    maps = {image: in_input(make(shape, (SIDE, SIDE))) for image, shape in SHAPES.items()}
    for rule in (kind, lambda shape: make(shape, (SIDE, SIDE))):
        for case in cases_of(fixations, maps, rule):
            found = case.load_map("cam")
            assert found.shape == case.shape
            y, x = np.mgrid[: case.shape[0], : case.shape[1]]
            expected = 1 + (x + 0.5) / case.shape[1] + 2 * (y + 0.5) / case.shape[0]
            inner = (slice(2, -2), slice(2, -2))
            np.testing.assert_allclose(found[inner], expected[inner], atol=0.02)


def test_small_maps_of_a_letterboxed_input_are_not_rounded_to_their_pixels(fixations):
    """A map of 7 x 7 has 5.25 rows of an image of 30 x 40."""
    grid = np.repeat(np.arange(7.0)[:, None], 7, axis=1)
    case = cases_of(fixations, dict.fromkeys(SHAPES, grid), "letterboxed")[1]
    assert case.image == "wide"
    found = case.load_map("cam")[:, 0]
    rows = 0.875 + (np.arange(30) + 0.5) * 5.25 / 30 - 0.5
    np.testing.assert_allclose(found, rows, atol=1e-12)


def test_crop_warns_and_repeats_the_edge(fixations):
    maps = dict.fromkeys(SHAPES, np.arange(9.0).reshape(3, 3))
    with pytest.warns(gazesal.InputWarning, match="`input_geometry` should cover .* crops 2 of 2"):
        cases = cases_of(fixations, maps, "center_cropped")
    wide = cases[1].load_map("cam")
    assert wide.shape == (30, 40)
    assert (wide[:, :5] == wide[:, :1]).all()
    with pytest.warns(gazesal.InputWarning, match=r"keeps 57% of their pixels"):
        cases_of(
            fixations,
            maps,
            lambda shape: InputGeometry.center_cropped(shape, (224, 224), shorter_side=256),
        )


def test_scores_equal_those_of_maps_resized_before(fixations, tmp_path):
    geometry = {
        image: InputGeometry.letterboxed(shape, (16, 16)) for image, shape in SHAPES.items()
    }
    rng = np.random.default_rng(0)
    maps = {image: rng.random((16, 16)) for image in SHAPES}
    for image, values in maps.items():
        np.save(tmp_path / f"{image}.npy", values)
    files = gazesal.open_maps(tmp_path)
    cases = cases_of(fixations, files, lambda shape: InputGeometry.letterboxed(shape, (16, 16)))
    before = {image: geometry[image].to_image(values) for image, values in maps.items()}
    options = {"sigma": 3.0, "resize": "bilinear", "metrics": ["ncc", "auc_borji"]}
    first = gazesal.evaluate(cases, **options)
    second = gazesal.evaluate(cases_of(fixations, before, None), **options)
    pd.testing.assert_frame_equal(first.scores, second.scores)
    first.save(tmp_path / "saved")
    again = gazesal.Evaluation.load(tmp_path / "saved")
    for one, other in zip(first.cases, again.cases, strict=True):
        np.testing.assert_array_equal(one.load_map("cam"), other.load_map("cam"))


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("padded", ValueError),
        (3, TypeError),
        (lambda shape: shape, TypeError),
        (lambda _: InputGeometry.stretched((5, 5), (4, 4)), ValueError),
    ],
)
def test_invalid_rules_raise(fixations, rule, error):
    with pytest.raises(error, match="`input_geometry` must"):
        cases_of(fixations, dict.fromkeys(SHAPES, np.eye(4)), rule)


def test_missing_maps_name_the_pattern(fixations, tmp_path):
    for image in SHAPES:
        np.save(tmp_path / f"{image}_cam.npy", np.eye(4))
    with pytest.raises(ValueError, match=r'pattern="\{image\}_cam" \(--pattern\)'):
        cases_of(fixations, gazesal.open_maps(tmp_path), None)
    maps = gazesal.open_maps(tmp_path, pattern="{image}_cam")
    assert len(cases_of(fixations, maps, None)) == 2
