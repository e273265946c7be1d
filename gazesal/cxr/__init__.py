"""The study itself, on chest X-rays.

What needs torch is imported when it is first used.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from gazesal.cxr.images import read_image
from gazesal.cxr.labels import LABELS
from gazesal.cxr.lung_hull import box_of_mask, clean_lung_mask, find_lung_hulls, lung_hull

if TYPE_CHECKING:
    from gazesal.cxr.classification import label_aucs
    from gazesal.cxr.models import AttentionGatedSonoNet, SonoNet, load_model
    from gazesal.cxr.preprocessing import ModelInput, crop_or_pad, preprocess
    from gazesal.cxr.segmentation import XrvLungs, segment_lungs

__all__ = [
    "LABELS",
    "AttentionGatedSonoNet",
    "ModelInput",
    "SonoNet",
    "XrvLungs",
    "box_of_mask",
    "clean_lung_mask",
    "crop_or_pad",
    "find_lung_hulls",
    "label_aucs",
    "load_model",
    "lung_hull",
    "preprocess",
    "read_image",
    "segment_lungs",
]

_ON_USE = {
    "label_aucs": "gazesal.cxr.classification",
    "AttentionGatedSonoNet": "gazesal.cxr.models",
    "SonoNet": "gazesal.cxr.models",
    "load_model": "gazesal.cxr.models",
    "ModelInput": "gazesal.cxr.preprocessing",
    "crop_or_pad": "gazesal.cxr.preprocessing",
    "preprocess": "gazesal.cxr.preprocessing",
    "XrvLungs": "gazesal.cxr.segmentation",
    "segment_lungs": "gazesal.cxr.segmentation",
}


def __getattr__(name: str) -> object:
    if name in _ON_USE:
        return getattr(_import_module(_ON_USE[name]), name)
    raise AttributeError(f"module 'gazesal.cxr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_USE})
