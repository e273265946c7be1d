"""The center bias that the caller of `evaluate` chooses by a word or gives as an object."""

from typing import Any, get_args

from gazesal._digests import digest_of_bytes, digest_of_facts, digest_of_texts
from gazesal._validation import shown
from gazesal._warnings import warn
from gazesal.evaluation.case import Case
from gazesal.evaluation.options import CenterBiasRows, CenterBiasWord, EvaluationOptions
from gazesal.evaluation.storage.center_bias_file import can_be_saved, parts_of
from gazesal.evaluation.storage.fingerprints import Notes, fingerprint
from gazesal.exceptions import InputWarning
from gazesal.maps.center_bias_model import CenterBiasModel, LeaveOutCenterBias

__all__ = ["as_center_bias_rows", "description_of", "require_used"]


def as_center_bias_rows(bias: Any, rows: Any) -> Any:
    """Return the rows of a center bias, by default the only sensible ones.

    The value of `rows` itself is checked with the other options.
    """
    if isinstance(bias, str):
        return _rows_of_word(bias, rows)
    if isinstance(bias, type) or not isinstance(bias, CenterBiasModel):
        raise TypeError(
            "`center_bias` must be 'images', 'none' or an object with a method `on_image`, such as "
            f"a GaussianCenterBias, got {shown(bias)}."
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
    return rows


def _rows_of_word(word: str, rows: Any) -> Any:
    if word in get_args(CenterBiasRows):
        raise ValueError(
            f"`center_bias` must be 'images', 'none' or an object, got {word!r}. Give it as "
            "`center_bias_rows`."
        )
    if word not in get_args(CenterBiasWord):
        raise ValueError(
            "`center_bias` must be 'images', 'none' or an object with a method `on_image`, got "
            f"{word!r}."
        )
    if word == "none":
        if rows is not None:
            raise ValueError(
                "`center_bias_rows` (--center-bias-rows) must be None without a center bias, got "
                f"{rows!r}. Remove it."
            )
        return None
    if rows == "given":
        raise ValueError(
            "`center_bias_rows` must not be 'given' unless `center_bias` is an object, got "
            "'images'. Give one, such as `GaussianCenterBias.clarke_tatler()`."
        )
    return "left_out" if rows is None else rows


def description_of(bias: CenterBiasModel | CenterBiasWord, *, stored: bool) -> str:
    """Return the text of a center bias with a digest of its content, for reports and checkpoints.

    If the run is `stored` in a checkpoint, warn if the digest may miss a change.
    """
    if isinstance(bias, str):
        return bias
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
    row = options.center_bias_rows
    if options.given_bias is not None and all(scored) and row in {"given", "left_out"}:
        raise ValueError(
            "`center_bias` must be 'images' if every image has a center bias of its own, got "
            f"{options.given_bias}. Remove it."
        )
