"""The default layer of the features, and layers that are refused with a remedy."""

import warnings
import weakref

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn
from torch.nn import functional

from gazesal.adapters import _features
from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.from_model import saliency_from_model
from gazesal.adapters.gradcam import grad_cam, grad_cam_from_tensors
from tests.adapters import layouts, networks

WIDE, SQUARE = (32, 48), (64, 64)
SHAPES = pytest.mark.parametrize("shape", [WIDE, SQUARE])


def made(kind, *args, **options):
    torch.manual_seed(0)
    return kind(*args, **options).eval()


TRANSFORMERS = {
    "class token": layouts.ViT,
    "mean of tokens": lambda: layouts.ViT(class_token=False),
    "one head": lambda: layouts.ViT(heads=1),
    "heads as many as tokens are wide": lambda: layouts.ViT(class_token=False, heads=4),
    "stem": layouts.Stem,
    "blocks of torch": layouts.Library,
    "attention without modules": layouts.Functional,
    "linear layers over tokens": layouts.Mixer,
    "recurrent": layouts.Recurrent,
    "channels last": layouts.Swin,
    "as many channels as rows": lambda: layouts.Swin(8),
}


@SHAPES
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers_have_no_default_layer(name, shape):
    model, images = made(TRANSFORMERS[name]), networks.batch(2, shape)
    with pytest.raises(ValueError, match="`layers` must be given"):
        grad_cam(model, images)
    with pytest.raises(ValueError, match="`layers` must be given"):
        saliency_from_model(model, {"a": images[0]}, preprocess=lambda x: x)["a"]()


