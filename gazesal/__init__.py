"""gazesal: how much does a saliency map look like where people looked?

Functions on arrays are imported at once; those on tables and files, which need pandas, when they
are first used, so that importing gazesal takes about as long as importing numba.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING

from gazesal.exceptions import (
    GridEdgeWarning,
    InputWarning,
    IntervalWarning,
    OffImageWarning,
    SkippedDataWarning,
    UndefinedMetricWarning,
)
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.gaussian_bias import GaussianCenterBias
from gazesal.maps.geometry import ReferenceFrame
from gazesal.maps.heatmap import gaze_heatmap
from gazesal.maps.kde_bias import KdeCenterBias
from gazesal.maps.observers import ObserverSplit, one_vs_rest
from gazesal.maps.registered_bias import RegisteredCenterBias
from gazesal.maps.resampling import resample
from gazesal.metrics.auc import auc_borji, sauc
from gazesal.metrics.compat import mit_ig, mit_kl, mit_nss, mit_sim, pysaliency_kl
from gazesal.metrics.compat_auc import (
    mit_auc_borji,
    mit_auc_judd,
    mit_auc_shuffled,
    pysaliency_auc_judd,
)
from gazesal.metrics.correlation import ncc, sncc
from gazesal.metrics.densities import to_density
from gazesal.metrics.distribution import emd, kl_divergence, sim
from gazesal.metrics.location import information_gain, log_likelihood, nss, snss
from gazesal.metrics.point_auc import auc, auc_judd, auc_shuffled
from gazesal.metrics.registry import METRICS, STUDY_METRICS, Metric
from gazesal.metrics.sampled_auc import sampled_auc_error, samples_for_error
from gazesal.metrics.score import Scores, score
from gazesal.stats.intervals import confidence_interval
from gazesal.stats.multiplicity import adjust_p_values
from gazesal.stats.result import ConfidenceInterval

if TYPE_CHECKING:
    from gazesal.datasets.egd_cxr import read_egd_fixations
    from gazesal.datasets.fixation_table import read_fixations
    from gazesal.datasets.map_files import read_map, read_sizes
    from gazesal.datasets.map_sources import MapItem, find_maps, open_maps
    from gazesal.datasets.map_stores import StoredMap
    from gazesal.datasets.mimic_cxr_jpg import MIMIC_LABELS, MimicCxrJpg
    from gazesal.datasets.reflacx import Reflacx
    from gazesal.datasets.synthetic_reflacx import write_synthetic_reflacx
    from gazesal.evaluation.case import Case, Gaze
    from gazesal.evaluation.cases_from_manifest import cases_from_manifest
    from gazesal.evaluation.cases_from_reflacx import cases_from_reflacx
    from gazesal.evaluation.cases_from_tables import cases_from_tables
    from gazesal.evaluation.evaluate import evaluate
    from gazesal.evaluation.evaluation import Evaluation
    from gazesal.reporting.distributions import plot_distributions
    from gazesal.reporting.extremes import extreme_images, plot_extremes
    from gazesal.reporting.figures import plot_evaluation
    from gazesal.reporting.html.report import write_html_report
    from gazesal.reporting.plots import plot_differences, plot_intervals, plot_pairs
    from gazesal.reporting.results_folder import write_report
    from gazesal.reporting.summary_tables import summary_markdown, summary_text
    from gazesal.reporting.typeset import summary_html, summary_latex
    from gazesal.stats.comparison_result import Comparison, Comparisons, Equivalence
    from gazesal.stats.comparisons import compare
    from gazesal.stats.design import Design
    from gazesal.stats.normalized import normalized_score
    from gazesal.stats.planning import plan_study
    from gazesal.stats.subgroups import Subgroups, compare_subgroups
    from gazesal.stats.table_intervals import interval, interval_table
    from gazesal.stats.variance import VarianceComponents, variance_components

__version__ = _version("gazesal")

__all__ = [
    "METRICS",
    "MIMIC_LABELS",
    "STUDY_METRICS",
    "Case",
    "CenterBias",
    "Comparison",
    "Comparisons",
    "ConfidenceInterval",
    "Design",
    "Equivalence",
    "Evaluation",
    "GaussianCenterBias",
    "Gaze",
    "GridEdgeWarning",
    "InputWarning",
    "IntervalWarning",
    "KdeCenterBias",
    "MapItem",
    "Metric",
    "MimicCxrJpg",
    "ObserverSplit",
    "OffImageWarning",
    "ReferenceFrame",
    "Reflacx",
    "RegisteredCenterBias",
    "Scores",
    "SkippedDataWarning",
    "StoredMap",
    "Subgroups",
    "UndefinedMetricWarning",
    "VarianceComponents",
    "__version__",
    "adjust_p_values",
    "auc",
    "auc_borji",
    "auc_judd",
    "auc_shuffled",
    "cases_from_manifest",
    "cases_from_reflacx",
    "cases_from_tables",
    "compare",
    "compare_subgroups",
    "confidence_interval",
    "emd",
    "evaluate",
    "extreme_images",
    "find_maps",
    "gaze_heatmap",
    "information_gain",
    "interval",
    "interval_table",
    "kl_divergence",
    "log_likelihood",
    "mit_auc_borji",
    "mit_auc_judd",
    "mit_auc_shuffled",
    "mit_ig",
    "mit_kl",
    "mit_nss",
    "mit_sim",
    "ncc",
    "normalized_score",
    "nss",
    "one_vs_rest",
    "open_maps",
    "plan_study",
    "plot_differences",
    "plot_distributions",
    "plot_evaluation",
    "plot_extremes",
    "plot_intervals",
    "plot_pairs",
    "pysaliency_auc_judd",
    "pysaliency_kl",
    "read_egd_fixations",
    "read_fixations",
    "read_map",
    "read_sizes",
    "resample",
    "sampled_auc_error",
    "samples_for_error",
    "sauc",
    "score",
    "sim",
    "sncc",
    "snss",
    "summary_html",
    "summary_latex",
    "summary_markdown",
    "summary_text",
    "to_density",
    "variance_components",
    "write_html_report",
    "write_report",
    "write_synthetic_reflacx",
]

_ON_USE = {
    "read_egd_fixations": "gazesal.datasets.egd_cxr",
    "read_fixations": "gazesal.datasets.fixation_table",
    "read_map": "gazesal.datasets.map_files",
    "read_sizes": "gazesal.datasets.map_files",
    "MapItem": "gazesal.datasets.map_sources",
    "find_maps": "gazesal.datasets.map_sources",
    "open_maps": "gazesal.datasets.map_sources",
    "StoredMap": "gazesal.datasets.map_stores",
    "MIMIC_LABELS": "gazesal.datasets.mimic_cxr_jpg",
    "MimicCxrJpg": "gazesal.datasets.mimic_cxr_jpg",
    "Reflacx": "gazesal.datasets.reflacx",
    "write_synthetic_reflacx": "gazesal.datasets.synthetic_reflacx",
    "Case": "gazesal.evaluation.case",
    "Gaze": "gazesal.evaluation.case",
    "cases_from_tables": "gazesal.evaluation.cases_from_tables",
    "cases_from_manifest": "gazesal.evaluation.cases_from_manifest",
    "cases_from_reflacx": "gazesal.evaluation.cases_from_reflacx",
    "Evaluation": "gazesal.evaluation.evaluation",
    "evaluate": "gazesal.evaluation.evaluate",
    "plot_distributions": "gazesal.reporting.distributions",
    "plot_extremes": "gazesal.reporting.extremes",
    "extreme_images": "gazesal.reporting.extremes",
    "plot_evaluation": "gazesal.reporting.figures",
    "write_html_report": "gazesal.reporting.html.report",
    "plot_differences": "gazesal.reporting.plots",
    "plot_intervals": "gazesal.reporting.plots",
    "plot_pairs": "gazesal.reporting.plots",
    "summary_html": "gazesal.reporting.typeset",
    "summary_latex": "gazesal.reporting.typeset",
    "write_report": "gazesal.reporting.results_folder",
    "summary_markdown": "gazesal.reporting.summary_tables",
    "summary_text": "gazesal.reporting.summary_tables",
    "Comparison": "gazesal.stats.comparison_result",
    "Comparisons": "gazesal.stats.comparison_result",
    "Equivalence": "gazesal.stats.comparison_result",
    "compare": "gazesal.stats.comparisons",
    "Design": "gazesal.stats.design",
    "interval": "gazesal.stats.table_intervals",
    "interval_table": "gazesal.stats.table_intervals",
    "normalized_score": "gazesal.stats.normalized",
    "Subgroups": "gazesal.stats.subgroups",
    "compare_subgroups": "gazesal.stats.subgroups",
    "VarianceComponents": "gazesal.stats.variance",
    "plan_study": "gazesal.stats.planning",
    "variance_components": "gazesal.stats.variance",
}


def __getattr__(name: str) -> object:
    if name in _ON_USE:
        return getattr(_import_module(_ON_USE[name]), name)
    raise AttributeError(f"module 'gazesal' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_USE})
