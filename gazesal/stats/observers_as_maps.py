"""Scores of maps that are made of some observers, against the gaze of another observer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_count, as_iterable, as_map, require_same_shape, weight_sums
from gazesal.metrics.maps_for_metric import LINEAR_METRICS, maps_for_metric
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import as_metrics
from gazesal.metrics.points import fixated_pixels
from gazesal.stats.density_mixture import mixture_shares
from gazesal.stats.noise_ceiling import as_gaze_maps
from gazesal.typing import Float64Array

__all__ = ["MIXED", "ObserversAsMaps"]

MIXED = ("information_gain", "kl_divergence", "log_likelihood")
MOST_PLACES = 1 << 10  # pixels of a gaze map from which the shares of a mixture are estimated


class ObserversAsMaps:
    """Score maps made of observers of one image against the gaze of other observers.

    The map that some observers predict is the best map by the metric for their mean gaze map; see
    `maps_for_metric`. By information gain, log-likelihood and KL, it is a mixture of their mean
    gaze map, the center bias and the uniform density. The shares of the mixture are fitted to these
    observers, each left out in turn.
    """

    def __init__(
        self,
        metric: str | Metric,
        gaze_maps: Iterable[ArrayLike],
        center_bias: ArrayLike | None,
        fixations: Iterable[ArrayLike] | None,
        other_fixations: ArrayLike | None,
        shrink: int | None,
    ) -> None:
        self.metric = as_metrics([metric])[0]
        self.maps = as_gaze_maps(gaze_maps)
        sums = [weight_sums(each, name=f"gaze_maps[{i}]")[1] for i, each in enumerate(self.maps)]
        self.masses = np.array(sums)
        self.shape = self.maps[0].shape
        self.bias: Float64Array | None = None
        if center_bias is not None:
            bias = as_map(center_bias, name="center_bias")
            require_same_shape(self.maps[0], bias, names=("gaze_maps[0]", "center_bias"))
            self.bias = bias / np.float64(weight_sums(bias, name="center_bias")[1])
        self.gaze: list[Any] = self._as_gaze(fixations)
        self.others = self._as_third_argument(other_fixations)
        self.options = self._as_options(shrink)
        maps_for_metric(self.maps[0], self.metric, self.bias)  # raises if the best map is unknown

    def _as_gaze(self, fixations: Iterable[ArrayLike] | None) -> list[Any]:
        """Return what the metric compares maps with, for each observer."""
        if self.metric.ground_truth == "map":
            return list(self.maps)
        if fixations is None:
            raise ValueError(
                f"`fixations` must be given for {self.metric.name!r}, got None. Give the points of "
                "each observer, in the order of `gaze_maps`."
            )
        found = list(as_iterable(fixations, name="fixations", of="points"))
        if len(found) != self.n:
            raise ValueError(
                f"`fixations` must have the points of each of the {self.n} observers of "
                f"`gaze_maps`, got {len(found)}. Leave out observers without fixations in both."
            )
        self.pixels = [
            fixated_pixels(each, self.shape, name=f"fixations[{i}]", outside="raise")
            for i, each in enumerate(found)
        ]
        return found

    def _as_third_argument(self, other_fixations: ArrayLike | None) -> tuple[Any, ...]:
        """Return the third argument of the metric, if it has one."""
        needs = self.metric.needs
        if needs is None:
            return ()
        given = other_fixations if needs == "other_fixations" else self.bias
        if given is None:
            name = "other_fixations" if needs == "other_fixations" else "center_bias"
            raise ValueError(
                f"`{name}` must be given for {self.metric.name!r}, got None. Give the gaze on "
                "other images."
            )
        return (given,)

    def _as_options(self, shrink: int | None) -> dict[str, int]:
        """Return the keyword arguments of the metric."""
        if not self.metric.required_options:
            return {}
        if shrink is None:
            raise ValueError(f"`shrink` must be given for {self.metric.name!r}, got None.")
        return {"shrink": as_count(shrink, name="shrink")}

    @cached_property
    def _places(self) -> list[tuple[Any, Float64Array]]:
        """Return the pixels with gaze of each observer, and the gaze at each.

        Of gaze maps, a regular sample of the pixels is enough, because maps are smooth.
        """
        if self.metric.ground_truth == "points":
            return [(each, np.ones(len(each))) for each in self.pixels]
        size = self.maps[0].size
        places = np.arange(0, size, -(-size // MOST_PLACES))
        return [(places, each.ravel()[places].astype(np.float64)) for each in self.maps]

    @property
    def n(self) -> int:
        """Return the number of observers."""
        return len(self.maps)

    @property
    def linear(self) -> bool:
        """Return whether the score is linear in the gaze."""
        return self.metric.name in LINEAR_METRICS

    def score(self, members: Sequence[int], target: int) -> float:
        """Score the map of some observers against the gaze of one observer."""
        saliency = self.map_of(members, target)
        return float(
            self.metric.function(saliency, self.gaze[target], *self.others, **self.options)
        )

    def score_all(self) -> list[float]:
        """Score the map of all observers against the gaze of each."""
        saliency = self.map_of(range(self.n), None)
        function = self.metric.function
        return [float(function(saliency, each, *self.others, **self.options)) for each in self.gaze]

    def map_of(self, members: Sequence[int], target: int | None) -> Float64Array:
        """Return the map that some observers predict for another one, who is not used."""
        mean = np.zeros(self.shape)
        for member in members:
            mean += self.maps[member]
        if self.metric.name not in MIXED:
            return maps_for_metric(mean, self.metric, self.bias)
        kde, bias, uniform = self.shares(members, target)
        mean *= kde / weight_sums(mean, name="gaze_maps")[1]
        if self.bias is not None:
            mean += bias * self.bias
        mean += uniform / mean.size
        return mean

    def shares(self, members: Sequence[int], target: int | None) -> Float64Array:
        """Estimate the shares of gaze map, center bias and uniform density for some observers.

        Each of them is predicted by the others. A single observer predicts the observers who are
        neither the observer nor the target. If there are only two observers, the target predicts
        the single observer, whose gaze is not scored.
        """
        if len(members) > 1:
            folds = [(owner, [each for each in members if each != owner]) for owner in members]
        else:
            (member,) = members
            thirds = [each for each in range(self.n) if each not in (member, target)]
            folds = [(each, [member]) for each in thirds]
            if not folds and target is not None:
                folds = [(member, [target])]
        columns, counts = [], []
        for owner, rest in folds:
            places, seen = self._places[owner]
            seen = seen / seen.sum()  # observers have equal weight
            kde = sum(self.maps[each].ravel()[places] for each in rest) / self.masses[rest].sum()
            bias = np.zeros(len(places)) if self.bias is None else self.bias.ravel()[places]
            columns.append(np.stack([kde, bias, np.full(len(places), 1 / self.maps[0].size)]))
            counts.append(seen)
        return mixture_shares(np.concatenate(columns, axis=1), np.concatenate(counts))
