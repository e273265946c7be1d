"""Metrics of batches compared with scores of images, and losses with finite differences."""

import math
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from gazesal.adapters import batched
from gazesal.adapters import torchmetrics as adapted

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
SHUFFLED = {"sncc": adapted.ShuffledNCC, "sauc": adapted.ShuffledAUC}
PLAIN = {"ncc": adapted.NormalizedCrossCorrelation, "auc_borji": adapted.AUCBorji}


def nss(saliency, fixations):
    """Return the mean z-score over a list of fixated pixels."""
    z = (saliency - saliency.mean()) / saliency.std()
    rows, columns = np.nonzero(fixations)
    visits = [z[r, c] for r, c in zip(rows, columns, strict=True) for _ in range(fixations[r, c])]
    return np.mean(visits)


def kl(saliency, gaze):
    """Return the divergence of the MIT benchmark."""
    p, q, eps = saliency / saliency.sum(), gaze / gaze.sum(), np.finfo(float).eps
    return sum(b * np.log(eps + b / (a + eps)) for a, b in zip(p.flat, q.flat, strict=True))


@st.composite
def batches(draw):
    """Return saliency maps with ties and constants, gaze maps with zeros, and center biases."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    levels = draw(st.sampled_from([1, 2, 5, 10**6]))
    scale = draw(st.sampled_from([1e-12, 1.0, 1e9]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    saliency = (rng.integers(0, levels, shape) * scale - scale).astype(dtype)
    gaze, bias = rng.integers(0, 3, (2, *shape)).astype(dtype)
    gaze[:, 0, 0] += 1
    bias[:, -1, -1] += 1
    return saliency, gaze, bias


def by_image(name, *maps):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
        return np.array([getattr(gazesal, name)(*one) for one in zip(*maps, strict=True)])


def batch_scores(name, saliency, gaze, bias):
    saliency, gaze, bias = map(torch.from_numpy, (saliency, gaze, bias))
    if name == "ncc":
        return batched.ncc_scores(saliency, gaze).numpy()
    if name == "sncc":
        return (batched.ncc_scores(saliency, gaze) - batched.ncc_scores(saliency, bias)).numpy()
    return batched.auc_scores(saliency, gaze, *([bias] if name == "sauc" else [])).numpy()


@pytest.mark.parametrize("name", ["ncc", "sncc", "auc_borji", "sauc"])
@given(case=batches())
def test_batch_scores_equal_scores_of_images(name, case):
    expected = by_image(name, *(case if name in SHUFFLED else case[:2]))
    np.testing.assert_allclose(batch_scores(name, *case), expected, rtol=0, atol=1e-12)


@given(case=batches())
def test_nss_and_kl_equal_the_metrics(case):
    saliency, gaze, _ = (values.astype(np.float64) for values in case)
    actual = batched.nss_scores(torch.from_numpy(saliency), torch.from_numpy(gaze)).numpy()
    for score, one, visits in zip(actual, saliency, gaze.astype(int), strict=True):
        if one.min() == one.max():
            assert np.isnan(score)
        else:
            assert score == pytest.approx(nss(one, visits), rel=1e-9, abs=1e-12)
    positive = saliency - saliency.min() + 0.5
    actual = batched.kl_scores(torch.from_numpy(positive), torch.from_numpy(gaze)).numpy()
    expected = [kl(one, weights) for one, weights in zip(positive, gaze, strict=True)]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e-290, 1e290])
@pytest.mark.parametrize("offset", [0.0, 1e2, 1e6, 1e12])
def test_an_offset_costs_no_digits(offset, scale):
    rng = np.random.default_rng(0)
    saliency, gaze = (offset + rng.random((1, 9, 9))) * scale, rng.random((1, 9, 9))
    s, g = ([Fraction(value) for value in values.ravel()] for values in (saliency, gaze))
    s, g = ([value - sum(values) / 81 for value in values] for values in (s, g))
    unit = max(map(abs, s))
    s = [value / unit for value in s]
    both = sum(a * b for a, b in zip(s, g, strict=True))
    own, other = float(sum(a * a for a in s)), float(sum(b * b for b in g))
    found = batched.ncc_scores(torch.from_numpy(saliency), torch.from_numpy(gaze)).item()
    assert found == pytest.approx(float(both) / (own * other) ** 0.5, abs=1e-15)
    points = torch.zeros(1, 9, 9)
    points[0, 2, 3], points[0, 7, 7] = 1, 2
    expected = float(s[2 * 9 + 3] + 2 * s[7 * 9 + 7]) / 3 / (own / 81) ** 0.5
    found = batched.nss_scores(torch.from_numpy(saliency), points).item()
    assert found == pytest.approx(expected, abs=4e-15)


def maps(n=12, shape=(9, 11), dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand((n, *shape), generator=generator, dtype=dtype) for _ in range(3)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [*PLAIN, *SHUFFLED])
def test_metrics_are_means_over_images_for_every_batching(name, dtype):
    saliency, gaze, bias = maps(dtype=dtype)
    arrays = [values.numpy() for values in (saliency, gaze, bias)]
    if name in PLAIN:
        metric, given = PLAIN[name](), (saliency, gaze)
        expected = by_image(name, *arrays[:2]).mean()
    else:
        metric, given = SHUFFLED[name](), (saliency, gaze, bias)
        expected = by_image(name, *arrays).mean()
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    for start, stop in ((0, 5), (5, 6), (6, 12)):
        metric.update(*(values[start:stop, None] for values in given))
    assert metric.compute().item() == pytest.approx(expected, abs=tolerance)
    assert (metric.n_scored, metric.n_undefined) == (12, 0)
    first = metric(*(values[:4] for values in given))  # the value of a batch alone
    assert first.item() == pytest.approx(
        by_image(name, *(a[:4] for a in arrays[: len(given)])).mean(), abs=tolerance
    )
    metric.reset()
    assert metric.n_scored == 0


@pytest.mark.parametrize("name", SHUFFLED)
def test_one_center_bias_is_used_for_all_images(name):
    saliency, gaze, bias = maps()
    metric = SHUFFLED[name](bias[0])
    assert not metric.state_dict()
    metric.update(saliency, gaze)
    each = SHUFFLED[name]()
    each.update(saliency, gaze, bias[:1].expand(12, -1, -1))
    assert metric.compute() == each.compute()
    with pytest.raises(ValueError, match="`center_bias` must be given"):
        SHUFFLED[name]().update(saliency, gaze)


@pytest.mark.parametrize(
    ("kind", "function"), [("NSS", "nss_scores"), ("KLDivergence", "kl_scores")]
)
def test_other_metrics_are_means(kind, function):
    saliency, gaze, _ = maps()
    metric = getattr(adapted, kind)()
    for part in (slice(0, 5), slice(5, 12)):
        metric.update(saliency[part], gaze[part])
    expected = getattr(batched, function)(saliency, gaze).mean()
    assert metric.compute().item() == pytest.approx(expected.item(), rel=1e-12)


def test_undefined_scores_are_excluded_and_counted():
    saliency, gaze, _ = maps(3)
    saliency[1] = 0.1
    metric = adapted.NormalizedCrossCorrelation()
    metric.update(saliency, gaze)
    expected = by_image("ncc", saliency[::2].numpy(), gaze[::2].numpy()).mean()
    assert metric.compute().item() == pytest.approx(expected, abs=1e-6)
    assert (metric.n_scored, metric.n_undefined) == (2, 1)
    metric.reset()
    metric.update(saliency[1:2], gaze[1:2])
    with pytest.warns(gazesal.UndefinedMetricWarning, match="none of 1 images has a score"):
        assert metric.compute().isnan()


PROCESS = """
import sys, torch, warnings
warnings.simplefilter("ignore")
import torch.distributed as dist
from gazesal.adapters.torchmetrics import NormalizedCrossCorrelation
rank, path = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
generator = torch.Generator().manual_seed(0)
saliency, gaze = torch.rand((2, 5, 6, 7), generator=generator)
metric = NormalizedCrossCorrelation()
part = slice(0, 2) if rank == 0 else slice(2, 5)
metric.update(saliency[part], gaze[part])
print(repr(metric.compute().item()))
dist.destroy_process_group()
"""


def test_state_is_summed_over_processes(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    values = [float(process.communicate(timeout=300)[0]) for process in processes]
    generator = torch.Generator().manual_seed(0)
    saliency, gaze = torch.rand((2, 5, 6, 7), generator=generator)
    expected = batched.ncc_scores(saliency, gaze).mean().item()
    assert values == pytest.approx([expected, expected], rel=1e-12)


@needs_gpu
@pytest.mark.parametrize("name", [*PLAIN, *SHUFFLED])
def test_gpu_gives_the_same_scores(name):
    saliency, gaze, bias = maps()
    saliency = (saliency * 20).round()  # ties
    given = (saliency, gaze) if name in PLAIN else (saliency, gaze, bias)
    here = (PLAIN | SHUFFLED)[name]()
    there = (PLAIN | SHUFFLED)[name]().cuda()
    here.update(*given)
    there.update(*(values.cuda() for values in given))
    assert there.compute().is_cuda
    assert there.compute().item() == pytest.approx(here.compute().item(), abs=1e-12)


@pytest.mark.parametrize("loss", [batched.ncc_loss, batched.kl_loss])
def test_derivatives_of_losses_equal_numerical_ones(loss):
    saliency, gaze, _ = maps(3, (2, 4), torch.float64)
    assert torch.autograd.gradcheck(loss, (saliency.requires_grad_(), gaze.requires_grad_()))


def test_losses_are_means_of_the_scores():
    saliency, gaze, _ = maps()
    expected = 1 - batched.ncc_scores(saliency, gaze).mean().item()
    assert batched.ncc_loss(saliency, gaze).item() == pytest.approx(expected, abs=1e-6)
    expected = batched.kl_scores(saliency, gaze).mean().item()
    assert batched.kl_loss(saliency, gaze).item() == pytest.approx(expected, abs=1e-6)
    assert batched.kl_loss(saliency.half(), gaze).dtype == torch.float32


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_constant_maps_have_zero_gradient(value):
    saliency, gaze, _ = maps(3)
    saliency[1] = value
    saliency.requires_grad_()
    loss = batched.ncc_loss(saliency, gaze)
    loss.backward()
    assert saliency.grad.isfinite().all()
    assert (saliency.grad[1] == 0).all()
    assert (saliency.grad[0] != 0).any()
    scores = batched.ncc_scores(saliency[::2].detach(), gaze[::2])
    assert loss.item() == pytest.approx(1 - scores.sum().item() / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("function", "changes", "error", "message"),
    [
        ("ncc_scores", {0: torch.zeros(3, 4)}, ValueError, "`saliency_maps` must be non-empty"),
        ("ncc_scores", {1: torch.zeros(2, 3, 5)}, ValueError, "`gaze_maps` must have the shape of"),
        ("ncc_scores", {1: np.zeros((2, 3, 4))}, TypeError, "`gaze_maps` must be a tensor"),
        ("ncc_scores", {1: torch.zeros(2, 3, 4) * 1j}, TypeError, "real numbers"),
        ("ncc_loss", {0: torch.full((2, 3, 4), torch.nan)}, ValueError, "must be finite"),
        ("auc_scores", {1: -torch.ones(2, 3, 4)}, ValueError, "`gaze_maps` must be non-negative"),
        ("auc_scores", {1: torch.zeros(2, 3, 4)}, ValueError, "positive sum for every image"),
        ("auc_scores", {2: torch.zeros(3, 4)}, ValueError, "`center_bias` must have a positive"),
        ("nss_scores", {1: torch.zeros(2, 3, 4)}, ValueError, "`fixation_maps` must have a pos"),
        ("kl_loss", {0: -torch.ones(2, 3, 4)}, ValueError, "`saliency_maps` must be non-neg"),
        ("kl_scores", {0: torch.zeros(2, 2, 3, 4)}, ValueError, "`saliency_maps` must be non-em"),
    ],
)
def test_invalid_input_raises(function, changes, error, message):
    good = [torch.ones(2, 3, 4), torch.ones(2, 3, 4)]
    for position, value in changes.items():
        good[position : position + 1] = [value]
    with pytest.raises(error, match=message):
        getattr(batched, function)(*good)


def test_zero_predictions_have_finite_kl_loss():
    gaze = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0))
    saliency = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(1))
    saliency[0] = 0
    saliency.requires_grad_()
    loss = batched.kl_loss(saliency, gaze)
    loss.backward()
    q = gaze[0].double() / gaze[0].double().sum()
    empty = (q * torch.log(2**-52 + q / 2**-52)).sum()
    full = batched.kl_scores(saliency[1:].detach(), gaze[1:])[0]
    assert loss.item() == pytest.approx((empty + full).item() / 2, rel=1e-6)
    assert (saliency.grad[0] == 0).all()
    assert saliency.grad[1].isfinite().all()
    assert (saliency.grad[1] != 0).any()
    assert batched.kl_scores(saliency.detach(), gaze).isnan().tolist() == [True, False]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_maps_constant_up_to_rounding_are_scored_as_constants(dtype, mode):
    flat = torch.nn.functional.interpolate(
        torch.full((2, 1, 7, 7), 0.1, dtype=dtype), size=(48, 64), mode=mode, align_corners=False
    )
    assert flat.min() < flat.max()
    maps = torch.rand(2, 1, 48, 64, generator=torch.Generator().manual_seed(0), dtype=dtype)
    assert batched.ncc_scores(flat, maps).isnan().all()
    assert batched.ncc_scores(maps, flat).isnan().all()
    assert batched.nss_scores(flat, (maps > 0.9).to(dtype)).isnan().all()
    assert batched.auc_scores(flat, maps).tolist() == [0.5, 0.5]
    both = torch.cat([flat[:1], maps[:1]])
    got = batched.ncc_scores(both, maps)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="constant up to rounding"):
        assert math.isnan(gazesal.ncc(both[0, 0], maps[0, 0]))
    assert got[0].isnan()
    assert got[1].item() == pytest.approx(gazesal.ncc(both[1, 0], maps[1, 0]), abs=1e-12)