CONVOLUTIONS = {
    "pooled to one place": (
        lambda: layouts.convolutions(pool=nn.AdaptiveAvgPool2d(1)),
        "0",
    ),
    "pooled to four places": (
        lambda: layouts.convolutions(pool=nn.AdaptiveAvgPool2d(2), places=4),
        "0",
    ),
    "pooled to as many places as there are": (
        lambda: layouts.convolutions(pool=nn.AdaptiveAvgPool2d(WIDE), places=32 * 48),
        "0",
    ),
    "averaged by windows": (
        lambda: layouts.convolutions(pool=nn.AvgPool2d(8), places=24),
        "0",
    ),
    "maxima of windows": (lambda: layouts.convolutions(pool=nn.MaxPool2d(8), places=24), "1"),
    "residual": (networks.ResNet, "layer4"),
    "dense": (networks.DenseNet, "features"),
    "class maps": (networks.Fully, "head"),
    "squeeze and excitation": (lambda: layouts.with_blocks(layouts.Squeeze), "1"),
    "shuffled channels": (lambda: layouts.with_blocks(layouts.Shuffle), "1"),
    "channels last within blocks": (lambda: layouts.with_blocks(layouts.ConvNeXt), "1"),
    "concatenated branches": (lambda: layouts.with_blocks(layouts.Branches), "1"),
    "permuted before the pooling": (layouts.PermutedOnly, "features"),
    "one activation for all": (layouts.SharedAct, "b"),
    "a side branch that is not used": (lambda: layouts.SideBranch(used=False), "features"),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_default_layer_has_the_last_features_of_convolutions(name):
    kind, layer = CONVOLUTIONS[name]
    model, images = made(kind), networks.batch(2, WIDE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = grad_cam(model, images)
    assert found.layers == (layer,)
    assert torch.equal(found.maps, grad_cam(model, images, layer).maps)


class Normalizing(nn.Module):
    """A network that prepares its input by steps without a derivative."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        next(network.parameters()).requires_grad_(False)

    def forward(self, x):
        with torch.no_grad():
            x = (x * 255).round() / 255
        return self.network(x)


def test_default_layer_is_the_same_for_inputs_without_derivatives():
    model, images = made(Normalizing, networks.ResNet()), networks.batch(2, WIDE)
    before = [p.requires_grad for p in model.parameters()]
    assert grad_cam(model, images).layers == ("network.layer4",)
    assert [p.requires_grad for p in model.parameters()] == before
    with pytest.raises(ValueError, match="`layers` must be given"):
        grad_cam(made(Normalizing, layouts.ViT()), images)


def test_search_for_the_default_layer_keeps_no_features():
    """The features of a large image would fill the memory, as in training."""
    model, kept = made(networks.ResNet), []
    for module in model.layer3.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _m, _a, out: kept.append(weakref.ref(out)))
    done = _features._traced(model, networks.batch(1, WIDE), None, {}, lambda *_: None)
    assert done.logits.requires_grad
    assert [each() for each in kept] == [None, None]


def test_default_layer_ignores_a_second_result():
    model, images = made(layouts.Auxiliary), networks.batch(2, WIDE)
    assert grad_cam(model, images, output=0).layers == ("features",)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (layouts.SharedBlock, "run more than once"),
        (lambda: layouts.SideBranch(used=True), "several branches lead to the logits"),
        (networks.Weighing, "several branches lead to the logits"),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, WIDE), nn.Flatten(), nn.Linear(8, 5)), "not clear"),
    ],
)
def test_unclear_default_layers_raise(kind, message):
    with pytest.raises(ValueError, match=rf"`layers` must be given.*{message}"):
        grad_cam(made(kind), networks.batch(2, WIDE))


@SHAPES
@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        (layouts.ViT, "blocks.1.attn.k_norm"),
        (layouts.ViT, "blocks.1.attn.attn_drop"),
        (lambda: layouts.ViT(class_token=False), "blocks.1.attn.q_norm"),
        (lambda: layouts.ViT(class_token=False), "blocks.1.attn.attn_drop"),
        (layouts.Swin, "norm"),
        (layouts.Swin, "stage"),
        (layouts.Swin, "stage.mlp.1"),
        (lambda: layouts.Swin(8), "stage.mlp"),
        (lambda: layouts.Swin(16), "stage"),
        (lambda: layouts.with_blocks(layouts.ConvNeXt), "1.1.mlp.1"),
    ],
)
def test_named_layers_with_tokens_or_channels_last_raise(kind, layer, shape):
    with pytest.raises(ValueError, match=r"`layers` must return features .*looks like tokens"):
        grad_cam(made(kind), networks.batch(2, shape), layer)


def test_channels_last_raise_if_their_sides_do_not_fit_the_image():
    model = made(layouts.PermutedOnly)
    with pytest.raises(ValueError, match=r"`layers` must return features \('last'\) of shape"):
        grad_cam(model, networks.batch(2, WIDE), "last")


def test_layers_that_cannot_be_the_default_can_be_named():
    model, images = made(layouts.ViT), networks.batch(2, WIDE)
    assert grad_cam(model, images, "patches").layers == ("patches",)
    pooled = made(layouts.convolutions, pool=nn.AdaptiveAvgPool2d(2), places=4)
    assert grad_cam(pooled, images, "1").stacks[0].shape == (2, 5, 2, 2)
    assert grad_cam(made(layouts.SharedBlock), images, "stem").layers == ("stem",)


def test_features_without_padding_can_be_named():
    """Sides of 2 x 18 are not proportional to 32 x 48, but they are rows and columns."""
    model = nn.Sequential(nn.Conv2d(3, 4, 31), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = nn.Sequential(*model, nn.Linear(4, 5)).eval()
    for layers in ("1", None):
        assert grad_cam(model, networks.batch(2, WIDE), layers).layers == ("1",)


def test_tokens_reshaped_to_a_grid_are_accepted():
    class Grid(layouts.ViT):
        def __init__(self):
            super().__init__(class_token=False)
            self.grid = nn.Identity()

        def forward(self, x):
            tokens = self.blocks(self.patches(x).flatten(2).transpose(1, 2))
            grid = self.grid(tokens.transpose(1, 2).reshape(len(x), 16, 4, 6))
            return self.head(grid.mean((2, 3)))

    model, images = made(Grid), networks.batch(2, WIDE)
    found = grad_cam(model, images, "grid")
    tokens = model.blocks(model.patches(images).flatten(2).transpose(1, 2))
    grid = tokens.transpose(1, 2).reshape(2, 16, 4, 6)
    logits = model.head(grid.mean((2, 3)))
    own = grad_cam_from_tensors(logits, grid, WIDE)
    np.testing.assert_allclose(found.maps, own.maps.detach(), rtol=0, atol=1e-6)
    last = tokens.reshape(2, 4, 6, 16)
    with pytest.raises(ValueError, match=r"`features` must be of shape .*looks like tokens"):
        grad_cam_from_tensors(model.head(last.mean((1, 2))), last, WIDE)


# Gates


class Gated(layouts.ViT):
    """Modules that return tokens, attention weights, or maps of several shapes."""

    def __init__(self, form="map", heads=1, width=16):
        super().__init__(class_token=False, heads=heads, width=width)
        self.gate, self.map = nn.Conv2d(width, 1, 1), nn.Identity()
        self.form = form

    def forward(self, x):
        features = self.patches(x)
        gate = self.gate(features)
        if self.form == "map":
            gate = gate[:, 0]
        elif self.form == "mean":
            gate = features.mean(1)
        elif self.form == "softmax":
            gate = gate.flatten(1).softmax(1).view(len(x), *features.shape[2:])
        features = features * self.map(gate).reshape(len(x), 1, *features.shape[2:])
        return self.head(self.norm(self.blocks(features.flatten(2).transpose(1, 2))).mean(1))


@pytest.mark.parametrize(("shape", "width"), [(WIDE, 16), (WIDE, 36), (SQUARE, 64), (SQUARE, 16)])
@pytest.mark.parametrize("gate", ["blocks.0", "blocks.1.mlp", "norm", "blocks.1.attn"])
def test_attention_maps_refuse_tokens(gate, shape, width):
    """Tokens whose sides fit the image are refused too: 24 of width 36, and 64 of width 64."""
    model = made(Gated, heads=1, width=width)
    with pytest.raises(ValueError, match=r"`gates` must return one map .*looks like tokens"):
        attention_maps(model, networks.batch(2, shape), gate)


@SHAPES
@pytest.mark.parametrize("gate", ["attn_drop", "q_norm", "k_norm"])
def test_attention_maps_refuse_one_head_of_a_transformer(gate, shape):
    with pytest.raises(ValueError, match=r"`gates` must return one map .*looks like tokens"):
        attention_maps(made(Gated), networks.batch(2, shape), f"blocks.1.attn.{gate}")


@SHAPES
@pytest.mark.parametrize("form", ["map", "mean", "softmax", "channel"])
def test_attention_maps_accept_maps_of_every_form(form, shape):
    model = made(Gated, form)
    found = attention_maps(model, networks.batch(2, shape), "map")
    assert found.stacks[0].shape == (2, shape[0] // 8, shape[1] // 8)


def test_attention_maps_accept_maps_without_padding():
    class Cut(networks.Fully):
        def __init__(self):
            super().__init__()
            self.cut = nn.Conv2d(3, 1, 15)

        def forward(self, x):
            return super().forward(x) * self.cut(x).mean((1, 2, 3))[:, None]

    assert attention_maps(made(Cut), networks.batch(2, WIDE), "cut").stacks[0].shape == (2, 18, 34)


# Probabilities

PROBABILITIES = {
    "softmax module": nn.Softmax(1),
    "softmax function": lambda y: y.softmax(1),
    "softmax by hand": lambda y: y.exp() / y.exp().sum(1, keepdim=True),
    "softmax in parts": lambda y: torch.stack(list(y.softmax(1).unbind(1)), 1),
    "sigmoid module": nn.Sigmoid(),
    "sigmoid function": torch.sigmoid,
    "hard sigmoid": nn.Hardsigmoid(),
    "calibrated sigmoid": lambda y: torch.where(y > 0, y.sigmoid() / 2, 1 - (1 - y.sigmoid()) / 3),
    "a sigmoid for each class": lambda y: torch.cat([y[:, :2].sigmoid(), y[:, 2:].sigmoid()], 1),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_probabilities_are_refused(name, n):
    model, images = made(layouts.Finished, PROBABILITIES[name]), networks.batch(n)
    for layers in (None, "features"):
        with pytest.raises(ValueError, match=r"`model` must return logits, got prob"):
            grad_cam(model, images, layers)
    features = model.features(images)
    probabilities = model.last(model.head(features.relu().mean((2, 3))))
    with pytest.raises(ValueError, match=r"`logits` must be logits, got probabilities"):
        grad_cam_from_tensors(probabilities, features, (8, 8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_probabilities_are_refused_in_every_precision(dtype):
    model = made(layouts.Finished, nn.Softmax(1)).to(dtype)
    with pytest.raises(ValueError, match="`model` must return logits"):
        grad_cam(model, networks.batch())


def test_logit_as_output_undoes_a_sigmoid():
    expected = grad_cam(made(layouts.Finished, nn.Identity()), networks.batch())
    model = made(layouts.Finished, nn.Sigmoid())
    found = grad_cam(model, networks.batch(), output=torch.logit)
    np.testing.assert_allclose(found.maps, expected.maps, rtol=0, atol=1e-6)
    both = made(layouts.Finished, lambda y: {"logits": y, "probabilities": y.softmax(1)})
    assert torch.equal(grad_cam(both, networks.batch(), output="logits").maps, expected.maps)
    with pytest.raises(ValueError, match=r"`output`"):
        grad_cam(both, networks.batch(), output="probabilities")


@pytest.mark.parametrize(
    "last",
    [nn.LogSoftmax(1), lambda y: y.softmax(1).log(), lambda y: (y.softmax(1) + 1e-9).log()],
)
def test_logarithms_of_probabilities_warn(last):
    model = made(layouts.Finished, last)
    with pytest.warns(UserWarning, match="logarithms of probabilities"):
        grad_cam(model, networks.batch())


@pytest.mark.parametrize(
    "last",
    [
        nn.Identity(),
        functional.silu,
        functional.logsigmoid,
        torch.tanh,
        lambda y: y * y.sigmoid(),
        lambda y: y / 3 + 1,
        lambda y: (y.square() + 1).log(),
    ],
)
def test_other_last_steps_do_not_warn(last):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad_cam(made(layouts.Finished, last), networks.batch())
