"""Write the sentence on the pixels that count in an evaluation."""

from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.storage.saved_cases import NotSaved

__all__ = ["area_words"]


def area_words(evaluation: Evaluation) -> list[str]:
    """Return a sentence on the valid areas, empty if all pixels of all images count.

    Areas that a saved evaluation does not hold are counted as images only.
    """
    scored = set(evaluation.scores["image"])
    cases = [case for case in evaluation.cases if case.image in scored]
    masked = [case for case in cases if case.area is not None]
    if not masked:
        return []
    words = (
        f"Pixels outside the valid area count in nothing, on {len(masked)} of {len(cases)} images"
    )
    if any(isinstance(case.area, NotSaved) for case in masked):
        return [f"{words}."]
    weighted, shares = 0, []
    for case in masked:
        area, n_pixels = case.load_area(), case.shape[0] * case.shape[1]
        shares.append(1.0 if area is None else area.size / n_pixels)
        weighted += area is not None and area.weights is not None
    low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
    words += f": {low if low == high else f'{low} to {high}'} of their pixels count"
    words += f", with weights on {weighted} images" if weighted else ""
    return [f"{words}."]
