"""Checks of arguments, one function per kind of input.

Each function returns a clean value, such as an array, or raises an error that names the argument.

Finiteness is checked in passes that read the values anyway. If a value is not finite, the kernels
return a NaN or an infinite sum, and `require_finite` then counts the values.
"""

import math
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal.kernels.auc.cells import extremes
from gazesal.kernels.moments import block_totals
from gazesal.kernels.sampling import BLOCK
from gazesal.typing import Float64Array, FloatArray, RandomState

MAIN_MEMORY = {1, 3, 11}  # DLPack's codes kDLCPU, kDLCUDAHost and kDLROCMHost
ROWS_AND_COLUMNS = (
    "To convert the pixels of a map, which np.where returns as rows and columns, use "
    "np.argwhere(fixation_map)[:, ::-1]."
)
SOURCES = (
    np.random.Generator,
    np.random.BitGenerator,
    np.random.SeedSequence,
    np.random.RandomState,
)
MOST_PIXELS = 2**31  # pixels of an image, or samples at once; they take 16 GB in float64
MOST_RESAMPLES = 10**8  # resamples of a bootstrap; their means take 0.8 GB
MOST_THREADS = 2**12  # threads; more indicates a wrong argument
NOT_NUMBERS = (bool, np.bool_, np.timedelta64)  # refused although registered as integers
LONGEST_TEXT = 80  # characters of a value in a message; longer texts are cut
EXACT_INTEGERS = 2**53  # float64 represents all integers up to here exactly


def as_real_array(value: ArrayLike, *, name: str, booleans: bool = False) -> np.ndarray[Any, Any]:
    """Return `value` as a float32 or float64 array of any shape, without a copy if it is one.

    Booleans are refused unless `booleans` allows them as 0 and 1, as in a mask.
    """
    if isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(
            f"`{name}` must hold real numbers, got the {type(value).__name__} {shown(value)}. "
            "Read maps from files with `read_map`, and fixations with `read_fixations`."
        )
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(
            f"`{name}` must not be masked, got a masked array with {int(np.sum(value.mask))} "
            "masked values. Fill them or crop the map."
        )
    require_unmasked_rows(value, name=name)
    require_plain(value, name=name)
    value = _in_single_precision(_without_nullable(value, name=name))
    try:
        # numpy would wrap an array that it cannot read as a single object
        foreign = hasattr(value, "__dlpack__") and not hasattr(value, "__array__")
        array = np.from_dlpack(value) if foreign else np.asarray(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"`{name}` must be a regular array of numbers: {error}") from error
    except (TypeError, RuntimeError, BufferError) as error:
        raise TypeError(f"`{name}` must be an array that numpy can read: {error}") from error
    kind, width = array.dtype.kind, array.dtype.itemsize
    if callable(getattr(value, "on_image", None)):
        raise TypeError(
            f"`{name}` must hold real numbers, got a {type(value).__name__}. Call its method "
            "`on_image` with the shape of the image."
        )
    if kind not in "fiub":
        raise TypeError(f"`{name}` must hold real numbers, got dtype {array.dtype}.")
    if kind == "b" and not booleans:
        raise TypeError(f"`{name}` must hold real numbers, got booleans. Convert them to integers.")
    if kind == "f":
        wanted = np.float32 if width <= 4 else np.float64
        if width > 8:  # values beyond float64 become infinite, which is refused later
            with np.errstate(over="ignore"):
                return array.astype(wanted)
    else:
        wanted = np.float32 if width <= 2 else np.float64
        if width == 8 and array.size:
            largest = max(abs(int(array.min())), abs(int(array.max())))
            if largest > EXACT_INTEGERS:
                raise ValueError(
                    f"`{name}` must contain integers up to 2**53, which float64 represents "
                    f"exactly, got {largest}."
                )
    # astype also converts to the byte order of the machine
    return array.astype(wanted, copy=False)


