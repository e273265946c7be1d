"""Metrics of batches of maps on their device, and losses for training."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gazesal.adapters._map_rows import (
    EPS,
    as_rows,
    constant,
    divergence,
    nearly_constant,
    same_for_all,
    share_rows,
    unit_rows,
    without_empty,
)

__all__ = ["auc_scores", "kl_loss", "kl_scores", "ncc_loss", "ncc_scores", "nss_scores"]


def ncc_scores(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    """Compute the NCC of each saliency map of a batch.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, any scale, finite.
    gaze_maps : torch.Tensor, of the same shape
        Gaze density of each image, any scale, finite.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        The `ncc` of each pair, ``nan`` if either map is constant, exactly or up to rounding.

    Raises
    ------
    ValueError
        If the maps have invalid or different shapes, are on different devices, or contain NaN or
        infinity.
    TypeError
        If an argument is not a tensor of real numbers.

    See Also
    --------
    ncc_loss : Differentiable loss.

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
    score = (unit_rows(saliency) * unit_rows(gaze)).sum(dim=1).clamp(-1, 1)
    return score.masked_fill(nearly_constant(saliency) | nearly_constant(gaze), torch.nan)


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
        Weight of each pixel as a negative, for the shuffled AUC. By default, all pixels have the
        same weight.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        The `auc_borji` of each pair, or the `sauc` with the center bias. 0.5 if the saliency map is
        constant, exactly or up to rounding.

    Raises
    ------
    ValueError
        If the maps have invalid or different shapes, are on different devices, or contain NaN or
        infinity, or weights are negative or all zero. The center bias may be on another device.
    TypeError
        If an argument is not a tensor of real numbers.

    Notes
    -----
    Pixels are sorted by saliency. With the cumulative weights of the negatives before and after
    each group of ties, :math:`\mathrm{AUC} = \sum_i p_i (Q^-_i + Q^+_i) / 2`. Weights are summed in
    float64.

    The areas of :footcite:t:`borji2013` and :footcite:t:`bigolin2021`, computed exactly instead of
    from random samples.

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
        negative = share_rows(bias, name="center_bias")
    positive = share_rows(gaze, name="gaze_maps")
    values, order = saliency.sort(dim=1)
    p, q = positive.gather(1, order), negative.gather(1, order)
    upto = q.cumsum(dim=1)
    edge = torch.ones_like(values[:, :1], dtype=torch.bool)
    new = torch.cat([edge, values[:, 1:] != values[:, :-1]], dim=1)
    last = torch.cat([new[:, 1:], edge], dim=1)
    before = torch.where(new, torch.cat([torch.zeros_like(q[:, :1]), upto[:, :-1]], dim=1), 0.0)
    before = before.cummax(dim=1).values  # the weight before the first pixel of a group of ties
    after = torch.where(last, upto, torch.inf).flip(1).cummin(dim=1).values.flip(1)
    wins = (p * (before + after)).sum(dim=1) / 2
    area: Tensor = (wins / (p.sum(dim=1) * upto[:, -1])).clamp(0, 1)
    return area.masked_fill(nearly_constant(saliency), 0.5)


