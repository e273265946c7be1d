"""Metrics that reproduce the numbers of other code, named after that code.

The ``mit_*`` functions follow the code of the MIT/Tübingen saliency benchmark, and the
``pysaliency_*`` functions follow pysaliency.
"""

from gazesal.metrics.compat import mit_ig, mit_kl, mit_nss, mit_sim
from gazesal.metrics.compat_auc import (
    mit_auc_borji,
    mit_auc_judd,
    mit_auc_shuffled,
)
from gazesal.metrics.compat_pysaliency import pysaliency_auc_judd, pysaliency_kl
from gazesal.metrics.compat_registry import COMPAT_METRICS

__all__ = [
    "COMPAT_METRICS",
    "mit_auc_borji",
    "mit_auc_judd",
    "mit_auc_shuffled",
    "mit_ig",
    "mit_kl",
    "mit_nss",
    "mit_sim",
    "pysaliency_auc_judd",
    "pysaliency_kl",
]
