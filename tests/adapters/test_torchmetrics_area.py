"""Metrics of training loops on the pixels of a mask."""

import numpy as np
import pytest

import gazesal

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from gazesal.adapters import torchmetrics as adapted

CLASSES = {
    "ncc": adapted.NormalizedCrossCorrelation,
    "auc_borji": adapted.AUCBorji,
    "kl_divergence": adapted.KLDivergence,
    "sncc": adapted.ShuffledNCC,
    "sauc": adapted.ShuffledAUC,
}
SHAPE = (3, 6, 7)


def batch():
    rng = np.random.default_rng(1)
    return rng.random((3, *SHAPE)), rng.random(SHAPE) < 0.7


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("shared", [True, False])
def test_scores_equal_the_functions_with_area(name, shared):
    maps, masks = batch()
    chosen = maps[: len(gazesal.METRICS[name].arguments)]
    area = masks[0] if shared else masks
    expected = [
        getattr(gazesal, name)(*one, area=masks[0] if shared else mask)
        for *one, mask in zip(*chosen, masks, strict=True)
    ]
    noisy = [torch.tensor(np.where(area, each, np.nan)) for each in chosen]
    metric = CLASSES[name]()
    metric.update(*noisy, area=torch.tensor(area))
    assert metric.compute().item() == pytest.approx(np.mean(expected), abs=1e-12)


def test_nss_counts_fixations_in_the_area():
    maps, masks = batch()
    marks = torch.ones(SHAPE)
    metric = adapted.NSS()
    metric.update(torch.tensor(maps[0]), marks, area=torch.tensor(masks))
    assert metric.compute().item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", CLASSES)
def test_a_mask_of_all_pixels_changes_nothing(name):
    maps, _ = batch()
    chosen = [torch.tensor(each) for each in maps[: len(gazesal.METRICS[name].arguments)]]
    with_area, without = CLASSES[name](), CLASSES[name]()
    with_area.update(*chosen, area=torch.ones(SHAPE, dtype=torch.bool))
    without.update(*chosen)
    assert with_area.compute().item() == pytest.approx(without.compute().item(), abs=1e-13)


@pytest.mark.parametrize("area", [torch.ones(SHAPE), torch.ones(2, 2) > 0, torch.zeros(SHAPE) > 0])
def test_an_invalid_area_is_an_error(area):
    maps = torch.tensor(batch()[0])
    with pytest.raises(ValueError, match="`area`"):
        adapted.NormalizedCrossCorrelation().update(maps[0], maps[1], area=area)