def require_unmasked_rows(value: Any, *, name: str, depth: int = 2) -> None:
    """Raise if nested lists contain a masked array, whose masked values numpy would read."""
    if not isinstance(value, (list, tuple)) or depth == 0:
        return
    for row in value:
        if isinstance(row, np.ma.MaskedArray) and np.ma.is_masked(row):
            raise TypeError(
                f"`{name}` must not be masked, got a {type(value).__name__} with masked arrays in "
                "it. Fill them or crop the map."
            )
        require_unmasked_rows(row, name=name, depth=depth - 1)


def _without_nullable(value: Any, *, name: str) -> Any:
    """Convert a table of nullable numbers, as in pandas, to plain numbers."""
    if not hasattr(value, "to_numpy") or not hasattr(value, "dtypes"):
        return value
    dtypes = value.dtypes if isinstance(value.dtypes, Iterable) else [value.dtypes]
    if not any(hasattr(dtype, "na_value") and hasattr(dtype, "numpy_dtype") for dtype in dtypes):
        return value
    try:
        return value.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`{name}` must hold real numbers, got a table with missing or other values: {error}"
        ) from error


def _in_single_precision(value: Any) -> Any:
    """Convert bfloat16, which numpy does not support, to float32 without loss."""
    if not str(getattr(value, "dtype", "")).endswith("bfloat16"):
        return value
    # tensors of PyTorch have the method `float`, arrays of JAX and ml_dtypes do not
    return value.float() if hasattr(value, "float") else np.asarray(value).astype(np.float32)


def require_plain(value: Any, *, name: str) -> None:
    """Raise if reading an array of another library would lose its gradient or copy from a device.

    Arrays of PyTorch, JAX, CuPy and others are recognized by their attributes, so these libraries
    need not be installed.
    """
    if isinstance(value, np.ndarray):
        return
    kind = type(value).__name__
    if getattr(value, "requires_grad", False) is True:
        raise TypeError(
            f"`{name}` must not require a gradient, got a {kind} that does. The score is a number "
            f"without a gradient, so detach the {kind} with `.detach()`."
        )
    where = getattr(value, "device", None)
    try:
        device = value.__dlpack_device__()[0] if hasattr(value, "__dlpack_device__") else None
    except (TypeError, ValueError, RuntimeError, BufferError):
        device = None  # DLPack does not know the device, so its name is checked
    elsewhere = where is not None and not callable(where) and not str(where).startswith("cpu")
    if device not in MAIN_MEMORY if device is not None else elsewhere:
        raise TypeError(
            f"`{name}` must be in main memory, got a {kind} on {where or f'device {device}'}. "
            "Copy it with `.cpu()` in PyTorch, `jax.device_get` in JAX or `cupy.asnumpy` in CuPy."
        )


def as_map(value: ArrayLike, *, name: str) -> FloatArray:
    """Return `value` as a contiguous float32 or float64 map (H, W), without a copy if it is one."""
    array = as_real_array(value, name=name, booleans=True)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"`{name}` must be a non-empty 2-D array (H, W), got shape {array.shape}.")
    return np.ascontiguousarray(array)


def require_finite(array: np.ndarray[Any, Any], *, name: str) -> None:
    """Raise if any value is NaN or infinite."""
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        raise ValueError(
            f"`{name}` must be finite, got {bad} of {array.size} values NaN or infinite."
        )


def finite_extremes(values: FloatArray, *, name: str) -> tuple[float, float]:
    """Return the smallest and largest of 1-D values, and raise if any is NaN or infinite."""
    lowest, highest, finite = extremes(values)
    if not finite:
        require_finite(values, name=name)
    return lowest, highest


