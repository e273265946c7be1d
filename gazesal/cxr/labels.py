"""Names of the classes of the study."""

from gazesal.datasets.mimic_cxr_jpg import MIMIC_LABELS

__all__ = ["LABELS"]

LABELS = MIMIC_LABELS
"""Names of the 14 classes of Bigolin Lanfredi et al. (2021), in the order of the logits."""
