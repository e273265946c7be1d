"""gazesal: how much does a saliency map look like where people looked?

The public names and namespaces are listed in ``__init__.pyi``. Each is imported when it is first
used.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version

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
from gazesal.stats.array_intervals import confidence_interval
from gazesal.stats.multiplicity import adjust_p_values
from gazesal.stats.results import ConfidenceInterval

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

from gazesal.evaluation.registered import READERS as _READERS
from gazesal.evaluation.registered import VIEWS as _VIEWS

__version__ = _version("gazesal")

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
__all__ += ["__version__"]

# Lower layers call these functions of higher ones when an evaluation is shown or loaded.
_VIEWS.update(
    plot_differences=lambda: _import_module("gazesal.reporting.plots").plot_differences,
    plot_evaluation=lambda: _import_module("gazesal.reporting.figures").plot_evaluation,
    plot_intervals=lambda: _import_module("gazesal.reporting.plots").plot_intervals,
    summary_html=lambda: _import_module("gazesal.reporting.typeset").summary_html,
)
_READERS["gazesal.cxr.lung_hull:read_hull"] = lambda: (
    _import_module("gazesal.cxr.lung_hull").read_hull
)
