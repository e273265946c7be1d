"""Base classes of the metrics for training loops."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from gazesal._warnings import warn
from gazesal.adapters._map_rows import same_for_all, scores_on_area
from gazesal.exceptions import UndefinedMetricWarning

__all__ = ["MapMetric", "ShuffledMapMetric"]


class MapMetric(Metric):
    """Mean over images of a score of maps.

    The state is three sums, in float64 and integers, so the mean does not depend on the number of
    processes and the size of the batches, except for the last digits.

    Attributes
    ----------
    total : torch.Tensor of float64
        Sum of the scores that are defined.
    n_scored : torch.Tensor of int64
        Number of images with a defined score.
    n_undefined : torch.Tensor of int64
        Number of images whose score is undefined, which the mean excludes.
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
        """Add the scores of a batch to the sums."""
        scores = scores.to(self.total.device)  # the maps may be on another device than the metric
        defined = ~scores.isnan()
        self.total += scores.detach().nan_to_num(nan=0.0).sum()
        self.n_scored += defined.sum()
        self.n_undefined += (~defined).sum()

    def compute(self) -> Tensor:
        """Return the mean over all images that were added.

        Returns
        -------
        torch.Tensor of float64, scalar
            Mean of the defined scores, ``nan`` without any.

        Warns
        -----
        UndefinedMetricWarning
            If no image has a defined score.
        """
        if self.n_scored == 0:
            warn(
                f"{type(self).__name__} is undefined, because none of {int(self.n_undefined)} "
                "images has a score.",
                UndefinedMetricWarning,
            )
            return torch.full_like(self.total, math.nan)
        return self.total / self.n_scored


class ShuffledMapMetric(MapMetric):
    """Mean over images of a score that compares with a center bias."""

    center_bias: Tensor | None

    def __init__(self, center_bias: Tensor | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bias = None if center_bias is None else torch.as_tensor(center_bias)
        self.register_buffer("center_bias", bias, persistent=False)

    def update(
        self,
        saliency_maps: Tensor,
        gaze_maps: Tensor,
        center_bias: Tensor | None = None,
        *,
        area: Tensor | None = None,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        saliency_maps : torch.Tensor, shape (N, H, W) or (N, 1, H, W)
            Maps under test.
        gaze_maps : torch.Tensor, of the same shape
            Gaze density of each image.
        center_bias : torch.Tensor, of the same shape or (H, W), optional
            Gaze density that does not depend on the image, which is moved to the device of the
            maps. By default, the center bias given to the constructor.
        area : torch.Tensor of bool, shape (H, W) or of the maps, optional
            Mask that is true for pixels that count. Other pixels count in nothing, and may be NaN.
            By default all pixels count.

        Raises
        ------
        ValueError
            If there is no center bias or a map is invalid, see `ncc_scores` and `auc_scores`, or
            `area` is not a mask of the size of the maps with a valid pixel.
        """
        bias = self.center_bias if center_bias is None else center_bias
        if bias is None:
            raise ValueError("`center_bias` must be given, here or to the constructor.")
        bias = same_for_all(bias, saliency_maps)
        self._add(scores_on_area(self._scores, area, saliency_maps, gaze_maps, bias))

    @abstractmethod
    def _scores(self, saliency_maps: Tensor, gaze_maps: Tensor, center_bias: Tensor) -> Tensor:
        """Compute the score of each image of a batch."""
