"""gazesal: how much does a saliency map look like where people looked?"""

from importlib.metadata import version as _version

from gazesal.exceptions import OffImageWarning, UndefinedMetricWarning
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.heatmap import gaze_heatmap
from gazesal.maps.observers import ObserverSplit, one_vs_rest
from gazesal.maps.resampling import resample
from gazesal.metrics.auc import auc_borji, sauc
from gazesal.metrics.correlation import ncc, sncc
from gazesal.metrics.registry import METRICS, Metric
from gazesal.stats.intervals import ConfidenceInterval, confidence_interval

__version__ = _version("gazesal")

__all__ = [
    "METRICS",
    "CenterBias",
    "ConfidenceInterval",
    "Metric",
    "ObserverSplit",
    "OffImageWarning",
    "UndefinedMetricWarning",
    "__version__",
    "auc_borji",
    "confidence_interval",
    "gaze_heatmap",
    "ncc",
    "one_vs_rest",
    "resample",
    "sauc",
    "sncc",
]
