"""Kinds of lesions on a synthetic chest X-ray, and their names in each table.

The labels of the phases of REFLACX and of CheXpert are three views of one list of lesions.
"""

from dataclasses import dataclass

__all__ = ["CHEXPERT_LABELS", "FINDINGS", "PHASE_LABELS", "Finding"]

PHASE_1_LABELS = (
    "Airway wall thickening",
    "Atelectasis",
    "Consolidation",
    "Emphysema",
    "Enlarged cardiac silhouette",
    "Fibrosis",
    "Fracture",
    "Groundglass opacity",
    "Mass",
    "Nodule",
    "Other",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Pulmonary edema",
    "Quality issue",
    "Support devices",
    "Wide mediastinum",
)
PHASE_2_LABELS = (
    "Abnormal mediastinal contour",
    "Acute fracture",
    "Atelectasis",
    "Consolidation",
    "Enlarged cardiac silhouette",
    "Enlarged hilum",
    "Groundglass opacity",
    "Hiatal hernia",
    "High lung volume / emphysema",
    "Interstitial lung disease",
    "Lung nodule or mass",
    "Other",
    "Pleural abnormality",
    "Pneumothorax",
    "Pulmonary edema",
    "Support devices",
)
PHASE_LABELS = {1: PHASE_1_LABELS, 2: PHASE_2_LABELS, 3: PHASE_2_LABELS}
"""Labels of each phase of REFLACX, in the order of its tables."""

CHEXPERT_LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
)
"""Labels of MIMIC-CXR-JPG's CheXpert table, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A kind of lesion and its names.

    Attributes
    ----------
    phase_1, phase_2 : str
        Label in phase 1 of REFLACX, and in phases 2 and 3.
    chexpert : tuple of str
        Positive labels of CheXpert.
    words : str
        Words with which a reader names it.
    share : float
        Relative frequency.
    """

    phase_1: str
    phase_2: str
    chexpert: tuple[str, ...]
    words: str
    share: float

    def label(self, phase: int) -> str:
        """Return the label in a phase of REFLACX."""
        return self.phase_1 if phase == 1 else self.phase_2


FINDINGS = {
    "nodule": Finding(
        phase_1="Nodule",
        phase_2="Lung nodule or mass",
        chexpert=("Lung Lesion",),
        words="a nodule",
        share=1.4,
    ),
    "mass": Finding(
        phase_1="Mass",
        phase_2="Lung nodule or mass",
        chexpert=("Lung Lesion",),
        words="a mass",
        share=0.8,
    ),
    "consolidation": Finding(
        phase_1="Consolidation",
        phase_2="Consolidation",
        chexpert=("Consolidation", "Lung Opacity"),
        words="a consolidation",
        share=1.0,
    ),
    "pneumonia": Finding(
        phase_1="Consolidation",
        phase_2="Consolidation",
        chexpert=("Consolidation", "Lung Opacity", "Pneumonia"),
        words="an infectious consolidation",
        share=0.8,
    ),
    "groundglass": Finding(
        phase_1="Groundglass opacity",
        phase_2="Groundglass opacity",
        chexpert=("Lung Opacity",),
        words="a hazy opacity",
        share=1.0,
    ),
    "edema": Finding(
        phase_1="Pulmonary edema",
        phase_2="Pulmonary edema",
        chexpert=("Edema",),
        words="perihilar edema",
        share=0.5,
    ),
    "atelectasis": Finding(
        phase_1="Atelectasis",
        phase_2="Atelectasis",
        chexpert=("Atelectasis",),
        words="linear atelectasis",
        share=1.2,
    ),
    "effusion": Finding(
        phase_1="Pleural effusion",
        phase_2="Pleural abnormality",
        chexpert=("Pleural Effusion",),
        words="a pleural effusion",
        share=1.2,
    ),
    "thickening": Finding(
        phase_1="Pleural thickening",
        phase_2="Pleural abnormality",
        chexpert=("Pleural Other",),
        words="pleural thickening",
        share=0.5,
    ),
    "pneumothorax": Finding(
        phase_1="Pneumothorax",
        phase_2="Pneumothorax",
        chexpert=("Pneumothorax",),
        words="a pneumothorax",
        share=0.8,
    ),
    "cardiomegaly": Finding(
        phase_1="Enlarged cardiac silhouette",
        phase_2="Enlarged cardiac silhouette",
        chexpert=("Cardiomegaly",),
        words="an enlarged cardiac silhouette",
        share=1.0,
    ),
    "mediastinum": Finding(
        phase_1="Wide mediastinum",
        phase_2="Abnormal mediastinal contour",
        chexpert=("Enlarged Cardiomediastinum",),
        words="a widened mediastinum",
        share=0.4,
    ),
    "fracture": Finding(
        phase_1="Fracture",
        phase_2="Acute fracture",
        chexpert=("Fracture",),
        words="a rib fracture",
        share=0.5,
    ),
    "device": Finding(
        phase_1="Support devices",
        phase_2="Support devices",
        chexpert=("Support Devices",),
        words="a support device",
        share=0.0,
    ),
}
"""Every kind by name. ``device`` is not an abnormality and is drawn separately."""
