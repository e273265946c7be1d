"""Replication of the study, from releases to tables. Needs the extras ``training`` and ``cxr``.

Modules that need torch and Lightning are imported on first use.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazesal.cxr.replication.replicate_study import Replication, replicate

__all__ = ["Replication", "replicate"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'gazesal.cxr.replication' has no attribute {name!r}")
    try:
        return getattr(_import_module("gazesal.cxr.replication.replicate_study"), name)
    except ImportError as error:
        raise ImportError(
            f"A replication needs packages that are not installed ({error}): pip install "
            "'gazesal[training,cxr,plot]'."
        ) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
