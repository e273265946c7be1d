"""Facts about the metrics that reproduce other code."""

import math

from gazesal.metrics.compat import mit_ig, mit_kl, mit_nss, mit_sim
from gazesal.metrics.compat_auc import (
    mit_auc_borji,
    mit_auc_judd,
    mit_auc_shuffled,
)
from gazesal.metrics.compat_pysaliency import pysaliency_auc_judd, pysaliency_kl
from gazesal.metrics.metric import Metric
from gazesal.metrics.metrics_by_name import MetricsByName

__all__ = ["COMPAT_METRICS"]

PUBLISHED = "comparison with numbers published by that code"

_ALL = (
    Metric(
        mit_auc_judd,
        label="AUC-Judd (MIT)",
        ground_truth="points",
        random=True,
        low=0.0,
        high=1.0,
        citation="judd2009",
        undefined_when="an image whose pixels are all fixated",
        recommended_for=PUBLISHED,
    ),
    Metric(
        mit_auc_borji,
        label="AUC-Borji (MIT)",
        ground_truth="points",
        random=True,
        low=0.0,
        high=1.0,
        chance=0.5,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="borji2013",
        undefined_when="a constant saliency map",
        recommended_for=PUBLISHED,
    ),
    Metric(
        mit_auc_shuffled,
        label="sAUC (MIT)",
        ground_truth="points",
        needs="other_fixations",
        random=True,
        low=0.0,
        high=1.0,
        chance=0.5,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="borji2013",
        undefined_when="a constant saliency map",
        recommended_for=PUBLISHED,
    ),
    Metric(
        mit_nss,
        label="NSS (MIT)",
        ground_truth="points",
        chance=0.0,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="peters2005",
        undefined_when="a constant saliency map",
        recommended_for=PUBLISHED,
    ),
    Metric(
        mit_ig,
        label="IG (MIT)",
        ground_truth="points",
        needs="baseline",
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=math.nan,
        citation="kummerer2015",
        undefined_when="a constant saliency map or baseline",
        recommended_for=PUBLISHED,
    ),
    Metric(
        mit_sim,
        label="SIM (MIT)",
        low=0.0,
        high=1.0,
        any_affine_map=True,
        any_scaled_map=True,
        symmetric=True,
        citation="judd2012",
        undefined_when="a constant map that is not zero",
        recommended_for=PUBLISHED,
    ),
    Metric(
        mit_kl,
        label="KL (MIT)",
        higher_is_better=False,
        any_scaled_map=True,
        citation="bylinskii2019",
        recommended_for=PUBLISHED,
    ),
    Metric(
        pysaliency_auc_judd,
        label="AUC-Judd (pysaliency)",
        ground_truth="points",
        random=True,
        low=0.0,
        high=1.0,
        citation="kummerer2018",
        undefined_when="an image whose pixels are all fixated",
        recommended_for=PUBLISHED,
    ),
    Metric(
        pysaliency_kl,
        label="KL (pysaliency)",
        higher_is_better=False,
        low=0.0,
        citation="kummerer2018",
        recommended_for=PUBLISHED,
    ),
)

COMPAT_METRICS = MetricsByName(_ALL)
"""Metrics that reproduce other code, by name. They are not among `METRICS`."""
