"""Join fixations on a screen with the images that it showed, and convert them to their pixels."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._image_sizes import Sizes, sizes_by_image
from gazesal.datasets.gaze_formats._rows import omit
from gazesal.datasets.screens import (
    GIVE_SCREEN,
    Coordinates,
    Screen,
    frame_of,
    on_images,
    screen_of,
)
from gazesal.exceptions import InputWarning
from gazesal.typing import Float64Array

Screens: TypeAlias = Screen | Mapping[str, Screen]
Eye: TypeAlias = Literal["left", "right", "both"]
EYES = ("left", "right", "both")
SHOWN_AT = "shown_at"  # column of the gazesal.Screen on which an image was shown, None if unknown
# messages that laboratories word in their own way: the name of a picture, or of any onset
PICTURE = re.compile(r"([^\s'\"=:]+\.(?:bmp|gif|jpe?g|png|tiff?|webp))\b", re.IGNORECASE)
ONSET = re.compile(
    r"(?:image|img|picture|stim\w*?)_?(?:on|off|onset|offset|start|end)[\s:=]+(\S+)", re.IGNORECASE
)
Patterns: TypeAlias = "tuple[re.Pattern[str], ...]"
OFFSET = re.compile(
    r"(?:^|[\W_])(?:off|offset|end|ended|hide|hidden|clear|cleared|blank|removed?|stop)(?:$|[\W_])",
    re.IGNORECASE,
)


def shown_image(
    begins: Float64Array, ends: Float64Array, shown: Sequence[tuple[float, float, Any]]
) -> list[int | None]:
    """Return the position in `shown` of the image that was on the screen longest in each fixation.

    `shown` has the onset, the offset and the name of each image. The position is None if no image
    was shown during the fixation.
    """
    if not shown:
        return [None] * len(begins)
    onsets, offsets = np.array([each[:2] for each in shown], np.float64).T
    found: list[int | None] = []
    for begin, end in zip(begins, ends, strict=True):
        overlap = np.minimum(end, offsets) - np.maximum(begin, onsets)
        best = int(np.argmax(overlap))
        found.append(best if overlap[best] > 0 else None)
    return found


def message_patterns(value: str | None, *, name: str) -> Patterns:
    """Return the patterns of messages that name an image in their first group."""
    if value is None:
        return PICTURE, ONSET
    try:
        pattern = re.compile(value)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"`{name}` must be a regular expression, got {value!r}: {error}."
        ) from None
    if pattern.groups < 1:
        raise ValueError(
            f"`{name}` must have a group for the name of the image, got {value!r}. Add one, such "
            r"as r'show (\S+)'."
        )
    return (pattern,)


def image_named(patterns: Patterns, message: str) -> str | None:
    """Return the name of the image in a message, "" if it was removed, None without a name."""
    for pattern in patterns:
        found = pattern.search(message)
        if found:
            return "" if OFFSET.search(message) else found[1]
    return None


def omit_unseen(table: pd.DataFrame, eye: Eye | None, *, remedy: str) -> pd.DataFrame:
    """Return the fixations of an eye during which an image was shown, and count the others."""
    unseen = (table["image"] == "").to_numpy(np.bool_)
    if unseen.all():
        raise ValueError(
            f"{table.attrs['source']}: the files must name the image of every trial, got no "
            f"fixation during which a named image was shown. {remedy}"
        )
    unwanted = other_eye(table[~unseen], eye).reindex(table.index, fill_value=False)
    return omit(
        table,
        {"during which no image was shown": unseen},
        unwanted=unwanted.to_numpy(np.bool_),
    )


def other_eye(table: pd.DataFrame, eye: Eye | None) -> "pd.Series[bool]":
    """Return the fixations of the eye that is not asked for, and warn if both eyes are taken."""
    if eye is not None:
        as_choice(eye, EYES, name="eye")
    eyes = table["eye"].str.lower().str[0]
    if eye in {"left", "right"}:
        return eyes != str(eye)[0]
    both = table.groupby(["observer", "image"])["eye"].nunique() > 1
    if eye is None and both.any():
        warn(
            f"{table.attrs['source']}: {int(both.sum())} recordings have fixations of both eyes, "
            'so that each look counts twice. Take one with eye="left" or eye="right" (--eye), or '
            'both with eye="both".',
            InputWarning,
        )
    return eyes.isna()


def to_images(
    table: pd.DataFrame,
    coordinates: Coordinates,
    *,
    screen: Screens | None,
    sizes: Sizes | None,
    display: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Convert positions on the screen to pixels of the images.

    Without `screen`, the screens in the column `SHOWN_AT` are taken, which the files describe. The
    width and height of a screen are `display`, which the files state, unless it has its own. Other
    ones give a warning.
    """
    source, size_of = table.attrs["source"], sizes_by_image(sizes) or (lambda _: None)
    found = table.pop(SHOWN_AT) if SHOWN_AT in table else None
    names = list(dict.fromkeys(table["image"]))
    if screen is None and (found is None or found.isna().any()):
        raise ValueError(
            f"{source}: `screen` must say where the images were on the screen, which the files do "
            f"not. {GIVE_SCREEN}"
        )
    known = {name: size for name in names if (size := size_of(name)) is not None}
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(
            f"{source}: `sizes` must have the size of every image, got no size of {len(missing)} "
            f"of {len(names)}, such as {missing[0]!r}. Read a table of sizes with `read_sizes`."
        )
    images = table["image"].tolist()
    screens: Iterable[Screen] = found if found is not None else ()
    if screen is not None:
        screens = [screen_of(screen, name) for name in images]
    if display is not None:
        warn_of_other_display(source, display, screens)
        screens = [
            each if each.display is not None else replace(each, display=display) for each in screens
        ]
    shown = [*zip(screens, images, strict=True)]
    frames = {each: frame_of(each[0], coordinates, name="screen") for each in set(shown)}
    edges = {each: each[0].edges(known[each[1]]) for each in frames}
    table[["x", "y"]] = on_images(
        table[["x", "y"]].to_numpy(),
        coordinates,
        frame=np.array([frames[each] for each in shown]) if coordinates.need_frame else None,
        edges=np.array([edges[each] for each in shown]),
        shapes=np.array([known[name] for name in images], np.float64),
    )
    return table


def warn_of_other_display(
    source: str, stated: tuple[int, int], screens: Iterable[Screen | None]
) -> None:
    """Warn if a screen has another width and height than the files state."""
    for each in screens:
        if each is not None and each.display not in {None, stated}:
            warn(
                f"{source}: `display` must be the size of the screen on which gaze was recorded, "
                f"which the files state as {stated[0]} x {stated[1]}, got "
                f"{each.display[0]} x {each.display[1]}. Check it (--display), or give the "
                "rectangle of the image (--rectangle).",
                InputWarning,
            )
            return
