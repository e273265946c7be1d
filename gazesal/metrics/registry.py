"""Facts about each metric: what the evaluation, the docs and the common tests go by."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from gazesal.metrics.auc import auc_borji, sauc
from gazesal.metrics.correlation import ncc, sncc
from gazesal.metrics.distribution import emd, kl_divergence, sim
from gazesal.metrics.location import information_gain, log_likelihood, nss, snss
from gazesal.metrics.point_auc import auc, auc_judd, auc_shuffled

__all__ = ["METRICS", "STUDY_METRICS", "Metric"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric and what holds for it.

    Attributes
    ----------
    name : str
        Name of the function in `gazesal`.
    label : str
        Name in tables and figures.
    function : callable
        Takes its `arguments` in order, and `required_options` by keyword.
    ground_truth : {"map", "points"}
        Whether it compares with a gaze map or with fixations.
    needs : {"center_bias", "other_fixations", "baseline"} or None
        What it takes beside them: where people look at any image as a map of weights or as the
        fixations on other images, or a density.
    can_sample : bool
        Whether it takes ``n_samples`` and ``rng``.
    required_options : tuple of str
        Options that have no default.
    weights : tuple of str
        Arguments that must be non-negative and not all zero.
    densities : tuple of str
        Arguments that must, beyond that, sum to 1.
    low, high : float
        Range.
    higher_is_better : bool
        Direction.
    chance : float
        Value of a map of noise, without any relation to the gaze; ``nan`` where it depends on the
        maps.
    chance_of_any_map : bool
        Whether any map that is the same for all images is expected there, and not noise alone. The
        score is then linear in the gaze and taken against where people look at other images. With
        other metrics such a map can be far from chance: a blob in the center is above the chance
        of `nss` and `auc`, and below that of `sncc`, while its inverse is above it.
    any_monotone_map : bool
        Unchanged under every strictly increasing map of the saliency map.
    any_affine_map : bool
        Unchanged under positive scaling and shifting of the saliency map.
    any_scaled_map : bool
        Unchanged under positive scaling of the saliency map.
    symmetric : bool
        Unchanged when saliency map and gaze map trade places.
    constant_map : float or None
        Score of a constant saliency map, ``nan`` where it is undefined; ``None`` where it depends
        on the gaze.
    citation : str
        Key in ``gazesal/references.bib``; `cite` prints the entry.
    """

    name: str
    label: str
    function: Callable[..., float]
    ground_truth: Literal["map", "points"]
    needs: Literal["center_bias", "other_fixations", "baseline"] | None = None
    can_sample: bool = False
    required_options: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    densities: tuple[str, ...] = ()
    low: float
    high: float
    higher_is_better: bool = True
    chance: float
    chance_of_any_map: bool = False
    any_monotone_map: bool = False
    any_affine_map: bool = False
    any_scaled_map: bool = False
    symmetric: bool = False
    constant_map: float | None
    citation: str

    @property
    def needs_center_bias(self) -> bool:
        """Whether the center bias is its third argument."""
        return self.needs == "center_bias"

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of what it takes, in order."""
        gaze = "gaze_map" if self.ground_truth == "map" else "fixations"
        return ("saliency_map", gaze, *([self.needs] if self.needs else []))


_ALL = (
    Metric(
        name="ncc",
        label="NCC",
        function=ncc,
        ground_truth="map",
        low=-1.0,
        high=1.0,
        chance=0.0,
        any_affine_map=True,
        any_scaled_map=True,
        symmetric=True,
        constant_map=math.nan,
        citation="bylinskii2019",
    ),
    Metric(
        name="auc_borji",
        label="AUC",
        function=auc_borji,
        ground_truth="map",
        can_sample=True,
        weights=("gaze_map",),
        low=0.0,
        high=1.0,
        chance=0.5,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=0.5,
        citation="borji2013",
    ),
    Metric(
        name="sncc",
        label="sNCC",
        function=sncc,
        ground_truth="map",
        needs="center_bias",
        low=-2.0,
        high=2.0,
        chance=0.0,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="bigolin2021",
    ),
    Metric(
        name="sauc",
        label="sAUC",
        function=sauc,
        ground_truth="map",
        needs="center_bias",
        can_sample=True,
        weights=("gaze_map", "center_bias"),
        low=0.0,
        high=1.0,
        chance=0.5,
        chance_of_any_map=True,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=0.5,
        citation="bigolin2021",
    ),
    Metric(
        name="auc",
        label="AUC (points)",
        function=auc,
        ground_truth="points",
        low=0.0,
        high=1.0,
        chance=0.5,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=0.5,
        citation="mann1947",
    ),
    Metric(
        name="auc_judd",
        label="AUC-Judd",
        function=auc_judd,
        ground_truth="points",
        low=0.0,
        high=1.0,
        chance=0.5,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=0.5,
        citation="judd2009",
    ),
    Metric(
        name="auc_shuffled",
        label="sAUC (points)",
        function=auc_shuffled,
        ground_truth="points",
        needs="other_fixations",
        low=0.0,
        high=1.0,
        chance=0.5,
        chance_of_any_map=True,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=0.5,
        citation="tatler2005",
    ),
    Metric(
        name="nss",
        label="NSS",
        function=nss,
        ground_truth="points",
        low=-math.inf,
        high=math.inf,
        chance=0.0,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="peters2005",
    ),
    Metric(
        name="snss",
        label="sNSS",
        function=snss,
        ground_truth="points",
        needs="other_fixations",
        low=-math.inf,
        high=math.inf,
        chance=0.0,
        chance_of_any_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="gide2016",
    ),
    Metric(
        name="information_gain",
        label="IG",
        function=information_gain,
        ground_truth="points",
        needs="baseline",
        densities=("saliency_map", "baseline"),
        low=-math.inf,
        high=math.inf,
        chance=math.nan,
        constant_map=None,
        citation="kummerer2015",
    ),
    Metric(
        name="log_likelihood",
        label="LL",
        function=log_likelihood,
        ground_truth="points",
        densities=("saliency_map",),
        low=-math.inf,
        high=math.inf,
        chance=math.nan,
        constant_map=0.0,
        citation="kummerer2015",
    ),
    Metric(
        name="sim",
        label="SIM",
        function=sim,
        ground_truth="map",
        weights=("saliency_map", "gaze_map"),
        low=0.0,
        high=1.0,
        chance=math.nan,
        any_scaled_map=True,
        symmetric=True,
        constant_map=None,
        citation="judd2012",
    ),
    Metric(
        name="kl_divergence",
        label="KL",
        function=kl_divergence,
        ground_truth="map",
        weights=("saliency_map", "gaze_map"),
        low=0.0,
        high=math.inf,
        higher_is_better=False,
        chance=math.nan,
        any_scaled_map=True,
        constant_map=None,
        citation="kullback1951",
    ),
    Metric(
        name="emd",
        label="EMD",
        function=emd,
        ground_truth="map",
        required_options=("shrink",),
        weights=("saliency_map", "gaze_map"),
        low=0.0,
        high=math.inf,
        higher_is_better=False,
        chance=math.nan,
        any_scaled_map=True,
        symmetric=True,
        constant_map=None,
        citation="rubner2000",
    ),
)

METRICS = MappingProxyType({metric.name: metric for metric in _ALL})
"""All metrics by name, those of the study first and in the order of its tables."""

STUDY_METRICS = ("ncc", "auc_borji", "sncc", "sauc")
"""The metrics of the study, in the order of its tables."""
