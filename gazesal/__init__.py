"""gazesal: how much does a saliency map look like where people looked?"""

from importlib.metadata import version as _version

from gazesal.datasets.fixation_table import read_fixations
from gazesal.datasets.map_files import find_maps, read_map, read_sizes
from gazesal.evaluation.cases import Case, Gaze, cases_from_tables
from gazesal.evaluation.results import Evaluation
from gazesal.evaluation.run import evaluate
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
    "Case",
    "CenterBias",
    "ConfidenceInterval",
    "Evaluation",
    "Gaze",
    "Metric",
    "ObserverSplit",
    "OffImageWarning",
    "UndefinedMetricWarning",
    "__version__",
    "auc_borji",
    "cases_from_tables",
    "confidence_interval",
    "evaluate",
    "find_maps",
    "gaze_heatmap",
    "ncc",
    "one_vs_rest",
    "read_fixations",
    "read_map",
    "read_sizes",
    "resample",
    "sauc",
    "sncc",
]
