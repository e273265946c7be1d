"""A center bias that the caller of `evaluate` gives as an object."""

from typing import Any

from gazesal._digests import digest_of_bytes, digest_of_facts, digest_of_texts
from gazesal._validation import shown
from gazesal._warnings import warn
from gazesal.evaluation.case import Case
from gazesal.evaluation.options import CenterBiasRows, EvaluationOptions
from gazesal.evaluation.storage.center_bias_file import can_be_saved, parts_of
from gazesal.evaluation.storage.fingerprints import Notes, fingerprint
from gazesal.exceptions import InputWarning
from gazesal.maps.center_bias_model import CenterBiasModel, LeaveOutCenterBias

__all__ = ["as_center_bias_rows", "description_of", "require_used"]


def as_center_bias_rows(bias: Any, rows: Any) -> Any:
    """Return the rows of a center bias, by default the only sensible ones.

    The value of `rows` itself is checked with the other options.
    """
    if bias is None:
        if rows == "given":
            raise ValueError(
                "`center_bias_rows` must not be 'given' without `center_bias`, got None. Give a "
                "center bias, such as `GaussianCenterBias.clarke_tatler()`."
            )
        return "left_out" if rows is None else rows
    if isinstance(bias, type) or not isinstance(bias, CenterBiasModel):
        raise TypeError(
            "`center_bias` must be an object with a method `on_image`, such as a "
            f"GaussianCenterBias, got {shown(bias)}. Use `center_bias_rows` to choose rows of the "
            "table."
        )
    can_leave_out = isinstance(bias, LeaveOutCenterBias)
    name = type(bias).__name__
    if rows is None:
        if can_leave_out:
            raise ValueError(
                f"`center_bias_rows` must be given with a {name}, got None. Choose 'left_out' if "
                "it contains the gaze on the images that are scored, or 'given' if it was made "
                "from other images."
            )
        return "given"
    if rows in {"left_out", "both"} and not can_leave_out:
        raise ValueError(
            f"`center_bias_rows` must be 'given' or 'in_sample' with a {name}, which cannot leave "
            f"out an image, got {rows!r}."
        )
    if rows == "none":
        raise ValueError(
            f"`center_bias` must be None with `center_bias_rows` 'none', got a {name}. Remove it."
        )
    return rows


def description_of(bias: CenterBiasModel | None, *, stored: bool) -> str | None:
    """Return the text of a center bias with a digest of its content, for reports and checkpoints.

    If the run is `stored` in a checkpoint, warn if the digest may miss a change.
    """
    if bias is None:
        return None
    if can_be_saved(bias):
        facts, arrays = parts_of(bias)
        found = digest_of_facts([facts, digest_of_bytes(*(array.tobytes() for array in arrays))])
        return f"{bias!r} {found}"
    notes = Notes()
    found = digest_of_texts([fingerprint(bias.on_image, notes)])
    if stored and notes.unclear:
        warn(
            f"`checkpoint` cannot detect every change of `center_bias`, a {type(bias).__name__}. "
            "Give it an attribute `fingerprint`, a str that changes with its maps.",
            InputWarning,
        )
    return f"{type(bias).__name__} {found}"


def require_used(options: EvaluationOptions, cases: list[Case]) -> None:
    """Raise if a given center bias has no use, because every image has its own."""
    scored = [case.center_bias is not None for case in cases if case.scored]
    row: CenterBiasRows = options.center_bias_rows
    if options.center_bias is not None and all(scored) and row in {"given", "left_out"}:
        raise ValueError(
            "`center_bias` must be None if every image has a center bias of its own, got "
            f"{options.center_bias}. Remove it."
        )
