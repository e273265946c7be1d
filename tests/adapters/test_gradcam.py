"""Grad-CAM of small networks, compared with one backward pass per class and image."""

import copy
import gc
import warnings

import numpy as np
import pytest

import gazesal

torch = pytest.importorskip("torch")

from torch import nn

from gazesal.adapters.gradcam import grad_cam, grad_cam_from_tensors
from gazesal.cxr import load_model
from gazesal.maps.input_geometry import InputGeometry, padded_content
from tests.adapters import networks
from tests.oracles import gradcam as oracle
from tests.oracles import resampling

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def close(actual, expected, tolerance=2e-5):
    expected = np.asarray(expected, dtype=np.float64)
    actual = np.asarray(actual.detach().cpu() if torch.is_tensor(actual) else actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("name", networks.ALL)
def test_weights_and_stacks_equal_the_definition(name):
    kind, layer = networks.ALL[name]
    model, images = networks.make(kind), networks.batch()
    if name == "Hyper":
        images = images[:1]  # its weights depend on the whole batch
    result = grad_cam(model, images, layer)
    assert result.layers == (layer,)
    with torch.no_grad():
        close(result.logits, model(images))
    for i, image in enumerate(images):
        alphas, sums = oracle.weights_and_sums(model, layer, image)
        close(result.alphas[0][i], alphas)
        close(result.stacks[0][i], sums)


def test_float64_is_exact_to_the_last_digits():
    model, images = networks.make(networks.ResNet).double(), networks.batch()
    result = grad_cam(model, images, "layer4")
    assert result.maps.dtype == torch.float64
    close(
        result.stacks[0][1], oracle.weights_and_sums(model, "layer4", images[1].double())[1], 1e-14
    )


def test_orders_of_steps_equal_the_formulas():
    model, images = networks.make(networks.ResNet), networks.batch(shape=(8, 12))
    study = grad_cam(model, images, ["layer3", "layer4"])
    textbook = grad_cam(model, images, ["layer3", "layer4"], order="textbook")
    signed = grad_cam(model, images, ["layer3", "layer4"], relu=False)
    for i, c in ((0, 1), (2, 3)):
        stacks = [stack[i, c].numpy() for stack in study.stacks]
        resized = [np.array(resampling.bilinear(s.tolist(), (8, 12))) for s in stacks]
        total = sum(resized) / (6 + 8)
        close(signed.maps[i, c], total)
        close(study.maps[i, c], total.clip(0))
        positive = [s.clip(0).tolist() for s in stacks]
        close(textbook.maps[i, c], sum(np.array(resampling.bilinear(s, (8, 12))) for s in positive))
    assert (study.maps - textbook.maps / 14).abs().max() > 0.01 * study.maps.max()


@pytest.mark.parametrize("inverse", ["study", "exact"])
def test_maps_on_an_image_are_resized_from_the_features(inverse):
    model, images = networks.make(networks.ResNet), networks.batch(shape=(8, 8))
    geometry = InputGeometry(image_shape=(5, 7), input_shape=(8, 8), content=(1, 0, 6, 8))
    assert geometry.content == padded_content((5, 7), (8, 8))
    result = grad_cam(model, images, "layer4", classes=[1, 4])
    on_image = result.on_image(geometry, 2, inverse=inverse)
    for k in range(2):
        expected = geometry.to_image(result.stacks[0][2, k].numpy(), inverse).clip(0) / 8
        close(on_image[k], expected)


def test_classes_are_chosen_for_every_image():
    model, images = networks.make(networks.ResNet), networks.batch(2)
    everything = grad_cam(model, images, "layer4")
    assert everything.classes == (0, 1, 2, 3, 4)
    some = grad_cam(model, images, "layer4", classes=[4, 0, 4])  # more classes than images
    assert some.maps.shape == (2, 3, 8, 8)
    close(some.maps, everything.maps[:, [4, 0, 4]])
    assert some.logits.shape == (2, 5)


def test_one_image_and_arrays_are_accepted():
    model, images = networks.make(networks.ResNet), networks.batch(1)
    expected = grad_cam(model, images, "layer4").maps
    close(grad_cam(model, images[0], "layer4").maps, expected)
    close(grad_cam(model, images.numpy(), "layer4").maps, expected)


def test_layers_by_name_by_module_and_by_default():
    model, images = networks.make(networks.ResNet), networks.batch()
    by_name = grad_cam(model, images, "layer4.2")
    for layers in (model.layer4[2], [model.layer4[2]], ("layer4.2",)):
        assert torch.equal(grad_cam(model, images, layers).maps, by_name.maps)
    default = grad_cam(model, images)
    assert default.layers == ("layer4",)
    close(default.maps, by_name.maps)
    model.cam_layers = "layer3"
    assert grad_cam(model, images).layers == ("layer3",)


def test_maps_of_a_batch_equal_maps_of_its_images():
    """No value of an image may influence another image."""
    model, images = networks.make(networks.DenseNet), networks.batch(4)
    together = grad_cam(model, images, "features")
    for i in range(4):
        close(grad_cam(model, images[i], "features").maps[0], together.maps[i])


def test_classes_in_groups_give_the_same_maps(monkeypatch):
    model, images = networks.make(networks.DenseNet), networks.batch()
    expected = grad_cam(model, images, "features").maps
    monkeypatch.setattr("gazesal.adapters._channel_weights.LARGEST_GRADIENT", 2 * 3 * 7 * 64)
    assert torch.equal(grad_cam(model, images, "features").maps, expected)


class Own(torch.autograd.Function):
    """An operation that inspects its gradient, which is impossible for a batch of gradients."""

    @staticmethod
    def forward(_context, x):
        return x * 2

    @staticmethod
    def backward(_context, gradient):
        return gradient * (2 if gradient.isfinite().all().item() else 0)


def test_operations_without_batched_gradients_give_the_same_maps():
    model, images = networks.make(networks.ResNet), networks.batch()
    expected = grad_cam(model, images, "layer4")
    model.avgpool = nn.Sequential(model.avgpool)
    model.avgpool[0].register_forward_hook(lambda _m, _a, out: Own.apply(out))
    result = grad_cam(model, images, "layer4")
    close(result.alphas[0], 2 * expected.alphas[0])


def test_grad_cam_from_tensors_equals_grad_cam():
    model, images = networks.make(networks.ResNet), networks.batch()
    expected = grad_cam(model, images, ["layer3", "layer4"])
    third = model.layer3(model.relu(model.conv1(images)))
    fourth = model.layer4(third)
    logits = model.fc(model.avgpool(fourth).flatten(1))
    result = grad_cam_from_tensors(logits, [third, fourth], (8, 8))
    assert result.layers == ("0", "1")
    close(result.maps, expected.maps.detach())
    logits.sum().backward()  # the graph is still there


# State of the model afterwards


def state_of(model):
    return (
        [module.training for module in model.modules()],
        [(p.requires_grad, p.grad is None) for p in model.parameters()],
        [len(module._forward_hooks) for module in model.modules()],
        copy.deepcopy(dict(model.state_dict())),
    )


def assert_as_before(model, before):
    after = state_of(model)
    assert after[:3] == before[:3]
    assert all(torch.equal(after[3][key], value) for key, value in before[3].items())


@pytest.mark.parametrize("training", [True, False])
def test_model_is_restored(training):
    model = networks.make(networks.ResNet).train(training)
    model.layer3.eval()  # frozen statistics inside a network in training
    model.conv1.weight.requires_grad_(False)
    before = state_of(model)
    in_training = grad_cam(model, networks.batch(), "layer4")
    assert_as_before(model, before)
    close(in_training.maps, grad_cam(model.eval(), networks.batch(), "layer4").maps)


@pytest.mark.parametrize(
    ("layers", "options"),
    [("none", {}), ("layer4", {"classes": [9]}), ("avgpool.none", {}), ("layer4.2.relu", {})],
)
def test_model_is_restored_after_an_error(layers, options):
    model = networks.make(networks.ResNet).train()
    before = state_of(model)
    with pytest.raises(ValueError, match=r"layers|classes"):
        grad_cam(model, networks.batch(), layers, **options)
    assert_as_before(model, before)


def test_model_is_restored_after_an_error_of_its_own():
    model = networks.make(networks.ResNet).train()
    before = state_of(model)
    with pytest.raises(RuntimeError):
        grad_cam(model, networks.batch(channels=4), "layer4")
    with pytest.raises(RuntimeError):
        grad_cam(model, networks.batch(channels=4))
    assert_as_before(model, before)


def test_models_made_in_inference_mode_raise_and_are_restored():
    with torch.inference_mode():
        model = networks.make(networks.DenseNet).train()
    model.classifier = nn.Linear(7, 5)
    before = [p.requires_grad for p in model.parameters()]
    with pytest.raises(ValueError, match="inference_mode"):
        grad_cam(model, networks.batch(), "features")
    assert all(module.training for module in model.modules())
    assert [p.requires_grad for p in model.parameters()] == before


def test_images_are_not_modified():
    model, images = networks.make(networks.ResNet), networks.batch().requires_grad_()
    before = images.detach().clone()
    grad_cam(model, images, "layer4")
    assert torch.equal(images, before)
    assert images.grad is None


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_gradient_mode_of_the_caller_does_not_matter(mode):
    model = networks.make(networks.DenseNet)
    expected = grad_cam(model, networks.batch(), "features").maps
    with mode():
        inside = grad_cam(model, networks.batch(), "features")
        assert torch.is_grad_enabled() == (mode is torch.enable_grad)
    assert torch.equal(inside.maps, expected)
    assert not inside.maps.requires_grad
    assert not inside.logits.requires_grad


def test_memory_is_freed():
    """A thousand images later there are no more tensors than before."""
    model = networks.make(networks.Fully)

    def tensors():
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    images = networks.batch(8)
    grad_cam(model, images, "features").maps.sum()
    before = tensors()
    for _ in range(125):
        grad_cam(model, images, "features").maps.sum()
    assert tensors() == before


# Wrapped models and other results


def test_data_parallel_gives_the_same_maps():
    model, images = networks.make(networks.ResNet), networks.batch()
    expected = grad_cam(model, images, "layer4").maps
    assert torch.equal(grad_cam(nn.DataParallel(model), images, "layer4").maps, expected)


@pytest.mark.parametrize("what", ["whole", "in place", "part", "part and layer"])
def test_compiled_models_give_the_same_maps(what):
    model, images = networks.make(networks.ResNet), networks.batch()
    expected = grad_cam(model, images, "layer4.2").maps
    layers = "layer4.2"
    with warnings.catch_warnings():  # warnings of the compiler itself are not tested
        warnings.simplefilter("ignore")
        if what == "whole":
            compiled = torch.compile(model, backend="eager")
        else:
            compiled = model
            if what == "in place":
                model.compile(backend="eager")
            else:
                model.layer4 = torch.compile(model.layer4, backend="eager")
            if what == "part and layer":
                layers = model.layer4
        compiled(images)  # compiled before any hook is there
        result = grad_cam(compiled, images, layers)
        assert torch.equal(result.maps, expected)
        compiled(images)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["ResNet", "DenseNet"])
