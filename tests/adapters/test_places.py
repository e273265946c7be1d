"""A bright spot in an image returns to its place from the input, for every preprocessing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn

from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.from_model import saliency_from_model
from gazesal.adapters.gradcam import grad_cam
from gazesal.cxr import preprocess
from gazesal.maps.input_geometry import InputGeometry, padded_content

SIDES = st.integers(1, 40)


class Picture(nn.Module):
    """The features, the map of the gate and the map of the class are the picture itself."""

    gate_layers = ("gate",)

    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(1, 1, 1, bias=False)
        self.gate = nn.Identity()
        self.head = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.features.weight)
        nn.init.ones_(self.head.weight)

    def forward(self, x):
        return self.head(self.gate(self.features(x)).mean((2, 3)))


@st.composite
def geometries(draw):
    """Return geometries: stretched, padded as in the study, padded or cropped in other ways."""
    shape, size = draw(st.tuples(SIDES, SIDES)), draw(st.tuples(SIDES, SIDES))
    kind = draw(st.sampled_from(["stretched", "study", "free"]))
    if kind == "stretched":
        return InputGeometry.stretched(shape, size)
    if kind == "study":
        size = (size[0], size[0])
        content = padded_content(shape, size)
    else:
        lengths = [draw(st.floats(1, 60)) for _ in range(2)]
        starts = [draw(st.floats(-n / 2, side - 1)) for n, side in zip(lengths, size, strict=True)]
        content = (*starts, *lengths)
    return InputGeometry(image_shape=shape, input_shape=size, content=content)


def in_input(geometry, pixel):
    """Return row and column in the input of the center of a pixel of the image."""
    starts, lengths = geometry.content[:2], geometry.content[2:]
    return [
        start + (place + 0.5) / n * length - 0.5
        for place, start, length, n in zip(
            pixel, starts, lengths, geometry.image_shape, strict=True
        )
    ]


def every_way(geometry, array):
    """Yield the map of a picture on the image from each function."""
    model, tensor = Picture().eval(), torch.from_numpy(array).float()[None]
    cam, gates = grad_cam(model, tensor, "features"), attention_maps(model, tensor)
    yield geometry.to_image(array)
    yield cam.on_image(geometry)[0].numpy()
    yield gates.on_image(geometry)[0].numpy()
    for method, layers in (("grad_cam", "features"), ("attention", None)):
        maps = saliency_from_model(
            model, {"a": tensor}, method, preprocess=lambda x: (x, geometry), layers=layers
        )
        yield maps["a"]()


@settings(deadline=None)
@given(geometry=geometries(), data=st.data())
def test_spot_returns_to_its_place(geometry, data):
    """The map decreases with the distance from the place of one pixel in the input."""
    pixel = [data.draw(st.integers(0, n - 1)) for n in geometry.image_shape]
    place = in_input(geometry, pixel)
    edges = [side - 1 for side in geometry.input_shape]
    clamped = [min(max(p, 0), edge) for p, edge in zip(place, edges, strict=True)]
    grid = np.indices(geometry.input_shape)
    far = sum((axis - p) ** 2 for axis, p in zip(grid, clamped, strict=True))
    array = np.exp(-far / (2 * 12**2))
    homes = [found / found.max() for found in every_way(geometry, array)]
    for found in homes:
        assert found.shape == geometry.image_shape
        # the brightest pixels are within one pixel of the input from the planted one
        best = np.argwhere(found >= 1 - 1e-6)
        for axis, edge in enumerate(edges):
            n, length = geometry.image_shape[axis], geometry.content[2 + axis]
            of_best = [in_input(geometry, [b, b])[axis] for b in best[:, axis]]
            moved = np.abs(np.clip(of_best, 0, edge) - clamped[axis]).min()
            assert moved <= 1 + length / n
    for other in homes[1:]:
        np.testing.assert_allclose(other, homes[0], rtol=0, atol=1e-5)


@settings(deadline=None)
@given(shape=st.tuples(st.integers(12, 70), st.integers(12, 70)), data=st.data())
def test_spot_returns_to_its_place_after_the_studys_preprocessing(shape, data):
    row, column = (data.draw(st.integers(0, n - 1)) for n in shape)
    picture = np.zeros(shape, np.uint8)
    picture[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = 255
    tensor, geometry = preprocess(picture, short_side=32, mean=[0.0], std=[1.0])
    for found in every_way(geometry, tensor[0].numpy().astype(float)):
        weights = np.where(found > 0.5 * found.max(), found, 0)
        where = [(weights * axis).sum() / weights.sum() for axis in np.indices(shape)]
        pixel = max(shape) / geometry.input_shape[0]  # of the input, in pixels of the image
        assert np.abs(np.subtract(where, (row, column))).max() <= 1 + pixel


def test_stretched_pictures_are_not_treated_as_padded():
    """A spot at (28, 56) of 224 x 224 is at (76, 201) of 600 x 800, not at (1, 201)."""
    geometry = InputGeometry.stretched((600, 800), (224, 224))
    array = np.zeros((224, 224))
    array[28, 56] = 1
    for found in every_way(geometry, array):
        where = [(found * axis).sum() / found.sum() for axis in np.indices(found.shape)]
        assert where == pytest.approx([28.5 * 600 / 224 - 0.5, 56.5 * 800 / 224 - 0.5], abs=0.1)


def test_study_inverse_raises_in_every_function():
    geometry = InputGeometry.stretched((6, 8), (4, 4))
    model, tensor = Picture().eval(), torch.ones(1, 4, 4)

    def maps(preprocess):
        images = {"a": tensor}
        return saliency_from_model(
            model, images, preprocess=preprocess, layers="features", inverse="study"
        )

    for call in (
        lambda: grad_cam(model, tensor, "features").on_image(geometry, inverse="study"),
        lambda: attention_maps(model, tensor).on_image(geometry, inverse="study"),
        maps(lambda x: (x, geometry))["a"],
        maps(lambda x: x)["a"],
    ):
        with pytest.raises(ValueError, match='`inverse="study"` must be used with'):
            call()