def nss_scores(saliency_maps: Tensor, fixation_maps: Tensor) -> Tensor:
    r"""Compute the normalized scanpath saliency (NSS) of each saliency map of a batch.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, any scale, finite.
    fixation_maps : torch.Tensor, of the same shape
        Number of fixations at each pixel, or their weight, not blurred.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        Higher is better, and 0 is chance. ``nan`` if the saliency map is constant, exactly or up to
        rounding.

    Raises
    ------
    ValueError
        If the maps have invalid or different shapes, are on different devices, or contain NaN or
        infinity, or an image has no fixations or negative weights.
    TypeError
        If an argument is not a tensor of real numbers.

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
    share = share_rows(fixations, name="fixation_maps")
    score = (share * unit_rows(saliency)).sum(dim=1) * math.sqrt(saliency.shape[1])
    return score.masked_fill(nearly_constant(saliency), torch.nan)


def kl_scores(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    r"""Compute the Kullback-Leibler divergence of each saliency map of a batch.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Maps under test, non-negative, any scale.
    gaze_maps : torch.Tensor, of the same shape
        Gaze density of each image, non-negative, any scale.

    Returns
    -------
    torch.Tensor of float64, shape (N,)
        In nats. Lower is better, and 0 means equal densities. ``nan`` if the saliency map is zero
        everywhere, because it is not a density then.

    Raises
    ------
    ValueError
        If the maps have invalid or different shapes, are on different devices, or contain NaN,
        infinity or negative values, or a gaze map is zero everywhere.
    TypeError
        If an argument is not a tensor of real numbers.

    See Also
    --------
    kl_loss : Differentiable loss.

    Notes
    -----
    :math:`\sum Q \ln(\epsilon + Q / (S + \epsilon))` with the gaze map :math:`Q` and the saliency
    map :math:`S` divided by their sums, and :math:`\epsilon = 2^{-52}` :footcite:p:`bylinskii2019`.

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
    empty, filled = without_empty(saliency)
    return divergence(filled, gaze).masked_fill(empty, torch.nan)


def ncc_loss(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    """Return 1 minus the mean NCC of a batch, to be minimized.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Predicted maps.
    gaze_maps : torch.Tensor, of the same shape
        Gaze density of each image.

    Returns
    -------
    torch.Tensor, scalar
        In [0, 2], differentiable with respect to both, in the precision of the predicted maps.

    Raises
    ------
    ValueError
        If the maps have invalid or different shapes, are on different devices, or contain NaN or
        infinity.
    TypeError
        If an argument is not a tensor of real numbers.

    See Also
    --------
    ncc_scores : The metric, in float64.

    Notes
    -----
    If a map is constant, its NCC is undefined and has no derivative. To let training continue, such
    an image counts as uncorrelated, with a derivative of zero.

    The NCC is the CC of :footcite:t:`bylinskii2019`.

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
    undefined = (constant(saliency) | constant(gaze))[:, None]
    ramp = torch.linspace(-1, 1, gaze.shape[1], dtype=gaze.dtype, device=gaze.device)
    # a constant map is replaced by a ramp, whose derivative is finite and then multiplied by zero
    saliency, gaze = (torch.where(undefined, ramp, rows) for rows in (saliency, gaze))
    score = (unit_rows(saliency) * unit_rows(gaze)).sum(dim=1)
    return 1 - torch.where(undefined[:, 0], 0.0, score).mean()


def kl_loss(saliency_maps: Tensor, gaze_maps: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence of a batch, to be minimized.

    Parameters
    ----------
    saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
        Predicted maps, non-negative, any scale.
    gaze_maps : torch.Tensor, of the same shape
        Gaze density of each image, non-negative, any scale.

    Returns
    -------
    torch.Tensor, scalar
        In nats, differentiable with respect to both, in the precision of the predicted maps.

    Raises
    ------
    ValueError
        If the maps have invalid or different shapes, are on different devices, or contain NaN,
        infinity or negative values, or a gaze map is zero everywhere.
    TypeError
        If an argument is not a tensor of real numbers.

    See Also
    --------
    kl_scores : The metric, in float64, with the equation.

    Notes
    -----
    A predicted map that is zero everywhere is not a density. A network with a ReLU at the end may
    return one. To let training continue, it counts with a density of zero in the equation, which
    gives about 36 nats minus the entropy of the gaze map, with a derivative of zero.

    The divergence of :footcite:t:`kullback1951`, with the constant of :footcite:t:`bylinskii2019`.

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
    empty, filled = without_empty(saliency)
    q = share_rows(gaze, name="gaze_maps")
    lost = (q * torch.log(EPS + q / EPS)).sum(dim=1).detach()
    return torch.where(empty, lost, divergence(filled, gaze)).mean()
