"""Maps of attention gates, of the study's network and of others."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn

from gazesal.adapters.attention_gates import attention_maps
from gazesal.cxr import AttentionGatedSonoNet
from gazesal.maps.input_geometry import InputGeometry
from tests.adapters import networks


class Gate(nn.Module):
    """A gate with a sigmoid module, which returns a given function of its map."""

    def __init__(self, returns):
        super().__init__()
        self.conv, self.sigmoid, self.returns = nn.Conv2d(3, 1, 1), nn.Sigmoid(), returns

    def forward(self, x):
        return self.returns(x, self.sigmoid(self.conv(x)))


class Gated(nn.Module):
    def __init__(self, returns, pick):
        super().__init__()
        self.gate, self.pick, self.fc = Gate(returns), pick, nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.pick(self.gate(x)).mean(dim=(2, 3)))


def make(returns, pick, seed=0):
    torch.manual_seed(seed)
    return Gated(returns, pick).eval()


@pytest.mark.parametrize(
    ("returns", "pick", "gates"),
    [
        (lambda x, a: (x * a, a), lambda out: out[0], "gate"),
        (lambda x, a: (x * a, a[:, 0]), lambda out: out[0], "gate"),
        (lambda x, a: {"out": x * a, "map": a}, lambda out: out["out"], "gate"),
        (lambda x, a: x * a, lambda out: out, "gate.sigmoid"),
        (lambda x, a: x * a.mul_(1.0), lambda out: out, ["gate.sigmoid"]),
    ],
)
def test_gates_that_return_their_map_in_several_ways(returns, pick, gates):
    model, images = make(returns, pick), networks.batch()
    result = attention_maps(model, images, gates)
    with torch.no_grad():
        expected = torch.sigmoid(model.gate.conv(images))[:, 0]
        np.testing.assert_allclose(result.logits, model(images), rtol=1e-6)
    np.testing.assert_allclose(result.stacks[0], expected, rtol=1e-6)
    assert result.maps.shape == (3, 1, 8, 8)
    assert not result.stacks[0].requires_grad


def test_maps_are_kept_before_later_changes_in_place():
    model = make(lambda x, a: (x * a, a.zero_()), lambda out: out[0])
    images = networks.batch()
    with torch.no_grad():
        expected = torch.sigmoid(model.gate.conv(images))[:, 0]
    np.testing.assert_allclose(attention_maps(model, images, "gate.sigmoid").stacks[0], expected)


def test_default_gates_are_the_networks_own():
    torch.manual_seed(0)
    model = AttentionGatedSonoNet(3, 1, (2, 3, 4, 5)).train()
    images = networks.batch(2, (16, 32), channels=1)
    result = attention_maps(model, images)
    assert result.gates == ("compatibility_score1", "compatibility_score2")
    assert [tuple(stack.shape) for stack in result.stacks] == [(2, 4, 8), (2, 2, 4)]
    assert result.maps.shape == (2, 2, 16, 32)
    assert all(module.training for module in model.modules())
    assert repr(result).startswith("AttentionMaps(2 images of (16, 32)")
    geometry = InputGeometry.stretched((5, 9), (16, 32))
    on_image = result.on_image(geometry, 1, inverse="exact")
    expected = geometry.to_image(result.stacks[0][1].numpy(), "exact")
    np.testing.assert_allclose(on_image[0], expected, rtol=1e-5)


def test_invalid_gates_raise():
    model, images = make(lambda x, a: (x * a, a), lambda out: out[0]), networks.batch()
    with pytest.raises(ValueError, match="`gates` must be given, because Gated"):
        attention_maps(model, images)
    with pytest.raises(ValueError, match=r"`gates` must return one map .* 'gate' returned 0"):
        attention_maps(make(lambda x, a: x * a, lambda out: out), images, "gate")
    with pytest.raises(ValueError, match="`gates` must name modules"):
        attention_maps(model, images, "none")
    with torch.no_grad():
        model.gate.conv.bias[0] = torch.nan
    with pytest.raises(ValueError, match="must return finite values, but logits"):
        attention_maps(model, images, "gate")
    result = attention_maps(make(lambda x, a: (x * a, a), lambda out: out[0]), images, "gate")
    with pytest.raises(ValueError, match="`index` must be less than 3"):
        result.on_image(InputGeometry.stretched((4, 4), (8, 8)), 3)
    with pytest.raises(ValueError, match="`geometry` must belong to an input"):
        result.on_image(InputGeometry.stretched((4, 4), (8, 9)))