def test_half_precision_agrees_with_double_precision(name, dtype):
    """Maps are as exact as half precision allows, with sums in float32."""
    kind, layer = networks.ALL[name]
    model, images = networks.make(kind).to(dtype), networks.batch().to(dtype)
    result = grad_cam(model, images.float(), layer)
    assert result.maps.dtype == result.logits.dtype == torch.float32
    digits = 8 * torch.finfo(dtype).eps
    for i, image in enumerate(
        images
    ):  # compared with the same model, because rounding can change the sign before a ReLU
        alphas, sums = oracle.weights_and_sums(model, layer, image)
        close(result.alphas[0][i], alphas, digits)
        close(result.stacks[0][i], sums, digits)


def test_half_precision_keeps_small_gradients():
    """1 / (h w) of a small weight underflows in float16 and must not become zero."""
    model = networks.make(networks.ResNet)
    with torch.no_grad():
        model.fc.weight.mul_(1e-3)
    images = networks.batch(1, shape=(128, 128))
    expected = grad_cam(model, images, "layer4").alphas[0]
    assert expected.abs().max() < 1e-6
    close(grad_cam(model.half(), images, "layer4").alphas[0], expected, 0.01)


@needs_gpu
@pytest.mark.parametrize("name", networks.ALL)
def test_gpu_gives_the_same_maps(name):
    kind, layer = networks.ALL[name]
    model, images = networks.make(kind).double(), networks.batch()
    expected = grad_cam(model, images, layer)
    result = grad_cam(model.cuda(), images, layer)
    assert result.maps.is_cuda
    close(result.maps, expected.maps, 1e-9)


