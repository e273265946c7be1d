"""Compare saliency maps with gaze: how much does a map look like where people looked.

The public names and namespaces are listed in ``__init__.pyi``. Each is imported when it is first
used.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version

from lazy_loader import attach_stub as _attach_stub

from gazesal.evaluation.registered import READERS as _READERS
from gazesal.evaluation.registered import VIEWS as _VIEWS

__version__ = _version("gazesal")
_NAMESPACES = ("stats", "plots", "reporting", "datasets", "compat", "regions", "adapters", "cxr")

_get, __dir__, __all__ = _attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __getattr__(name: str) -> object:
    """Return a public name, or name the namespace that has it."""
    try:
        return _get(name)
    except AttributeError as error:
        # Other libraries look for names such as __path__ or _ipython_display_.
        spaces = () if name.startswith("_") else _NAMESPACES
        homes = [each for each in spaces if name in _import_module(f"{__name__}.{each}").__all__]
        advice = f" Use gazesal.{homes[0]}.{name}." if homes else ""
        raise AttributeError(f"module 'gazesal' has no attribute {name!r}.{advice}") from error


# Lower layers call these functions of higher ones when an evaluation is shown or loaded.
_VIEWS.update(
    plot_differences=lambda: _import_module("gazesal.reporting.interval_plots").plot_differences,
    plot_evaluation=lambda: _import_module("gazesal.reporting.figures").plot_evaluation,
    plot_intervals=lambda: _import_module("gazesal.reporting.interval_plots").plot_intervals,
    summary_html=lambda: _import_module("gazesal.reporting.summary_tables").summary_html,
)
_READERS["gazesal.cxr.lung_hull:read_hull"] = lambda: (
    _import_module("gazesal.cxr.lung_hull").read_hull
)
