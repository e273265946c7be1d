"""Metrics of batches of maps on their device, and losses to train with."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gazesal.maps.constancy import ROUNDING_STEPS, SINGLE, is_constant

__all__ = ["auc_scores", "kl_loss", "kl_scores", "ncc_loss", "ncc_scores", "nss_scores"]

EPS = 2.0**-52  # in the logarithm of the KL divergence, as in the MIT benchmark


def ncc_scores(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    """Compute the NCC of each saliency map of a batch.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, any scale, finite.
    gaze_maps : torch.Tensor, of the same shape
        Where people looked, any scale, finite.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        As `ncc` of each pair; ``nan`` if either map is constant, exactly or up to rounding.

    Raises
    ------
    ValueError
        If the maps have other or different shapes, lie on different devices, or hold NaN or
        infinity.
    TypeError
        If something is not a tensor of real numbers.

    See Also
    --------
    ncc_loss : To train with.

    Notes
    -----
    The CC of :footcite:t:`bylinskii2019`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.batched import ncc_scores
    >>> maps = torch.tensor([[[0.0, 1.0, 2.0]], [[1.0, 1.0, 1.0]]])
    >>> [round(score, 12) for score in ncc_scores(maps, maps * 2).tolist()]
    [1.0, nan]
    """
    saliency, gaze = as_rows(saliency_maps=saliency_maps, gaze_maps=gaze_maps)
    score = (_unit(saliency) * _unit(gaze)).sum(dim=1).clamp(-1, 1)
    return score.masked_fill(_nearly_constant(saliency) | _nearly_constant(gaze), torch.nan)


def auc_scores(
    saliency_maps: Tensor, gaze_maps: Tensor, center_bias: Tensor | None = None
) -> Tensor:
    r"""Compute the exact AUC of each saliency map of a batch, by sorting on the device.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, any scale, finite.
    gaze_maps : torch.Tensor, of the same shape
        Weight of each pixel as a positive, non-negative, any scale.
    center_bias : torch.Tensor, of the same shape or (H, W), optional
        Weight of each pixel as a negative, for the shuffled AUC. By default all pixels alike.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        As `auc_borji` of each pair, or as `sauc` with the center bias; 0.5 if the saliency map is
        constant, exactly or up to rounding.

    Raises
    ------
    ValueError
        If the maps have other or different shapes, lie on different devices, hold NaN or infinity,
        or weights are negative or all zero. The center bias may lie on another device.
    TypeError
        If something is not a tensor of real numbers.

    Notes
    -----
    Pixels are sorted by saliency; with the cumulative weights of the negatives before and after
    each run of ties, :math:`\mathrm{AUC} = \sum_i p_i (Q^-_i + Q^+_i) / 2`. Weights are summed in
    float64.

    The areas of :footcite:t:`borji2013` and :footcite:t:`bigolin2021`, exact where they draw.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.batched import auc_scores
    >>> saliency_maps = torch.tensor([[[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]])
    >>> gaze_maps = torch.tensor([[[0.0, 0.0, 3.0], [0.0, 1.0, 0.0]]])
    >>> auc_scores(saliency_maps, gaze_maps).item()
    0.8125
    """
    if center_bias is None:
        saliency, gaze = as_rows(saliency_maps=saliency_maps, gaze_maps=gaze_maps, exact=True)
        negative = torch.full_like(gaze, 1 / gaze.shape[1], dtype=torch.float64)
    else:
        bias = same_for_all(center_bias, saliency_maps)
        saliency, gaze, bias = as_rows(
            saliency_maps=saliency_maps, gaze_maps=gaze_maps, center_bias=bias, exact=True
        )
        negative = _shares(bias, name="center_bias")
    positive = _shares(gaze, name="gaze_maps")
    values, order = saliency.sort(dim=1)
    p, q = positive.gather(1, order), negative.gather(1, order)
    upto = q.cumsum(dim=1)
    edge = torch.ones_like(values[:, :1], dtype=torch.bool)
    new = torch.cat([edge, values[:, 1:] != values[:, :-1]], dim=1)
    last = torch.cat([new[:, 1:], edge], dim=1)
    before = torch.where(new, torch.cat([torch.zeros_like(q[:, :1]), upto[:, :-1]], dim=1), 0.0)
    before = before.cummax(dim=1).values  # of a run of ties, what lies before the first
    after = torch.where(last, upto, torch.inf).flip(1).cummin(dim=1).values.flip(1)
    wins = (p * (before + after)).sum(dim=1) / 2
    area: Tensor = (wins / (p.sum(dim=1) * upto[:, -1])).clamp(0, 1)
    return area.masked_fill(_nearly_constant(saliency), 0.5)


def nss_scores(saliency_maps: Tensor, fixation_maps: Tensor) -> Tensor:
    r"""Compute the normalized scanpath saliency (NSS) of each saliency map of a batch.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, any scale, finite.
    fixation_maps : torch.Tensor, of the same shape
        Number of fixations at each pixel, or their weight; not blurred.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        Higher is better, 0 is chance; ``nan`` if the saliency map is constant, exactly or up to
        rounding.

    Raises
    ------
    ValueError
        If the maps have other or different shapes, lie on different devices, hold NaN or infinity,
        or there is an image without fixations or with negative weights.
    TypeError
        If something is not a tensor of real numbers.

    Notes
    -----
    The mean, over fixations, of :math:`(S - \mu) / \sigma` at their pixels, with the population
    deviation :math:`\sigma` :footcite:p:`bylinskii2019`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.batched import nss_scores
    >>> nss_scores(torch.tensor([[[0.0, 0.0, 0.0, 4.0]]]), torch.tensor([[[0, 0, 0, 2]]]))
    tensor([1.7321], dtype=torch.float64)
    """
    saliency, fixations = as_rows(saliency_maps=saliency_maps, fixation_maps=fixation_maps)
    share = _shares(fixations, name="fixation_maps")
    score = (share * _unit(saliency)).sum(dim=1) * math.sqrt(saliency.shape[1])
    return score.masked_fill(_nearly_constant(saliency), torch.nan)


def kl_scores(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    r"""Compute the Kullback-Leibler divergence of each saliency map of a batch.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, non-negative, any scale.
    gaze_maps : torch.Tensor, of the same shape
        Where people looked, non-negative, any scale.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        In nats; lower is better, 0 if both are the same density. ``nan`` if the saliency map is
        zero everywhere, since it is not a density then.

    Raises
    ------
    ValueError
        If the maps have other or different shapes, lie on different devices, hold NaN or infinity
        or are negative, or a gaze map is zero everywhere.
    TypeError
        If something is not a tensor of real numbers.

    See Also
    --------
    kl_loss : To train with.

    Notes
    -----
    With both maps divided by their sums, :math:`\sum Q \ln(\epsilon + Q / (S + \epsilon))`, the
    gaze map :math:`Q` first, :math:`\epsilon = 2^{-52}` :footcite:p:`bylinskii2019`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.batched import kl_scores
    >>> kl_scores(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[[1.0, 0.0]]]))
    tensor([0.6931], dtype=torch.float64)
    """
    saliency, gaze = as_rows(saliency_maps=saliency_maps, gaze_maps=gaze_maps)
    empty, filled = _without_empty(saliency)
    return _divergence(filled, gaze).masked_fill(empty, torch.nan)


def ncc_loss(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    """Return one less the mean NCC of a batch, to be minimized.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Predicted maps.
    gaze_maps : torch.Tensor, of the same shape
        Where people looked.

    Returns
    -------
    torch.Tensor, scalar
        In [0, 2], differentiable by both, in the precision of the predicted maps.

    Raises
    ------
    ValueError
        If the maps have other or different shapes, lie on different devices, or hold NaN or
        infinity.
    TypeError
        If something is not a tensor of real numbers.

    See Also
    --------
    ncc_scores : The metric, in float64.

    Notes
    -----
    Where a map is constant, the NCC is undefined and has no derivative. Training must go on, so
    such an image counts as uncorrelated here, with a derivative of zero.

    One less the CC of :footcite:t:`bylinskii2019`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.batched import ncc_loss
    >>> predicted = torch.tensor([[[0.0, 2.0, 1.0]]], requires_grad=True)
    >>> loss = ncc_loss(predicted, torch.tensor([[[0.0, 1.0, 2.0]]]))
    >>> loss.backward()
    >>> round(loss.item(), 6)
    0.5
    """
    saliency, gaze = as_rows(saliency_maps=saliency_maps, gaze_maps=gaze_maps, single=True)
    undefined = (_constant(saliency) | _constant(gaze))[:, None]
    ramp = torch.linspace(-1, 1, gaze.shape[1], dtype=gaze.dtype, device=gaze.device)
    # in place of a constant map, one that has a derivative, which then counts for nothing
    saliency, gaze = (torch.where(undefined, ramp, rows) for rows in (saliency, gaze))
    score = (_unit(saliency) * _unit(gaze)).sum(dim=1)
    return 1 - torch.where(undefined[:, 0], 0.0, score).mean()


def kl_loss(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence of a batch, to be minimized.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Predicted maps, non-negative, any scale.
    gaze_maps : torch.Tensor, of the same shape
        Where people looked, non-negative, any scale.

    Returns
    -------
    torch.Tensor, scalar
        In nats, differentiable by both, in the precision of the predicted maps.

    Raises
    ------
    ValueError
        If the maps have other or different shapes, lie on different devices, hold NaN or infinity,
        are negative, or a gaze map is zero everywhere.
    TypeError
        If something is not a tensor of real numbers.

    See Also
    --------
    kl_scores : The metric, in float64, with the equation.

    Notes
    -----
    A predicted map that is zero everywhere, as a network with a last ReLU may return, is no
    density. Training must go on, so it counts with a density of zero in the equation, about 36 less
    the entropy of the gaze map in nats, with a derivative of zero.

    The divergence of :footcite:t:`kullback1951`, with the constant that
    :footcite:t:`bylinskii2019` describe.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.batched import kl_loss
    >>> predicted = torch.tensor([[[1.0, 1.0]]], requires_grad=True)
    >>> kl_loss(predicted, torch.tensor([[[1.0, 0.0]]])).item()
    0.6931471824645996
    """
    saliency, gaze = as_rows(saliency_maps=saliency_maps, gaze_maps=gaze_maps, single=True)
    empty, filled = _without_empty(saliency)
    q = _shares(gaze, name="gaze_maps")
    lost = (q * torch.log(EPS + q / EPS)).sum(dim=1).detach()
    return torch.where(empty, lost, _divergence(filled, gaze)).mean()


