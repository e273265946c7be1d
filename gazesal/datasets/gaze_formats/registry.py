"""The formats that need a function of their own, with the facts about each."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

__all__ = ["FORMATS", "GazeFormat", "read_format"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GazeFormat:
    """A format of gaze, and the function that reads it.

    Attributes
    ----------
    name : str
        Name of the format, as `read_fixations` takes it.
    title : str
        Data set or program, for people.
    function : str
        Module in this package and function, such as ``"osie:read_osie"``. It is imported when it
        is called.
    source : str
        The file or folder to give.
    frame : {"image", "screen", "maps"}
        Pixels in which positions are returned. Positions on the screen are converted if ``sizes``
        or a screen is given. ``"maps"`` if the format has maps, but no fixations.
    origin, unit : str
        Origin and units in the files.
    left_out : str
        Parts that the function omits.
    uncertain : str
        Facts that no documentation of the format states.
    url : str
        Address of the data or of the documentation.
    """

    name: str
    title: str
    function: str
    source: str
    frame: Literal["image", "screen", "maps"] = "image"
    origin: str
    unit: str
    left_out: str = ""
    uncertain: str = ""
    url: str

    def load(self) -> Callable[..., pd.DataFrame]:
        """Import the function."""
        module, _, function = self.function.partition(":")
        found: Callable[..., pd.DataFrame] = getattr(
            import_module(f"{__package__}.{module}"), function
        )
        return found

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the keyword arguments of the function."""
        return tuple(
            each.name
            for each in inspect.signature(self.load()).parameters.values()
            if each.kind is each.KEYWORD_ONLY
        )


_FORMATS = (
    GazeFormat(
        name="osie",
        title="OSIE",
        function="osie:read_osie",
        source="`fixations.mat`",
        origin="(1, 1) is the center of the first pixel",
        unit="pixels, ms",
        url="https://github.com/NUS-VIP/predicting-human-gaze-beyond-pixels",
    ),
)

FORMATS: Mapping[str, GazeFormat] = MappingProxyType({each.name: each for each in _FORMATS})


def read_format(name: str, path: Path, options: Mapping[str, Any]) -> pd.DataFrame:
    """Read gaze in one of the formats, with only the options that were given.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the format does not have one of the options, or the files cannot be read.
    """
    form = FORMATS[name]
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder.")
    unknown = sorted(set(options) - set(form.options))
    if unknown:
        has = ", ".join(f"`{each}`" for each in form.options) or "no options"
        raise ValueError(
            f"`{unknown[0]}` must be an option of the format {name!r}, which has {has}. Remove it."
        )
    return form.load()(path, **options)