@pytest.mark.parametrize(
    ("wrap", "output"),
    [
        (lambda y: (y, None), 0),
        (lambda y: {"logits": y, "other": y * 2}, "logits"),
        (lambda y: [y * 2, y], -1),
        (lambda y: (None, {"deep": y}), lambda result: result[1]["deep"]),
    ],
)
def test_models_that_return_more_than_logits(wrap, output):
    torch.manual_seed(0)
    model, images = networks.Returning(wrap).eval(), networks.batch()
    result = grad_cam(model, images, "inner.layer4", output=output)
    assert torch.equal(result.maps, grad_cam(model.inner, images, "layer4").maps)
    with pytest.raises(ValueError, match=r"`model` must return logits, got a .*`output`"):
        grad_cam(model, images, "inner.layer4")
    with pytest.raises(ValueError, match=r"`output`|`model` must return logits"):
        grad_cam(model, images, "inner.layer4", output="absent" if isinstance(output, str) else 5)


@pytest.mark.parametrize("wrap", [lambda y: y[:, 0], lambda y: y[..., None], lambda y: y[:, :0]])
def test_logits_of_another_shape_raise(wrap):
    with pytest.raises(ValueError, match="must return logits of shape"):
        grad_cam(networks.Returning(wrap).eval(), networks.batch(), "inner.layer4")


