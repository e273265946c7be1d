"""Metrics for training loops, in the form of torchmetrics."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from gazesal.adapters.batched import (
    as_rows,
    auc_scores,
    kl_scores,
    ncc_scores,
    nss_scores,
    same_for_all,
)
from gazesal.exceptions import UndefinedMetricWarning

__all__ = [
    "NSS",
    "AUCBorji",
    "KLDivergence",
    "NormalizedCrossCorrelation",
    "ShuffledAUC",
    "ShuffledNCC",
]


class MapMetric(Metric):
    """Mean over images of a score of maps; what the metrics below share.

    The state is three sums, in float64 and integers, so processes of any number and batches of any
    size give the same mean up to the last digits.

    Attributes
    ----------
    total : torch.Tensor of float64
        Sum of the scores that are defined.
    n_scored : torch.Tensor of int64
        Number of them.
    n_undefined : torch.Tensor of int64
        Number of images whose score is not defined, which the mean leaves out.
    """

    is_differentiable = False
    full_state_update = False
    higher_is_better = True
    total: Tensor
    n_scored: Tensor
    n_undefined: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("n_scored", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("n_undefined", torch.tensor(0), dist_reduce_fx="sum")

    def _add(self, scores: Tensor) -> None:
        scores = scores.to(self.total.device)  # maps may lie on another device than the metric
        defined = ~scores.isnan()
        self.total += scores.detach().nan_to_num(nan=0.0).sum()
        self.n_scored += defined.sum()
        self.n_undefined += (~defined).sum()

    def compute(self) -> Tensor:
        """Return the mean over all images so far.

        Returns
        -------
        torch.Tensor of float64, scalar
            Mean of the scores that are defined, ``nan`` if none is.

        Warns
        -----
        UndefinedMetricWarning
            If there is no image with a defined score.
        """
        if self.n_scored == 0:
            warnings.warn(
                f"{type(self).__name__} is undefined: none of {int(self.n_undefined)} images has "
                "a score.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
            return torch.full_like(self.total, math.nan)
        return self.total / self.n_scored


class NormalizedCrossCorrelation(MapMetric):
    """NCC of saliency maps and gaze maps, the mean over images.

    Parameters
    ----------
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    ncc : The metric of one image, with its definition.

    Notes
    -----
    The CC of :footcite:t:`bylinskii2019`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.torchmetrics import NormalizedCrossCorrelation
    >>> metric = NormalizedCrossCorrelation()
    >>> maps = torch.rand(4, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> metric.update(maps, 2 * maps + 1)
    >>> round(metric.compute().item(), 12)
    1.0
    """

    def update(self, saliency_maps: Tensor, gaze_maps: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        gaze_maps : torch.Tensor, of the same shape
            Where people looked.
        """
        self._add(ncc_scores(saliency_maps, gaze_maps))


class AUCBorji(MapMetric):
    """Exact AUC of saliency maps against gaze maps as densities, the mean over images.

    Parameters
    ----------
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    auc_borji : The metric of one image, with its definition.

    Notes
    -----
    After :footcite:t:`borji2013`, exact where they draw.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.torchmetrics import AUCBorji
    >>> metric = AUCBorji()
    >>> metric(torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[0.0, 1.0]]])).item()
    0.75
    """

    def update(self, saliency_maps: Tensor, gaze_maps: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        gaze_maps : torch.Tensor, of the same shape
            Weight of each pixel as a positive.
        """
        self._add(auc_scores(saliency_maps, gaze_maps))


class NSS(MapMetric):
    """Normalized scanpath saliency at fixated pixels, the mean over images.

    Parameters
    ----------
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    nss_scores : The scores of a batch, with the definition.

    Notes
    -----
    The measure of :footcite:t:`peters2005`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.torchmetrics import NSS
    >>> metric = NSS()
    >>> round(metric(torch.tensor([[[0.0, 0, 0, 4]]]), torch.tensor([[[0, 0, 0, 2]]])).item(), 4)
    1.7321
    """

    def update(self, saliency_maps: Tensor, fixation_maps: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        fixation_maps : torch.Tensor, of the same shape
            Number of fixations at each pixel, or their weight.
        """
        self._add(nss_scores(saliency_maps, fixation_maps))


class KLDivergence(MapMetric):
    """Kullback-Leibler divergence of saliency maps from gaze maps, the mean over images.

    Parameters
    ----------
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    kl_scores : The scores of a batch, with the definition.

    Notes
    -----
    The divergence of :footcite:t:`kullback1951`, gaze first.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.torchmetrics import KLDivergence
    >>> metric = KLDivergence()
    >>> round(metric(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[[1.0, 0.0]]])).item(), 4)
    0.6931
    """

    higher_is_better = False

    def update(self, saliency_maps: Tensor, gaze_maps: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test, non-negative. One that is zero everywhere counts in ``n_undefined``.
        gaze_maps : torch.Tensor, of the same shape
            Where people looked, non-negative.
        """
        self._add(kl_scores(saliency_maps, gaze_maps))


class ShuffledMapMetric(MapMetric):
    """What the metrics that compare with a center bias share."""

    center_bias: Tensor | None

    def __init__(self, center_bias: Tensor | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bias = None if center_bias is None else torch.as_tensor(center_bias)
        self.register_buffer("center_bias", bias, persistent=False)

    def update(
        self, saliency_maps: Tensor, gaze_maps: Tensor, center_bias: Tensor | None = None
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        gaze_maps : torch.Tensor, of the same shape
            Where people looked.
        center_bias : torch.Tensor, of the same shape or (H, W), optional
            Where people look at any image, moved to the device of the maps. By default the one
            given at the start.

        Raises
        ------
        ValueError
            If there is no center bias, or the maps are not valid; see `ncc_scores` and
            `auc_scores`.
        """
        bias = self.center_bias if center_bias is None else center_bias
        if bias is None:
            raise ValueError("`center_bias` must be given, here or at the start.")
        self._add(self._scores(saliency_maps, gaze_maps, same_for_all(bias, saliency_maps)))

    def _scores(self, saliency_maps: Tensor, gaze_maps: Tensor, center_bias: Tensor) -> Tensor:
        raise NotImplementedError


class ShuffledNCC(ShuffledMapMetric):
    """Shuffled NCC of saliency maps and gaze maps, the mean over images.

    Parameters
    ----------
    center_bias : torch.Tensor, shape (H, W), optional
        Where people look at any image, if it is the same for all images.
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    sncc : The metric of one image, with its definition.

    Notes
    -----
    As :footcite:t:`bigolin2021` define it.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.torchmetrics import ShuffledNCC
    >>> metric = ShuffledNCC(torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0]]))
    >>> saliency_maps = torch.tensor([[[0.0, 0.0, 9.0], [0.0, 1.0, 0.0]]])
    >>> gaze_maps = torch.tensor([[[0.0, 0.0, 4.0], [0.0, 1.0, 1.0]]])
    >>> round(metric(saliency_maps, gaze_maps).item(), 4)
    1.3178
    """

    def _scores(self, saliency_maps: Tensor, gaze_maps: Tensor, center_bias: Tensor) -> Tensor:
        as_rows(saliency_maps=saliency_maps, center_bias=center_bias)  # named in errors
        return ncc_scores(saliency_maps, gaze_maps) - ncc_scores(saliency_maps, center_bias)


class ShuffledAUC(ShuffledMapMetric):
    """Exact shuffled AUC of saliency maps against gaze maps, the mean over images.

    Parameters
    ----------
    center_bias : torch.Tensor, shape (H, W), optional
        Where people look at any image, if it is the same for all images.
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    sauc : The metric of one image, with its definition.

    Notes
    -----
    As :footcite:t:`bigolin2021` use it, exact where they draw.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.torchmetrics import ShuffledAUC
    >>> metric = ShuffledAUC(torch.tensor([[1.0, 1.0, 1.0], [1.0, 4.0, 1.0]]))
    >>> saliency_maps = torch.tensor([[[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]])
    >>> gaze_maps = torch.tensor([[[0.0, 0.0, 3.0], [0.0, 1.0, 0.0]]])
    >>> round(metric(saliency_maps, gaze_maps).item(), 4)
    0.8333
    """

    def _scores(self, saliency_maps: Tensor, gaze_maps: Tensor, center_bias: Tensor) -> Tensor:
        return auc_scores(saliency_maps, gaze_maps, center_bias)
