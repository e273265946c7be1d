"""Facts about each metric: what the evaluation, the docs and the common tests go by."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from gazesal.metrics.auc import auc_borji, sauc
from gazesal.metrics.correlation import ncc, sncc

__all__ = ["METRICS", "Metric"]


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
        ``function(saliency_map, gaze_map)``, with the centre bias third if `needs_center_bias`.
    needs_center_bias : bool
        Whether it compares with where people look at any image.
    can_sample : bool
        Whether it takes ``n_samples`` and ``rng``.
    low, high : float
        Range; higher is better in all of them.
    chance : float
        Value of a map of noise, without any relation to the gaze.
    chance_of_any_map : bool
        Whether every map without image-specific content is expected there, and not noise alone.
    any_monotone_map : bool
        Unchanged under every strictly increasing map of the saliency map.
    any_affine_map : bool
        Unchanged under positive scaling and shifting of the saliency map.
    symmetric : bool
        Unchanged when saliency map and gaze map trade places.
    constant_map : float or None
        Score of a constant saliency map; ``None`` where it is undefined.
    citation : str
        Key in ``docs/references.bib``.
    """

    name: str
    label: str
    function: Callable[..., float]
    needs_center_bias: bool
    can_sample: bool
    low: float
    high: float
    chance: float
    chance_of_any_map: bool
    any_monotone_map: bool
    any_affine_map: bool
    symmetric: bool
    constant_map: float | None
    citation: str


_ALL = (
    Metric(
        name="ncc",
        label="NCC",
        function=ncc,
        needs_center_bias=False,
        can_sample=False,
        low=-1.0,
        high=1.0,
        chance=0.0,
        chance_of_any_map=True,
        any_monotone_map=False,
        any_affine_map=True,
        symmetric=True,
        constant_map=None,
        citation="bylinskii2019",
    ),
    Metric(
        name="auc_borji",
        label="AUC",
        function=auc_borji,
        needs_center_bias=False,
        can_sample=True,
        low=0.0,
        high=1.0,
        chance=0.5,
        chance_of_any_map=True,
        any_monotone_map=True,
        any_affine_map=True,
        symmetric=False,
        constant_map=0.5,
        citation="borji2013",
    ),
    Metric(
        name="sncc",
        label="sNCC",
        function=sncc,
        needs_center_bias=True,
        can_sample=False,
        low=-2.0,
        high=2.0,
        chance=0.0,
        chance_of_any_map=False,
        any_monotone_map=False,
        any_affine_map=True,
        symmetric=False,
        constant_map=None,
        citation="bigolin2021",
    ),
    Metric(
        name="sauc",
        label="sAUC",
        function=sauc,
        needs_center_bias=True,
        can_sample=True,
        low=0.0,
        high=1.0,
        chance=0.5,
        chance_of_any_map=True,
        any_monotone_map=True,
        any_affine_map=True,
        symmetric=False,
        constant_map=0.5,
        citation="bigolin2021",
    ),
)

METRICS = MappingProxyType({metric.name: metric for metric in _ALL})
"""All metrics by name, in the order of the study's tables."""
