"""Test that autocast around a call does not change maps, because it is switched off inside."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.from_model import saliency_from_model
from gazesal.adapters.gradcam import grad_cam, grad_cam_from_tensors
from gazesal.adapters.mixing import mix_classes
from gazesal.adapters.other_cams import maps_from_captum
from gazesal.cxr import load_model
from gazesal.maps.input_geometry import InputGeometry
from tests.adapters import networks

AUTOCAST = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
GEOMETRY = InputGeometry.stretched((9, 7), (8, 8))


def inside_and_outside(call, dtype):
    with torch.autocast("cpu", dtype=dtype):
        inside = call()
        assert torch.is_autocast_enabled("cpu")
    return inside, call()


@AUTOCAST
@pytest.mark.parametrize("name", networks.ALL)
def test_grad_cam_ignores_autocast(name, dtype):
    kind, layer = networks.ALL[name]
    model, images = networks.make(kind), networks.batch(1)

    def call():
        cam = grad_cam(model, images, layer)
        mixed = mix_classes(cam.maps, cam.logits)
        return cam.logits, *cam.alphas, *cam.stacks, cam.maps, cam.on_image(GEOMETRY), mixed

    for inside, outside in zip(*inside_and_outside(call, dtype), strict=True):
        assert inside.dtype == torch.float32
        assert torch.equal(inside, outside)


@AUTOCAST
def test_on_image_ignores_autocast(dtype):
    cam = grad_cam(networks.make(networks.ResNet), networks.batch(), ["layer3", "layer4"])
    with torch.autocast("cpu", dtype=dtype):
        on_image = cam.on_image(GEOMETRY, 1)
    assert torch.equal(on_image, cam.on_image(GEOMETRY, 1))


@AUTOCAST
def test_attention_maps_ignore_autocast(dtype):
    torch.manual_seed(0)
    model, images = load_model("ag_sononet"), torch.randn(1, 3, 32, 48)
    geometry = InputGeometry.stretched((30, 40), (32, 48))

    def call():
        gates = attention_maps(model, images)
        return gates.logits, *gates.stacks, gates.maps, gates.on_image(geometry)

    for inside, outside in zip(*inside_and_outside(call, dtype), strict=True):
        assert inside.dtype == torch.float32
        assert torch.equal(inside, outside)


@AUTOCAST
@pytest.mark.parametrize("method", ["grad_cam", "attention"])
def test_saliency_from_model_ignores_autocast(method, dtype):
    torch.manual_seed(0)
    image = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    maps = saliency_from_model(load_model("ag_sononet"), {"a": image}, method)
    inside, outside = inside_and_outside(maps["a"], dtype)
    assert inside.dtype == np.float32
    np.testing.assert_array_equal(inside, outside)


@AUTOCAST
def test_tensors_of_a_pass_under_autocast_are_summed_in_float32(dtype):
    model, images = networks.make(networks.ResNet), networks.batch()
    with torch.autocast("cpu", dtype=dtype):
        features = model.layer4(model.layer3(model.relu(model.conv1(images))))
        logits = model.fc(model.avgpool(features).flatten(1))
        found = grad_cam_from_tensors(logits, features, (8, 8))
    expected = grad_cam(model, images, "layer4")
    assert found.maps.dtype == found.logits.dtype == torch.float32
    bound = 8 * torch.finfo(dtype).eps * expected.maps.abs().max()
    assert (found.maps - expected.maps).abs().max() < bound


@AUTOCAST
def test_maps_from_captum_ignore_autocast(dtype):
    captum = pytest.importorskip("captum.attr")
    model, images = networks.make(networks.ResNet), networks.batch()
    explainer = captum.LayerGradCam(model, model.layer4)
    inside, outside = inside_and_outside(lambda: maps_from_captum(explainer, images, [1]), dtype)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, outside)
