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
        Assumptions about facts that no documentation of the format states.
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


ONE_BASED = "(1, 1) is the center of the first pixel"
ZERO_BASED = "(0, 0) is the center of the first pixel"
HALF_PIXEL = "(0, 0) is taken as the center of the first pixel"

_FORMATS = (
    GazeFormat(
        name="osie",
        title="OSIE",
        function="osie:read_osie",
        source="``fixations.mat``",
        origin=ONE_BASED,
        unit="pixels, ms",
        url="https://github.com/NUS-VIP/predicting-human-gaze-beyond-pixels",
    ),
    GazeFormat(
        name="figrim",
        title="FIGRIM",
        function="figrim:read_figrim",
        source="``allImages_release.mat``",
        origin=ONE_BASED,
        unit="pixels, no durations",
        url="https://github.com/cvzoya/figrim",
    ),
    GazeFormat(
        name="mit1003",
        title="MIT1003",
        function="mit1003:read_mit1003",
        source="the folder ``DATA``",
        origin=ONE_BASED,
        unit="pixels, samples at 240 Hz",
        left_out="blinks, and positions beside the image if ``sizes`` is given",
        uncertain="positions are taken as counted from 1",
        url="https://people.csail.mit.edu/tjudd/WherePeopleLook/",
    ),
    GazeFormat(
        name="cat2000",
        title="CAT2000",
        function="cat2000:read_cat2000",
        source="``allFixData.mat``, or the folder ``FIXATIONLOCS``",
        origin=ONE_BASED,
        unit="pixels, no durations",
        left_out="positions beside the image, and fixations that repeat the one before",
        url="http://saliency.mit.edu",
    ),
    GazeFormat(
        name="salicon",
        title="SALICON",
        function="salicon:read_salicon",
        source="a folder of ``.mat`` files",
        origin=ONE_BASED,
        unit="pixels, no durations",
        left_out='samples of the mouse, unless ``samples="mouse"``',
        uncertain="the unit of the mouse's timestamps is not documented",
        url="http://salicon.net",
    ),
    GazeFormat(
        name="salicon-json",
        title="SALICON, annotations",
        function="salicon:read_salicon_json",
        source="a JSON file",
        origin=f"{ONE_BASED}, row before column",
        unit="pixels, no durations",
        url="https://github.com/NUS-VIP/salicon-api",
    ),
    GazeFormat(
        name="coco-search18",
        title="COCO-Search18",
        function="visual_search:read_coco_search18",
        source="a JSON file or a folder of them",
        origin=ZERO_BASED,
        unit="pixels of the display of 1680 x 1050, or of the picture if ``sizes`` is given; ms",
        uncertain=f"{HALF_PIXEL}, and the bars as equal on both sides",
        url="https://sites.google.com/view/cocosearch",
    ),
    GazeFormat(
        name="gazesearch",
        title="GazeSearch",
        function="visual_search:read_gazesearch",
        source="a JSON file",
        origin=ZERO_BASED,
        unit="pixels of a frame of 224 x 224, or of the picture if ``sizes`` is given; seconds",
        uncertain="positions are taken as centers of pixels of the frame",
        url="https://github.com/UARK-AICV/GazeSearch",
    ),
    GazeFormat(
        name="eyelink-asc",
        title="EyeLink, ASC files",
        function="eyelink_asc:read_eyelink_asc",
        source="an ``.asc`` file or a folder of them",
        frame="screen",
        origin=ZERO_BASED,
        unit="pixels of the screen, ms",
        left_out="fixations without a position or during which no image was shown; samples",
        uncertain=f"{HALF_PIXEL}, and the offset of a message as its delay",
        url="https://www.sr-research.com/support/",
    ),
    GazeFormat(
        name="bids",
        title="BIDS, eye tracking",
        function="bids:read_bids",
        source="the folder of the data set or of a subject",
        frame="screen",
        origin="``ScreenOrigin`` of the events",
        unit="pixels of the screen, ms or seconds",
        left_out="fixations during which no image was shown",
        uncertain=HALF_PIXEL,
        url="https://bids-specification.readthedocs.io",
    ),
    GazeFormat(
        name="psychopy",
        title="PsychoPy, ioHub",
        function="psychopy:read_psychopy",
        source="an ``.hdf5`` file or a folder of them",
        frame="screen",
        origin="center of the screen, y up",
        unit="pixels of the screen, seconds",
        left_out="fixations during which no image was shown; units other than pixels are refused",
        uncertain="images are taken as shown in their own size in the middle, without ``screen``",
        url="https://psychopy.org/api/iohub.html",
    ),
    GazeFormat(
        name="egd-cxr",
        title="EGD-CXR",
        function="egd_cxr:read_egd_cxr",
        source="``fixations.csv``",
        origin=ZERO_BASED,
        unit="pixels, seconds",
        left_out="rows that are marked as invalid or have no position on the image",
        url="https://physionet.org/content/egd-cxr/1.0.0/",
    ),
    GazeFormat(
        name="vqa-hat",
        title="VQA-HAT",
        function="vqa_hat:read_vqa_hat",
        source="a folder of maps",
        frame="maps",
        origin="index of the array",
        unit="a map for each person and question, no fixations",
        uncertain="a map is taken to cover the whole image",
        url="https://computing.ece.vt.edu/~abhshkdz/vqa-hat/",
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
