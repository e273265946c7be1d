"""Figures of scores, comparisons and evaluations. Drawing needs the extra ``plot``."""

from gazesal.reporting.contributions import plot_contribution_difference, plot_contributions
from gazesal.reporting.distributions import plot_distributions
from gazesal.reporting.extremes import extreme_images, plot_extremes
from gazesal.reporting.figures import plot_evaluation
from gazesal.reporting.interval_plots import plot_differences, plot_intervals, plot_pairs

__all__ = [
    "extreme_images",
    "plot_contribution_difference",
    "plot_contributions",
    "plot_differences",
    "plot_distributions",
    "plot_evaluation",
    "plot_extremes",
    "plot_intervals",
    "plot_pairs",
]
