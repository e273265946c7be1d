"""Training of the study's networks with Lightning. Needs the extra ``training``.

Modules that need torch and Lightning are imported on first use.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.settings import TrainingSettings

if TYPE_CHECKING:
    from gazesal.cxr.training.prediction import predict
    from gazesal.cxr.training.train_model import TrainedModel, train

__all__ = ["LabeledImages", "TrainedModel", "TrainingSettings", "predict", "train"]

_ON_USE = {"TrainedModel": "train_model", "predict": "prediction", "train": "train_model"}


def __getattr__(name: str) -> object:
    if name not in _ON_USE:
        raise AttributeError(f"module 'gazesal.cxr.training' has no attribute {name!r}")
    try:
        return getattr(_import_module(f"gazesal.cxr.training.{_ON_USE[name]}"), name)
    except ImportError as error:
        raise ImportError(
            f"Training needs packages that are not installed ({error}): pip install "
            "'gazesal[training]'."
        ) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_USE})
