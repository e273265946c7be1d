"""Codes of the labels of units, which must be of one kind and not missing."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from gazesal.typing import IntArray

__all__ = ["codes_of_array", "codes_of_column"]

Labels = np.ndarray[Any, Any]


def codes_of_column(values: pd.Series, *, name: str) -> tuple[IntArray, Labels]:
    """Return the index of each label among the sorted distinct labels, and these labels."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype == object:
        _require_one_kind(values, name=name)
    try:
        codes, labels = pd.factorize(values)
    except TypeError as error:  # such as a list, which has no hash
        raise TypeError(f"`{name}` must hold labels such as text or numbers: {error}.") from error
    missing = int(np.count_nonzero(codes < 0))
    if missing:
        raise ValueError(
            f"`{name}` must name a unit for every score, got {missing} missing. Name the units or "
            "omit these scores."
        )
    unique = np.asarray(labels)
    try:
        order = np.argsort(unique, kind="stable")
    except TypeError as error:
        raise TypeError(f"`{name}` must hold labels of one kind: {error}.") from error
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return rank[codes], unique[order]


def codes_of_array(clusters: Any, *, size: int, name: str = "clusters") -> IntArray:
    """Return the index of each label of an array-like among its sorted distinct labels."""
    hidden = int(np.sum(clusters.mask)) if isinstance(clusters, np.ma.MaskedArray) else 0
    if isinstance(clusters, list | tuple):
        hidden = sum(label is np.ma.masked for label in clusters)
    if hidden:
        raise ValueError(
            f"`{name}` must name a unit for every score, got {hidden} masked. Name the units or "
            "omit these scores."
        )
    if isinstance(clusters, list | tuple):  # NumPy would convert labels of several kinds to text
        _require_one_kind(clusters, name=name)
    try:
        found = np.asarray(clusters)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must name one unit for each of the {size} scores, got lists of different "
            "lengths."
        ) from error
    if found.shape != (size,):
        raise ValueError(
            f"`{name}` must name one unit for each of the {size} scores, got shape {found.shape}."
        )
    return codes_of_column(pd.Series(found), name=name)[0]


def _require_one_kind(labels: Iterable[Any], *, name: str) -> None:
    """Raise TypeError if text, booleans and numbers are mixed, as True and 1 are one key."""
    kinds = sorted({kind for label in labels if (kind := _kind(label))})
    if len(kinds) > 1:
        raise TypeError(f"`{name}` must hold labels of one kind, got {' and '.join(kinds)}.")


def _kind(label: Any) -> str:
    """Return the kind of a label in words, empty if the label is missing."""
    if label is None or label is pd.NA or label is pd.NaT:
        return ""
    if isinstance(label, str):
        return "text"
    if isinstance(label, bytes):
        return "bytes"
    if isinstance(label, bool | np.bool_):
        return "booleans"
    if isinstance(label, numbers.Number):
        return "" if label != label else "numbers"  # noqa: PLR0124  (NaN)
    return "other kinds"
