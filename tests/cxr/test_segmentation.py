"""Tests of lung masks by a segmenter, and by torchxrayvision's network."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gazesal.cxr import XrvLungs, segment_lungs

torch = pytest.importorskip("torch")


class Network(torch.nn.Module):
    """Network with torchxrayvision's interface, which finds lungs in dark regions."""

    targets = ("Heart", "Left Lung", "Spine", "Right Lung")

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(images)
        logits = torch.full((1, 4, 512, 512), 9.0)  # heart and spine everywhere
        dark = torch.where(images[:, 0] < -500, 6.0, -6.0)
        logits[:, 1] = torch.where(torch.arange(512) < 256, dark, -6.0)
        logits[:, 3] = torch.where(torch.arange(512) >= 256, dark, -6.0)
        return logits


def chest(shape=(150, 200)):
    """Make a gray image with two dark lungs."""
    pixels = np.full(shape, 200, np.uint8)
    pixels[40:110, 30:80] = pixels[40:110, 120:170] = 10
    return pixels


@pytest.mark.parametrize("turned", [False, True])
def test_mask_is_aligned_with_the_image(turned):
    pixels = chest().T.copy() if turned else chest()
    network = Network()
    lung = XrvLungs(network)(pixels)
    assert lung.shape == pixels.shape
    assert lung.dtype == np.float32
    wrong = (lung > 0.5) != (pixels < 100)
    assert wrong.mean() < 0.02  # differences at the borders
    (seen,) = network.seen
    assert tuple(seen.shape) == (1, 1, 512, 512)
    assert seen.min() == -1024  # black padding
    assert seen[0, 0, 256, 256].item() == pytest.approx((2 * 200 / 255 - 1) * 1024, abs=0.01)


def test_default_is_the_network_of_torchxrayvision(monkeypatch):
    library, models = ModuleType("torchxrayvision"), ModuleType("torchxrayvision.baseline_models")
    models.chestx_det = SimpleNamespace(PSPNet=Network)
    monkeypatch.setitem(sys.modules, "torchxrayvision", library)
    monkeypatch.setitem(sys.modules, "torchxrayvision.baseline_models", models)
    assert isinstance(XrvLungs().model, Network)
    monkeypatch.setitem(sys.modules, "torchxrayvision.baseline_models", None)
    with pytest.raises(ImportError, match="pip install torchxrayvision"):
        XrvLungs()


def test_fingerprint_depends_on_class_and_weights():
    def made(bias):
        network = Network()
        network.bias = torch.nn.Parameter(torch.tensor(bias))
        return XrvLungs(network).fingerprint

    assert made(0.0) == made(0.0) != made(1.0)
    assert XrvLungs(Network()).fingerprint != made(0.0)


def test_existing_pictures_are_kept(tmp_path):
    asked = []

    def segmenter(pixels):
        asked.append(pixels.shape)
        return (pixels < 100) * 0.6

    images = {"a": chest(), "b": chest((160, 210))}
    folder = segment_lungs(images, tmp_path / "masks", segmenter)
    assert asked == [(150, 200), (160, 210)]
    written = np.asarray(Image.open(folder / "a.png"))
    assert sorted(set(written.ravel().tolist())) == [0, 153]
    assert (written > 0).sum() == (chest() < 100).sum()
    segment_lungs(images, tmp_path / "masks", segmenter)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("segmenter", "message"),
    [
        (
            lambda pixels: pixels[:9] / 255.0,
            r"shape \(150, 200\) for image a, got shape \(9, 200\)",
        ),
        (lambda pixels: pixels / 100.0, r"in \[0, 1\]"),
        (lambda pixels: np.full(pixels.shape, np.nan), "lung probability of image a"),
    ],
)
def test_invalid_output_of_a_segmenter_raises(segmenter, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        segment_lungs({"a": chest()}, tmp_path, segmenter)
    assert not list(tmp_path.iterdir())


def test_color_images_raise(tmp_path):
    pixels = np.stack([chest(), chest() // 2, chest()], axis=2)
    with pytest.raises(ValueError, match="`images` must be gray, but image a"):
        segment_lungs({"a": pixels}, tmp_path, lambda values: values / 255)