def same_for_all(center_bias: Tensor, like: Tensor) -> Tensor:
    """Move a center bias to the device of a batch, and repeat one (H, W) for every image."""
    if not (isinstance(center_bias, Tensor) and isinstance(like, Tensor)):
        return center_bias  # reported with the other maps
    if not center_bias.is_meta:
        center_bias = center_bias.to(like.device)
    if center_bias.ndim == 2 and like.ndim in {3, 4}:
        return center_bias.expand(*like.shape[:-2], -1, -1)
    return center_bias


def as_rows(*, exact: bool = False, single: bool = False, **maps: Tensor) -> list[Tensor]:
    """Check a batch of maps of one shape and return each as rows (N, H * W).

    In float64, unless `exact`, which keeps the values of the first for sorting, or `single`, which
    takes the precision of the first, but at least float32.
    """
    rows = []
    first, reference = next(iter(maps.items()))
    for name, value in maps.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"`{name}` must be a tensor, got {type(value).__name__}.")
        if value.is_complex():
            raise TypeError(f"`{name}` must hold real numbers, got {value.dtype}.")
        flat = value.ndim == 3 or (value.ndim == 4 and value.shape[1] == 1)
        if not flat or value.numel() == 0:
            raise ValueError(
                f"`{name}` must be non-empty, of shape (N, H, W) or (N, 1, H, W), got "
                f"{tuple(value.shape)}."
            )
        if (len(value), *value.shape[-2:]) != (len(reference), *reference.shape[-2:]):
            raise ValueError(
                f"`{name}` must have the shape of `{first}`, {tuple(reference.shape)}, got "
                f"{tuple(value.shape)}."
            )
        if value.is_meta or value.device != reference.device:
            raise ValueError(
                f"`{name}` must hold values on the device of `{first}`, {reference.device}, got a "
                f"tensor on {value.device}. Move it there with `.to()`."
            )
        if not torch.isfinite(value).all():
            raise ValueError(f"`{name}` must be finite, got NaN or infinity.")
        row = value.flatten(1)
        if single:
            row = row.to(torch.promote_types(reference.dtype, torch.float32))
        elif not (exact and name == first):
            row = row.to(torch.float64)
        rows.append(row)
    return rows


