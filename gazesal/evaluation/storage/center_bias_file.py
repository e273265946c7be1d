"""Center biases as plain arrays, to share them with workers and to keep them in files."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from pickle import loads
from typing import Any

import numpy as np
from joblib.externals.loky.backend.reduction import dumps  # pickles lambdas and local classes

from gazesal._files import atomic_path
from gazesal.datasets.numpy_files import open_npz
from gazesal.evaluation.gaze_of_image import OWN_MODELS, AnyCenterBias
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.gaussian_bias import GaussianCenterBias
from gazesal.maps.kde_bias import KdeCenterBias
from gazesal.maps.reference_frame import ReferenceFrame
from gazesal.maps.registered_bias import RegisteredCenterBias
from gazesal.maps.running_sum import RunningSum

__all__ = ["bias_from", "can_be_saved", "frame_of", "parts_of", "read_bias", "write_bias"]

Facts = dict[str, Any]
N_ARRAYS = {"gaussian": 0, "kde": 5, "frame": 3}  # by a key of the facts; 2 for a CenterBias


def can_be_saved(bias: CenterBiasModel) -> bool:
    """Return whether a center bias can be written to a file and read from it."""
    if isinstance(bias, KdeCenterBias):  # JSON has no other names of images
        return all(isinstance(image, (str, int)) for image in bias._fixations.images)
    return isinstance(bias, OWN_MODELS)


def parts_of(bias: CenterBiasModel | None) -> tuple[Facts | None, list[np.ndarray]]:
    """Split a center bias into metadata and its arrays, without copying.

    The metadata is JSON if the center bias can be saved. Other objects are pickled.
    """
    if bias is None:
        return None, []
    if not can_be_saved(bias):
        return {"pickled": True}, [_pickled(bias)]
    if isinstance(bias, GaussianCenterBias):
        return {"gaussian": asdict(bias)}, []
    if isinstance(bias, KdeCenterBias):
        facts, arrays = bias._to_parts()
        return {"kde": facts}, arrays
    assert isinstance(bias, (CenterBias, RegisteredCenterBias))  # noqa: S101 (for mypy)
    high, low = bias._sum.parts()
    if isinstance(bias, RegisteredCenterBias):
        coverage = bias._coverage
        return {"n_maps": bias.n_maps, "frame": asdict(bias.frame)}, [high, low, coverage]
    return {"n_maps": bias.n_maps}, [high, low]


def _pickled(bias: CenterBiasModel) -> np.ndarray:
    """Return the pickle of an object for worker processes, or raise if it cannot be pickled."""
    try:
        return np.frombuffer(dumps(bias), np.uint8)
    except Exception as error:  # an object may refuse with an error of any type
        raise TypeError(
            f"`center_bias` must be an object that can be pickled for worker processes, got a "
            f"{type(bias).__name__}: {error}. Keep generators, locks and open files out of it."
        ) from error


def frame_of(bias: AnyCenterBias) -> tuple[int, int] | ReferenceFrame:
    """Return the frame of a center bias, or the shape (H, W) of its pixels."""
    return bias.frame if isinstance(bias, RegisteredCenterBias) else bias.shape


def bias_from(facts: Facts | None, arrays: Sequence[np.ndarray]) -> CenterBiasModel | None:
    """Join the parts of a center bias without copying or checking its sums. See `parts_of`."""
    if facts is None:
        return None
    plain = [np.asarray(array) for array in arrays]
    if "pickled" in facts:  # by `parts_of` in the process that started this one
        unpickled: CenterBiasModel = loads(plain[0].tobytes())  # noqa: S301 (our own)
        return unpickled
    if "gaussian" in facts or "kde" in facts:
        return _checked(facts, plain)
    # Private attributes are set because checks of whole arrays would cost time for every image.
    total = RunningSum()
    total._high, total._low = plain[:2]
    if "frame" not in facts:
        bias = CenterBias.__new__(CenterBias)
        bias._sum, bias.n_maps = total, int(facts["n_maps"])
        height, width = plain[0].shape
        bias.shape = (height, width)
        return bias
    frame: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in facts["frame"].items()
    }
    registered = RegisteredCenterBias.__new__(RegisteredCenterBias)
    registered.frame, registered.n_maps = ReferenceFrame(**frame), int(facts["n_maps"])
    registered._sum, registered._coverage = total, plain[2]
    return registered


def write_bias(path: Path, bias: CenterBiasModel | None, **more: Any) -> None:
    """Write a center bias and facts about it atomically."""
    facts, arrays = parts_of(bias)
    named = {f"part{i}": array for i, array in enumerate(arrays)}
    text = json.dumps({"bias": facts, **more})
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, facts=np.array(text), **named)  # type: ignore[arg-type]


def read_bias(path: Path) -> tuple[CenterBiasModel | None, Facts]:
    """Read a center bias that `write_bias` wrote, bit for bit, and check it.

    The checksums of the archive show a torn file. The arrays are checked against each other as
    well, because compiled kernels do not check bounds.

    Raises
    ------
    ValueError
        If it is not such a file. The message names it.
    """
    try:
        with open_npz(path) as file:
            facts = json.loads(str(file["facts"].read()))
            arrays = [file[f"part{i}"].read() for i in range(len(file) - 1)]
            return _checked(facts.pop("bias"), arrays), facts
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken archive raises errors of many types
        raise ValueError(f"{path}: cannot be read as a center bias: {error}") from error


def _checked(facts: Facts | None, arrays: Sequence[np.ndarray]) -> CenterBiasModel | None:
    """Return the center bias of parts from a file, or raise if they do not fit together."""
    wanted = next((number for kind, number in N_ARRAYS.items() if kind in (facts or {})), 2)
    wanted = 0 if facts is None else wanted
    if len(arrays) != wanted:
        raise ValueError(f"it must have {wanted} arrays, got {len(arrays)}")
    if facts is None:
        return None
    if "gaussian" in facts:
        return GaussianCenterBias(**facts["gaussian"])
    if "kde" in facts:
        return KdeCenterBias._from_parts(facts["kde"], *arrays)
    if "frame" in facts:
        return RegisteredCenterBias._from_parts(facts["frame"], facts["n_maps"], *arrays)
    return CenterBias._from_parts(facts["n_maps"], *arrays)
