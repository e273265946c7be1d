"""Metrics for training loops, as classes of torchmetrics."""

from __future__ import annotations

from torch import Tensor

from gazesal.adapters._map_metrics import MapMetric, ShuffledMapMetric
from gazesal.adapters._map_rows import as_rows, scores_on_area
from gazesal.adapters.batched import auc_scores, kl_scores, ncc_scores, nss_scores

__all__ = [
    "NSS",
    "AUCBorji",
    "KLDivergence",
    "NormalizedCrossCorrelation",
    "ShuffledAUC",
    "ShuffledNCC",
]


class NormalizedCrossCorrelation(MapMetric):
    """Mean NCC of saliency maps and gaze maps over images.

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

    def update(
        self, saliency_maps: Tensor, gaze_maps: Tensor, *, area: Tensor | None = None
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        gaze_maps : torch.Tensor, of the same shape
            Gaze density of each image.
        area : torch.Tensor of bool, shape (H, W) or of the maps, optional
            Mask that is true for pixels that count. Other pixels count in nothing, and may be NaN.
            By default all pixels count.

        Raises
        ------
        ValueError
            If a map is invalid, or `area` is not a mask of its size with a valid pixel.
        """
        self._add(scores_on_area(ncc_scores, area, saliency_maps, gaze_maps))


class AUCBorji(MapMetric):
    """Mean exact AUC of saliency maps over images, with gaze maps as densities.

    Parameters
    ----------
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    auc_borji : The metric of one image, with its definition.

    Notes
    -----
    The AUC of :footcite:t:`borji2013`, computed exactly instead of from random samples.

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

    def update(
        self, saliency_maps: Tensor, gaze_maps: Tensor, *, area: Tensor | None = None
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        gaze_maps : torch.Tensor, of the same shape
            Weight of each pixel as a positive.
        area : torch.Tensor of bool, shape (H, W) or of the maps, optional
            Mask that is true for pixels that count. Other pixels count in nothing, and may be NaN.
            By default all pixels count.

        Raises
        ------
        ValueError
            If a map is invalid, or `area` is not a mask of its size with a valid pixel.
        """
        self._add(scores_on_area(auc_scores, area, saliency_maps, gaze_maps))


class NSS(MapMetric):
    """Mean normalized scanpath saliency at fixated pixels over images.

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

    def update(
        self, saliency_maps: Tensor, fixation_maps: Tensor, *, area: Tensor | None = None
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        fixation_maps : torch.Tensor, of the same shape
            Number of fixations at each pixel, or their weight.
        area : torch.Tensor of bool, shape (H, W) or of the maps, optional
            Mask that is true for pixels that count. Other pixels count in nothing, and may be NaN.
            By default all pixels count.

        Raises
        ------
        ValueError
            If a map is invalid, or `area` is not a mask of its size with a valid pixel.
        """
        self._add(scores_on_area(nss_scores, area, saliency_maps, fixation_maps))


class KLDivergence(MapMetric):
    """Mean Kullback-Leibler divergence of saliency maps from gaze maps over images.

    Parameters
    ----------
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    kl_scores : The scores of a batch, with the definition.

    Notes
    -----
    The divergence of :footcite:t:`kullback1951`, with the gaze map as the first density.

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

    def update(
        self, saliency_maps: Tensor, gaze_maps: Tensor, *, area: Tensor | None = None
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test, non-negative. A map that is zero everywhere counts in ``n_undefined``.
        gaze_maps : torch.Tensor, of the same shape
            Gaze density of each image, non-negative.
        area : torch.Tensor of bool, shape (H, W) or of the maps, optional
            Mask that is true for pixels that count. Other pixels count in nothing, and may be NaN.
            By default all pixels count.

        Raises
        ------
        ValueError
            If a map is invalid, or `area` is not a mask of its size with a valid pixel.
        """
        self._add(scores_on_area(kl_scores, area, saliency_maps, gaze_maps))


class ShuffledNCC(ShuffledMapMetric):
    """Mean shuffled NCC of saliency maps and gaze maps over images.

    Parameters
    ----------
    center_bias : torch.Tensor, shape (H, W), optional
        Gaze density that does not depend on the image, if it is the same for all batches.
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    sncc : The metric of one image, with its definition.

    Notes
    -----
    The metric of :footcite:t:`bigolin2021`.

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
        as_rows(
            saliency_maps=saliency_maps, center_bias=center_bias
        )  # so that errors name `center_bias`
        return ncc_scores(saliency_maps, gaze_maps) - ncc_scores(saliency_maps, center_bias)


class ShuffledAUC(ShuffledMapMetric):
    """Mean exact shuffled AUC of saliency maps over images, with gaze maps as densities.

    Parameters
    ----------
    center_bias : torch.Tensor, shape (H, W), optional
        Gaze density that does not depend on the image, if it is the same for all batches.
    **kwargs
        Options of ``torchmetrics.Metric``.

    See Also
    --------
    sauc : The metric of one image, with its definition.

    Notes
    -----
    The AUC that :footcite:t:`bigolin2021` use, computed exactly instead of from random samples.

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