def require_same_shape(first: FloatArray, second: FloatArray, *, names: Sequence[str]) -> None:
    """Raise unless two maps have the same (H, W)."""
    if first.shape != second.shape:
        advice = "Resize one to the grid of the other with `gazesal.resample`."
        if first.shape == second.shape[::-1]:
            advice = (
                "One has height and width exchanged, so transpose it instead of resizing it with "
                "`gazesal.resample`."
            )
        elif second.shape[1:] == (2,) != first.shape[1:]:
            advice += f" If `{names[1]}` are fixations, draw them with `gaze_heatmap`."
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same shape, got {first.shape} and "
            f"{second.shape}. {advice}"
        )


def as_iterable(value: Any, *, name: str, of: str) -> Iterable[Any]:
    """Return `value` if it is an iterable, but not a text or a scalar."""
    if (
        not isinstance(value, Iterable)
        or isinstance(value, (str, bytes))
        or getattr(value, "ndim", None) == 0
    ):
        got = repr(value) if isinstance(value, str) else type(value).__name__
        remedy = f"Give [{value!r}]." if isinstance(value, str) else "Give a list, also of one."
        raise TypeError(f"`{name}` must be an iterable of {of}, got {got}. {remedy}")
    return value


def weight_sums(weights: FloatArray, *, name: str) -> tuple[Float64Array, float]:
    """Return the sums of blocks of weights, and their total, in the pass that checks the weights.

    Raise unless the weights are finite, non-negative and not all zero. The blocks have the size
    that `gazesal.kernels.sampling` expects.
    """
    sums, lowest = block_totals(weights.ravel(), BLOCK)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(sums.sum())
    if not math.isfinite(total):
        require_finite(weights, name=name)
        raise ValueError(
            f"`{name}` must have a finite sum, but it exceeds the range of float64. Rescale it."
        )
    if lowest < 0:
        raise ValueError(f"`{name}` must be non-negative, got a smallest value of {lowest:g}.")
    if total <= 0:
        raise ValueError(f"`{name}` must have a positive sum, but all its values are zero.")
    return sums, total


def as_shape(value: Any, *, name: str, most: int | None = MOST_PIXELS) -> tuple[int, int]:
    """Return (H, W) as two positive ints, with at most `most` pixels."""
    listed = isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim)
    sides = tuple(value) if listed else ()
    if len(sides) != 2 or not all(_is_integer(side) for side in sides):
        raise TypeError(f"`{name}` must be two integers (H, W), got {shown(value)}.")
    height, width = map(int, sides)
    if height < 1 or width < 1:
        raise ValueError(f"`{name}` must be at least (1, 1), got {value!r}.")
    if most is not None and height * width > most:
        raise ValueError(f"`{name}` must have at most {most} pixels, got {value!r}.")
    return int(height), int(width)


def as_points(value: ArrayLike, *, name: str) -> Float64Array:
    """Return finite points (N, 2), columns x and y, as float64."""
    require_x_y(value, name=name)
    if _is_where(value):
        raise ValueError(
            f"`{name}` must have shape (N, 2) with columns x and y, got a tuple of two arrays of "
            f"integers. {ROWS_AND_COLUMNS}"
        )
    array = as_real_array(value, name=name).astype(np.float64, copy=False)
    if array.shape == (0,):
        raise ValueError(f"`{name}` must hold at least one fixation, got none.")
    if array.ndim != 2 or array.shape[1] != 2:
        advice = ""
        if array.ndim == 2 and array.shape[0] == 2:
            advice = f" If its rows are x and y, transpose it. {ROWS_AND_COLUMNS}"
        raise ValueError(
            f"`{name}` must have shape (N, 2) with columns x and y, got shape {array.shape}."
            f"{advice}"
        )
    if array.shape[0] == 0:
        raise ValueError(f"`{name}` must hold at least one fixation, got none.")
    require_finite(array, name=name)
    return array


def _is_where(value: Any) -> bool:
    """Return whether `value` is the result of np.where for a map: rows and columns of pixels.

    Two arrays of two numbers may also be two points. The arrays of np.where are columns of one
    array, which their strides show.
    """
    if not (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, np.ndarray) and part.dtype == np.intp for part in value)
    ):
        return False
    rows, columns = value
    if rows.shape != columns.shape or rows.ndim != 1:
        return False
    return len(rows) != 2 or rows.strides[0] > rows.itemsize