def _constant(rows: Tensor) -> Tensor:
    return rows.amin(dim=1) == rows.amax(dim=1)


def _nearly_constant(rows: Tensor) -> Tensor:
    """Return which rows are constant, exactly or up to rounding, by the rule of `is_constant`."""
    lowest, highest = rows.amin(dim=1), rows.amax(dim=1)
    flat = lowest == highest
    spread, largest = highest - lowest, torch.maximum(lowest.abs(), highest.abs())
    for i in (~flat & (spread <= ROUNDING_STEPS * SINGLE * largest)).nonzero()[:, 0].tolist():
        values = rows[i].detach().cpu().numpy()
        flat[i] = is_constant(values, float(lowest[i]), float(highest[i]))
    return flat


def _unit(rows: Tensor) -> Tensor:
    """Rows with mean 0 and length 1, from values of any scale."""
    # An offset goes first, so that it costs no digits; halves of large values do not overflow.
    halves = torch.where(rows.detach().abs().amax(dim=1, keepdim=True) > 1, 0.5, 1.0).to(rows.dtype)
    rows = rows * halves
    rows = rows - rows[:, :1]
    scale = rows.detach().abs().amax(dim=1, keepdim=True)
    rows = rows / torch.where(scale > 0, scale, 1.0)
    rows = rows - rows.mean(dim=1, keepdim=True)
    return rows / rows.square().sum(dim=1, keepdim=True).sqrt()


def _shares(rows: Tensor, *, name: str) -> Tensor:
    """Rows divided by their sums, checked to be weights."""
    if (rows < 0).any():
        raise ValueError(f"`{name}` must be non-negative, got {rows.min().item():g}.")
    sums = rows.sum(dim=1, keepdim=True)
    if (sums <= 0).any():
        raise ValueError(
            f"`{name}` must have a positive sum for every image, but image "
            f"{int((sums[:, 0] <= 0).nonzero()[0])} is zero everywhere."
        )
    return rows / sums


def _without_empty(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return flags of rows that are zero everywhere, and the rows with ones instead of these."""
    empty = (rows == 0).all(dim=1)
    return empty, torch.where(empty[:, None], torch.ones_like(rows), rows)


def _divergence(saliency: Tensor, gaze: Tensor) -> Tensor:
    p, q = _shares(saliency, name="saliency_maps"), _shares(gaze, name="gaze_maps")
    return (q * torch.log(EPS + q / (p + EPS))).sum(dim=1)
