"""Maps of other libraries, or of fakes with their interface if they are not installed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gazesal.adapters.gradcam import grad_cam
from gazesal.adapters.other_cams import (
    NormalizedMapWarning,
    XrvLogits,
    maps_from_captum,
    maps_from_grad_cam_package,
    maps_from_torch_cam,
)
from tests.adapters import fakes, networks

CLASSES = [3, 0]


def real(module, attribute):
    """Return a class of a library, and skip the test if it is not installed."""
    found = pytest.importorskip(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


@pytest.fixture(params=["fake", "real"])
def kind(request):
    return request.param


def case():
    return networks.make(networks.Fully), networks.batch()


def test_captum_gives_our_maps():
    layer_grad_cam = pytest.importorskip("captum.attr").LayerGradCam
    model, images = case()
    maps = maps_from_captum(layer_grad_cam(model, model.features), images, CLASSES)
    ours = grad_cam(model, images, "features", classes=CLASSES).maps * 4  # the number of channels
    np.testing.assert_allclose(maps, ours, rtol=0, atol=1e-6 * float(ours.max()))


def test_torch_cam_gives_our_maps(kind):
    model, images = case()
    make = real("torchcam.methods", "GradCAM") if kind == "real" else fakes.TorchCamGradCAM
    (maps,) = maps_from_torch_cam(make(model, target_layer="features"), images, CLASSES)
    ours = grad_cam(model, images, "features", classes=CLASSES, order="textbook").stacks[0].clamp(0)
    np.testing.assert_allclose(maps, ours, rtol=0, atol=1e-6 * float(ours.max()))


def test_grad_cam_package_gives_our_maps_rescaled(kind):
    """The package returns only rescaled maps, in the textbook's order of steps."""
    cam_of = real("pytorch_grad_cam", "GradCAM") if kind == "real" else fakes.GradCAM
    model, images = case()
    cam = cam_of(model=model, target_layers=[model.features])
    with pytest.warns(NormalizedMapWarning, match="grad-cam rescales each map"):
        maps = maps_from_grad_cam_package(cam, images, CLASSES)
    ours = grad_cam(model, images, "features", classes=CLASSES, order="textbook").maps
    low, high = ours.amin(dim=(2, 3), keepdim=True), ours.amax(dim=(2, 3), keepdim=True)
    expected = (ours - low) / (high - low + 1e-30)
    np.testing.assert_allclose(maps, expected, rtol=0, atol=2e-5)


def test_rescaled_maps_cannot_be_mixed():
    """Two classes with very different evidence become equally bright."""
    model, images = case()
    with torch.no_grad():
        model.head.weight[3] = model.head.weight[
            3
        ].abs()  # features are non-negative, so both have evidence
        model.head.weight[0] = 0.05 * model.head.weight[3]
    with pytest.warns(NormalizedMapWarning):
        maps = maps_from_grad_cam_package(fakes.GradCAM(model, [model.features]), images, [0, 3])
    bright = maps.amax(dim=(2, 3))
    ours = grad_cam(model, images, "features", classes=[0, 3]).maps.amax(dim=(2, 3))
    np.testing.assert_allclose(ours[:, 0], 0.05 * ours[:, 1], rtol=1e-5)
    np.testing.assert_allclose(bright, 1.0, atol=0.01)


def test_torchxrayvision_gives_maps_of_its_logits(kind):
    torch.manual_seed(0)
    if kind == "real":
        model = real("torchxrayvision", "models.DenseNet")(weights=None, num_classes=4)
        model.op_threshs = torch.tensor([0.1, 0.2, 0.3, 0.4])
        images = networks.batch(1, (224, 224), channels=1) * 300
    else:
        model, images = fakes.XrvDenseNet(), networks.batch(channels=1)
    model.eval()
    with torch.no_grad():
        scores = model(images)
        logits = XrvLogits(model)(images)
        again = model(images)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert torch.equal(scores, again)  # it still calibrates when it is called itself
    below = torch.sigmoid(logits) < model.op_threshs
    calibrated = torch.where(
        below,
        torch.sigmoid(logits) / (2 * model.op_threshs),
        1 - (1 - torch.sigmoid(logits)) / (2 * (1 - model.op_threshs)),
    )
    np.testing.assert_allclose(calibrated, scores, atol=1e-6)
    result = grad_cam(XrvLogits(model), images)
    assert result.layers == ("model.features",)
    np.testing.assert_allclose(result.logits, logits, rtol=1e-5, atol=1e-6)


def test_torchxrayvision_is_restored_after_an_error():
    model = fakes.XrvDenseNet().eval()
    with pytest.raises(RuntimeError):
        XrvLogits(model)(torch.zeros(1, 3, 8, 8))
    assert model.op_threshs is not None


@pytest.mark.parametrize(
    ("images", "classes", "error", "message"),
    [
        (torch.zeros(3, 8, 8), [0], ValueError, "`images` must be a non-empty tensor"),
        (torch.zeros(1, 3, 8, 8), [], ValueError, "`classes` must have at least one"),
        (torch.zeros(1, 3, 8, 8), [0.5], TypeError, r"`classes\[0\]` must be an integer"),
    ],
)
@pytest.mark.parametrize(
    "adapter", [maps_from_captum, maps_from_torch_cam, maps_from_grad_cam_package]
)
def test_invalid_input_raises(adapter, images, classes, error, message):
    with pytest.raises(error, match=message):
        adapter(None, images, classes)