def require_pixels(value: Any, *, name: str) -> None:
    """Raise if a length is a text, such as "1deg"."""
    if isinstance(value, str):
        raise TypeError(
            f"`{name}` must be a number of pixels, got {value!r}. Multiply degrees by the pixels "
            "per degree."
        )


def require_x_y(value: Any, *, name: str) -> None:
    """Raise if the names of a table's two columns show that y comes before x."""
    columns = getattr(value, "columns", None)
    if columns is None or callable(columns) or len(list(columns)) != 2:
        return
    first, second = (str(label).lower() for label in columns)
    if first.startswith("y") or second.startswith("x"):
        raise TypeError(
            f"`{name}` must have the columns x and y in this order, got a table with "
            f'{list(columns)!r}. Select them with table[["x", "y"]].'
        )


def as_choice(value: Any, choices: Sequence[str], *, name: str) -> str:
    """Return `value` if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return str(value)


def as_column(value: Any, *, name: str) -> str:
    """Return `value` if it is a str, the name of one column."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be the name of a column, got {shown(value)}.")
    return value


def as_flag(value: Any, *, name: str) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` must be True or False, got {value!r}.")
    return bool(value)


def as_count(value: Any, *, name: str, least: int = 1, most: int | None = None) -> int:
    """Return an integer from `least` to `most`."""
    if not _is_integer(value):
        raise TypeError(f"`{name}` must be an integer, got {value!r}.")
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}, got {value}.")
    if most is not None and value > most:
        raise ValueError(f"`{name}` must be at most {most}, got {value}.")
    return int(value)


def as_float(value: Any, *, name: str, expected: str = "a number") -> float:
    """Return a real number as a float. Integers beyond float64 become infinite."""
    if not isinstance(value, numbers.Real) or isinstance(value, NOT_NUMBERS):
        raise TypeError(f"`{name}` must be {expected}, got {shown(value)}.")
    try:
        return float(value)
    except OverflowError:
        return -math.inf if str(value).startswith("-") else math.inf


def as_number(value: Any, *, name: str, low: float, high: float) -> float:
    """Return a finite float between `low` and `high`, both included."""
    number = as_float(value, name=name)
    if not (math.isfinite(number) and low <= number <= high):
        bounds = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
        raise ValueError(f"`{name}` must be finite and {bounds}, got {shown(value)}.")
    return number


def as_tolerance(value: Any, *, name: str) -> float | None:
    """Return a number between 0 and 1, or `None`."""
    if value is None:
        return None
    number = as_float(value, name=name, expected="a number or None")
    if not 0 < number < 1:
        raise ValueError(f"`{name}` must be between 0 and 1, got {shown(value)}.")
    return number


def shown(value: Any) -> str:
    """Return the repr of a value for a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."


def as_generator(rng: RandomState | None, *, why: str) -> np.random.Generator:
    """Return a Generator from a seed or a Generator, but not from None, so runs are repeatable."""
    if rng is None:
        raise ValueError(
            f"`rng` must be a seed or a numpy Generator {why}, got None. Give one, such as 0, "
            "to make the number repeatable."
        )
    if not isinstance(rng, SOURCES):
        given: Any = rng
        several = isinstance(given, (list, tuple)) or getattr(given, "ndim", 0) == 1
        seeds = list(given) if several and len(given) else [given]
        # numpy itself accepts True as 1, and crashes on some texts
        if not all(_is_integer(seed) for seed in seeds):
            raise TypeError(
                f"`rng` must be a non-negative integer seed or a numpy Generator, got {rng!r}."
            )
        if min(seeds) < 0:
            raise ValueError(f"`rng` must be a non-negative integer seed, got {shown(rng)}.")
    return np.random.default_rng(rng)


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, NOT_NUMBERS)