class Pair(nn.Module):
    """A layer that returns features and something else."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        return {"x": x, "n": 3} if self.kind is dict else (x, 3)


@pytest.mark.parametrize("kind", [dict, tuple])
def test_layers_that_return_features_among_others(kind):
    inner = networks.make(networks.ResNet)

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.pair = inner, Pair(kind)

        def forward(self, x):
            x = self.inner.layer3(self.inner.relu(self.inner.conv1(x)))
            x = self.pair(self.inner.layer4(x))["x" if kind is dict else 0]
            return self.inner.fc(self.inner.avgpool(x).flatten(1))

    result = grad_cam(Around().eval(), networks.batch(), "pair")
    assert torch.equal(result.maps, grad_cam(inner, networks.batch(), "layer4").maps)


# Errors


class Detached(networks.ResNet):
    """No differentiable way leads from the features to the logits."""

    def forward(self, x):
        x = self.layer3(self.relu(self.conv1(x)))
        y = self.layer4(x)
        return self.fc(self.avgpool(y.detach()).flatten(1))


class Rounded(networks.ResNet):
    """The logits are whole numbers, without derivatives."""

    def forward(self, x):
        return super().forward(x).long().float()


class Unused(networks.ResNet):
    """The output of one layer is not used, and another layer never runs."""

    def __init__(self):
        super().__init__()
        self.side, self.never = nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3)

    def forward(self, x):
        self.side(x)
        return super().forward(x)


class Nothing(nn.Module):
    """A module that returns nothing."""

    def forward(self, _x):
        return None


class ReturningNone(Unused):
    """A layer that returns nothing."""

    def __init__(self):
        super().__init__()
        self.side = Nothing()


@pytest.mark.parametrize(
    ("kind", "layers", "message"),
    [
        (Unused, "never", "'never' never ran"),
        (Unused, "side", "'side' does not"),
        (Unused, ["layer4", "side"], "'side' does not"),
        (Detached, "layer3", "'layer3' does not"),
        (Rounded, "layer4", "'layer4' does not"),
        (networks.ResNet, "layer4.2.relu", r"'layer4\.2\.relu' ran 2 times"),
        (networks.ResNet, "none", "`layers` must name modules of the model, got 'none'"),
        (
            networks.ResNet,
            ["layer4", "layer4"],
            "modules, got 'layer4' twice",
        ),
        (networks.ResNet, [], "`layers` must name at least one"),
        (networks.ResNet, "fc", r"'fc' returned a Tensor of shape \(3, 5\) with 0 such"),
        (ReturningNone, "side", "'side' returned a NoneType with 0 such"),
        (networks.ResNet, nn.Linear(1, 1), "got another Linear"),
    ],
)
def test_invalid_layers_raise(kind, layers, message):
    with pytest.raises(ValueError, match=message):
        grad_cam(networks.make(kind), networks.batch(), layers)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"classes": [5]}, ValueError, r"`classes` must be at least one of 0 to 4, got \[5\]"),
        ({"classes": []}, ValueError, "`classes` must be at least one"),
        ({"classes": [-1]}, ValueError, r"`classes\[0\]` must be at least 0"),
        ({"classes": [1.0]}, TypeError, r"`classes\[0\]` must be an integer"),
        ({"classes": 1}, TypeError, "`classes` must be a sequence"),
        ({"order": "other"}, ValueError, "`order` must be one of"),
        ({"layers": 3}, TypeError, "`layers` must be names or modules, got int"),
        ({"layers": [3]}, TypeError, "`layers` must be names or modules, got int"),
        ({"images": torch.zeros(3, 8)}, ValueError, "`images` must be a non-empty batch"),
        ({"images": torch.zeros(0, 3, 8, 8)}, ValueError, "`images` must be a non-empty batch"),
        ({"model": "resnet"}, TypeError, "`model` must be a torch.nn.Module, got str"),
    ],
)
def test_invalid_input_raises(options, error, message):
    good = {"model": networks.make(networks.ResNet), "images": networks.batch(), "layers": "layer4"}
    with pytest.raises(error, match=message):
        grad_cam(**{**good, **options})


def test_invalid_arguments_of_on_image_raise():
    result = grad_cam(networks.make(networks.ResNet), networks.batch(), "layer4")
    geometry = InputGeometry.stretched((4, 4), (8, 8))
    with pytest.raises(ValueError, match="`index` must be less than 3, got 3"):
        result.on_image(geometry, 3)
    with pytest.raises(ValueError, match="`geometry` must belong to an input of"):
        result.on_image(InputGeometry.stretched((4, 4), (9, 8)))


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ((torch.zeros(2, 3), torch.zeros(2, 1, 1, 1)), ValueError, "graph of derivatives"),
        ((torch.zeros(2), torch.zeros(2, 1, 1, 1)), ValueError, "`logits` must have shape"),
        ((torch.zeros(2, 3).requires_grad_(), torch.zeros(1, 1, 1, 1)), ValueError, "`features`"),
        ((torch.zeros(2, 3).requires_grad_(), []), ValueError, "`features` must be at least one"),
        ((torch.zeros(2, 3).requires_grad_(), [3]), TypeError, "`features` must be a tensor"),
    ],
)
def test_invalid_tensors_raise(tensors, error, message):
    with pytest.raises(error, match=message):
        grad_cam_from_tensors(*tensors, (4, 4))


def test_a_model_without_features_raises():
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    with pytest.raises(ValueError, match="`layers` must be given"):
        grad_cam(model, networks.batch())


@pytest.mark.parametrize("where", ["weights", "image"])
def test_values_that_are_not_finite_raise(where):
    model, images = networks.make(networks.ResNet), networks.batch()
    if where == "weights":
        with torch.no_grad():
            model.fc.bias[2] = torch.nan
    else:
        images[1, 0, 0, 0] = torch.inf
    message = r"logits of image 0 are NaN or infinite \(3 of 3" if where == "weights" else "image 1"
    with pytest.raises(ValueError, match=message):
        grad_cam(model, images, "layer4")


def test_zero_map_has_undefined_ncc_and_auc_of_one_half():
    model = networks.make(networks.ResNet)
    with torch.no_grad():
        model.fc.weight[3] = -model.fc.weight[
            3
        ].abs()  # no evidence, because features are non-negative
    saliency_map = grad_cam(model, networks.batch(), "layer4").maps[0, 3]
    assert saliency_map.eq(0).all()
    gaze_map = gazesal.gaze_heatmap([(3, 4)], (8, 8), sigma=2)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant"):
        assert np.isnan(gazesal.ncc(saliency_map, gaze_map))
    assert gazesal.auc_borji(saliency_map, gaze_map) == 0.5


@pytest.mark.parametrize("shape", [(1, 17), (17, 1), (1, 1)])
def test_images_of_one_row_or_column_give_maps(shape):
    model = networks.make(networks.Fully)
    images = networks.batch(2, shape)
    result = grad_cam(model, images)
    assert result.layers == ("head",)
    features = grad_cam(model, images, "features")
    assert features.maps.shape == (2, 5, *shape)
    close(features.stacks[0][1], oracle.weights_and_sums(model, "features", images[1])[1])


class Head(nn.Module):
    """Pooled features of one convolution. Subclasses define the logits."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(4, 5)

    def pooled(self, x):
        return self.features(x).mean((2, 3))


