"""Epochs of validation: zero predictions, half precision, autocast, and several devices."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from gazesal.adapters import batched
from gazesal.adapters import torchmetrics as adapted
from tests.adapters.test_torchmetrics import PLAIN, SHUFFLED, maps

ALL = {**PLAIN, **SHUFFLED, "nss": adapted.NSS, "kl": adapted.KLDivergence}


def given_to(name, saliency, gaze, bias):
    return (saliency, gaze, bias) if name in SHUFFLED else (saliency, gaze)


@pytest.mark.parametrize("name", ALL)
def test_zero_predictions_are_counted_and_the_others_scored(name):
    """A ReLU at the end returns such maps, which must not stop an epoch. Their AUC is one half."""
    saliency, gaze, bias = maps(4)
    saliency[2] = 0
    metric, others = ALL[name](), ALL[name]()
    metric.update(*given_to(name, saliency, gaze, bias))
    kept = [0, 1, 3]
    others.update(*given_to(name, saliency[kept], gaze[kept], bias[kept]))
    expected = others.compute().item()
    if "auc" in name:
        assert metric.n_undefined == 0
        expected = (3 * expected + 0.5) / 4
    else:
        assert (metric.n_scored, metric.n_undefined) == (3, 1)
    assert metric.compute().item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ALL)
def test_half_precision_and_autocast_do_not_change_scores(name, dtype):
    given = [(16 * part).round() / 16 for part in maps(5)]  # exact in either precision
    metric, expected = ALL[name](), ALL[name]()
    expected.update(*given_to(name, *given))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        metric.update(*given_to(name, *(part.to(dtype) for part in given)))
    assert metric.compute().dtype == torch.float64
    assert metric.compute() == expected.compute()


@pytest.mark.parametrize("loss", [batched.ncc_loss, batched.kl_loss])
def test_autocast_does_not_change_losses(loss):
    saliency, gaze, _ = maps(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(saliency, gaze)
    assert found.dtype == torch.float32
    assert found == loss(saliency, gaze)


@pytest.mark.parametrize("name", ALL)
def test_maps_on_different_devices_raise(name):
    for position, argument in enumerate(("saliency", "gaze|fixation", "center_bias")):
        given = maps(2)
        given[position] = given[position].to("meta")
        if position < len(given_to(name, *given)):
            with pytest.raises(ValueError, match=rf"`({argument})\w*` must have values on .*meta"):
                ALL[name]().update(*given_to(name, *given))


@pytest.mark.parametrize("name", SHUFFLED)
@pytest.mark.parametrize("shape", [(9, 11), (2, 9, 11), (2, 1, 9, 11)])
def test_center_bias_on_another_device_raises_or_is_moved(name, shape):
    saliency, gaze, _ = maps(2)
    bias = torch.ones(shape, device="meta")
    with pytest.raises(ValueError, match="`center_bias` must have values on the device of `sal"):
        SHUFFLED[name](bias).update(saliency, gaze)
    with pytest.raises(ValueError, match="`center_bias` must have values on the device of `sal"):
        SHUFFLED[name]().update(saliency, gaze, bias)


def test_center_bias_is_moved_to_the_device_of_the_maps(monkeypatch):
    moved, to = [], torch.Tensor.to
    monkeypatch.setattr(
        torch.Tensor, "to", lambda self, *a: moved.append((self, a)) or to(self, *a)
    )
    saliency, bias = torch.ones(2, 3, 4), torch.rand(2, 3, 4)
    batched.same_for_all(bias, saliency)
    assert any(each is bias and where == (saliency.device,) for each, where in moved)
