"""Resizing of maps from the model's input to the image, for computed examples and ramps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal.maps.input_geometry import InputGeometry, padded_content

SIDES = st.integers(1, 12)


@given(
    shape=st.tuples(SIDES, SIDES), top=st.integers(-3, 3), left=st.integers(0, 3), data=st.data()
)
def test_exact_inverse_returns_every_pixel_to_its_place(shape, top, left, data):
    """A map of the rows of the input must become a map of positions of the image's rows."""
    zoom = data.draw(st.sampled_from([0.5, 1, 2, 3]))
    content = (top, left, shape[0] * zoom, shape[1] * zoom)
    geometry = InputGeometry(image_shape=shape, input_shape=(40, 42), content=content)
    rows, columns = geometry.places()
    grid = np.mgrid[:40, :42].astype(float)
    for axis, places in ((0, rows), (1, columns)):
        on_image = geometry.to_image(grid[axis])
        expected = np.expand_dims(places.clip(0, grid[axis].max()), 1 - axis)
        np.testing.assert_allclose(on_image, np.broadcast_to(expected, shape), atol=1e-12)
    assert rows[0] == top + zoom / 2 - 0.5
    np.testing.assert_allclose(np.diff(rows), zoom)


@given(shape=st.tuples(SIDES, SIDES), side=st.integers(1, 9), seed=st.integers(0, 99))
def test_study_inverse_is_resize_then_crop(shape, side, seed):
    values = np.random.default_rng(seed).random((side, side))
    content = padded_content(shape, (16, 16))
    geometry = InputGeometry(image_shape=shape, input_shape=(16, 16), content=content)
    square = gazesal.resample(values, (max(shape), max(shape)))
    top, left = ((max(shape) - n) // 2 for n in shape)
    expected = square[top : top + shape[0], left : left + shape[1]]
    np.testing.assert_allclose(geometry.to_image(values, "study"), expected, atol=1e-12)


def test_a_stretched_image_is_resampled():
    values = np.random.default_rng(0).random((3, 5))
    geometry = InputGeometry.stretched((7, 8), (30, 50))
    np.testing.assert_allclose(
        geometry.to_image(values), gazesal.resample(values, (7, 8)), atol=1e-12
    )


def test_one_row_maps_back_to_the_image():
    geometry = InputGeometry(image_shape=(1, 4), input_shape=(4, 4), content=(1, 0, 1, 4))
    for inverse in ("exact", "study"):
        on_image = geometry.to_image(np.arange(16).reshape(4, 4), inverse)
        assert on_image.tolist() == [[4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"image_shape": (0, 4)}, ValueError, "`image_shape` must be at least"),
        ({"input_shape": (4.5, 4)}, TypeError, "`input_shape` must be two integers"),
        ({"content": (0, 0, 0, 4)}, ValueError, "`content` must have a positive height"),
        ({"content": (0, np.nan, 1, 4)}, ValueError, "`content` must be four finite"),
        ({"content": (0, 1, 4)}, ValueError, "`content` must be four finite"),
    ],
)
def test_invalid_geometry_raises(options, error, message):
    good = {"image_shape": (4, 4), "input_shape": (4, 4), "content": (0, 0, 4, 4)}
    with pytest.raises(error, match=message):
        InputGeometry(**{**good, **options})


def test_invalid_arguments_of_geometry_raise():
    geometry = InputGeometry.stretched((4, 4), (4, 5))
    with pytest.raises(ValueError, match="`inverse` must be one of 'exact', 'study'"):
        geometry.to_image(np.zeros((2, 2)), "other")
    with pytest.raises(ValueError, match="`array` must be finite"):
        geometry.to_image(np.full((2, 2), np.nan))


@pytest.mark.parametrize(
    ("image_shape", "input_shape", "content"),
    [
        ((600, 800), (224, 224), (0, 0, 224, 224)),  # stretched
        ((600, 800), (224, 224), (0, -37, 224, 299)),  # center crop
        ((600, 800), (224, 224), (0, 0, 168, 224)),  # padded below only
        ((600, 800), (168, 224), (0, 0, 168, 224)),  # not square
        ((600, 800), (224, 224), (28.5, 0, 168, 224)),
    ],
)
def test_study_inverse_raises_unless_padded_as_in_the_study(image_shape, input_shape, content):
    geometry = InputGeometry(image_shape=image_shape, input_shape=input_shape, content=content)
    for use in (geometry.places, lambda inverse: geometry.to_image(np.ones((2, 2)), inverse)):
        with pytest.raises(ValueError, match=r'`inverse="study"` must be .* Use inverse="exact"'):
            use("study")
    assert geometry.to_image(np.ones((2, 2))).shape == image_shape


def test_study_inverse_of_a_square_image_equals_the_exact_one():
    geometry = InputGeometry.stretched((9, 9), (16, 16))
    for study, exact in zip(geometry.places("study"), geometry.places(), strict=True):
        np.testing.assert_allclose(study, exact, atol=1e-12)


def test_letterbox_keeps_the_aspect_and_centers_the_image():
    geometry = InputGeometry.letterboxed((480, 640), (224, 224))
    assert geometry.content == (28, 0, 168, 224)
    assert InputGeometry.letterboxed((640, 480), (224, 224)).content == (0, 28, 224, 168)
    # an odd pixel of padding is below; inputs need not be square
    assert InputGeometry.letterboxed((3, 4), (6, 4)).content == (1, 0, 3, 4)
    assert geometry.covered == 1


def test_center_crop_is_that_of_torchvision():
    # Resize(256) and CenterCrop(224): (256, 341), then rows 16 to 239 and columns 58 to 281
    geometry = InputGeometry.center_cropped((480, 640), (224, 224), shorter_side=256)
    assert geometry.content == (-16, -58, 256, 341)
    assert geometry.covered == pytest.approx(224 / 256 * 224 / 341)
    # without a margin, the shorter side of the image fills the input
    assert InputGeometry.center_cropped((480, 640), (224, 224)).content == (0, -37, 224, 298)
    # a crop larger than the resized image is padded
    assert InputGeometry.center_cropped((4, 4), (7, 7), shorter_side=4).content == (1, 1, 4, 4)


@given(shape=st.tuples(SIDES, SIDES), size=st.tuples(SIDES, SIDES), side=st.none() | SIDES)
def test_usual_geometries_hold_the_whole_image_or_fill_the_input(shape, size, side):
    for geometry in (
        InputGeometry.letterboxed(shape, size),
        InputGeometry.stretched(shape, size),
    ):
        top, left, height, width = geometry.content
        assert top >= 0 <= left
        assert top + height <= size[0]
        assert left + width <= size[1]
        assert geometry.covered == 1
    crop = InputGeometry.center_cropped(shape, size, shorter_side=side)
    assert 0 <= crop.covered <= 1
    if side is None:
        top, left, height, width = crop.content
        assert top <= 0 >= left
        assert top + height >= size[0]
        assert left + width >= size[1]


def test_pixels_beside_a_crop_have_the_value_of_the_nearest_edge():
    geometry = InputGeometry.center_cropped((1, 6), (1, 2))
    assert geometry.to_image([[3.0, 5.0]]).tolist() == [[3, 3, 3, 5, 5, 5]]