class Centered(Head):
    def forward(self, x):
        pooled = self.pooled(x)
        return self.fc(pooled - pooled.mean(0, keepdim=True))


class Broadcast(Head):
    def forward(self, x):
        return self.fc(self.pooled(x).mean(0, keepdim=True).expand(len(x), -1))


class MeanOfBatch(Head):
    def forward(self, x):
        return self.fc(self.pooled(x).mean(0, keepdim=True))


class Pairs(Head):
    def forward(self, x):
        return self.fc(self.pooled(x).reshape(-1, 2, 4).flip(1).reshape(-1, 4))


class Crops(Head):
    def forward(self, x):
        return self.fc(self.pooled(torch.cat([x, x.flip(3)]))).reshape(2, len(x), 5).mean(0)


def test_half_precision_does_not_overflow_with_many_places_and_large_weights():
    torch.manual_seed(0)
    model = load_model("sononet")
    result = grad_cam(model.half(), torch.randn(1, 3, 256, 256), "features.0", classes=[3])
    assert result.alphas[0].abs().max() > 0
    head = Centered()
    head.forward = lambda x: 30 * head.fc(head.pooled(x))
    head.fc.weight.data.fill_(30)
    alphas = grad_cam(head.half(), torch.randn(1, 3, 256, 256) / 10, "features").alphas[0]
    close(alphas, np.full((1, 5, 4), 900 / 256**2), 2e-3)


@pytest.mark.parametrize("kind", [Centered, Broadcast, Pairs])
def test_images_that_influence_each_other_raise(kind):
    torch.manual_seed(0)
    model, images = kind().eval(), torch.randn(4, 3, 8, 8)
    with pytest.raises(ValueError, match="one at a time"):
        grad_cam(model, images, "features")
    features = model.features(images)
    model.features = nn.Identity()
    with pytest.raises(ValueError, match="one at a time"):
        grad_cam_from_tensors(model(features), features, (8, 8))


@pytest.mark.parametrize("kind", [MeanOfBatch, Crops])
def test_other_numbers_of_rows_than_images_raise(kind):
    with pytest.raises(ValueError, match="one row per image"):
        grad_cam(kind(), torch.randn(3, 3, 8, 8), "features")


def test_a_module_is_found_by_both_of_its_names():
    model = networks.make(networks.DenseNet)
    model.again = model.features
    for name in ("features", "again"):
        result = grad_cam(model, networks.batch(), name)
        assert result.layers == (name,)
        close(result.maps, grad_cam(model, networks.batch(), model.features).maps)
    with pytest.raises(ValueError, match="different modules, got 'again' twice"):
        grad_cam(model, networks.batch(), ["features", "again"])
