from .egd_cxr import read_egd_fixations as read_egd_fixations
from .map_sources import MapItem as MapItem
from .map_stores import StoredMap as StoredMap
from .mimic_cxr_jpg import MIMIC_LABELS as MIMIC_LABELS
from .mimic_cxr_jpg import MimicCxrJpg as MimicCxrJpg
from .reflacx import Reflacx as Reflacx
from .salicon_results import open_salicon_results as open_salicon_results
from .synthetic_reflacx import write_synthetic_reflacx as write_synthetic_reflacx
