"""The segmentation baseline: the convex hull of the lungs."""

import math
import numbers
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from gazesal._validation import as_map, require_finite
from gazesal.datasets._map_names import files_by_image
from gazesal.datasets.map_files import SUFFIXES, map_of_file
from gazesal.typing import FloatArray

__all__ = ["box_of_mask", "clean_lung_mask", "find_lung_hulls", "lung_hull"]

BoolMap = NDArray[np.bool_]
FOUR_NEIGHBORS = ndimage.generate_binary_structure(2, 1)
OVERSHOOT = 1e-3  # tolerated excess above 1, which resizing can leave in probabilities
EIGHT_NEIGHBORS = ndimage.generate_binary_structure(2, 2)


def lung_hull(
    probability: ArrayLike, *, threshold: float = 0.5, smallest_share: float = 0.02
) -> BoolMap:
    """Make the segmentation baseline: one convex region around lungs and mediastinum.

    Parameters
    ----------
    probability : array_like of float or bool, shape (H, W)
        Probability of lung of each pixel, or a mask.
    threshold : float, default 0.5
        Pixels strictly above it are lung.
    smallest_share : float, default 0.02
        Specks and holes smaller than this share of the image's area are removed.

    Returns
    -------
    numpy.ndarray of bool, shape (H, W)
        True inside the hull; False everywhere if no lung is left after cleaning.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity, or an option is out of range.
    TypeError
        If the map does not hold real numbers.
    ImportError
        If the extra ``cxr`` is not installed.

    See Also
    --------
    clean_lung_mask : Make the mask before its hull.
    box_of_mask : Return the box of a mask.

    Notes
    -----
    Follows section 3.2 of :footcite:t:`bigolin2021`. The hull includes the region between the
    lungs, and nothing that is specific to the findings of an image. As a saliency map it is binary,
    so its AUC is 1/2 + (TPR - FPR)/2.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import lung_hull
    >>> lungs = np.zeros((6, 9), bool)
    >>> lungs[1:5, 1:3] = lungs[1:5, 6:8] = True
    >>> lung_hull(lungs).astype(int)[2].tolist()
    [0, 1, 1, 1, 1, 1, 1, 1, 0]
    """
    cleaned = clean_lung_mask(probability, threshold=threshold, smallest_share=smallest_share)
    if not cleaned.any():
        return cleaned
    require_skimage()
    from skimage.morphology import convex_hull_image

    return np.asarray(convex_hull_image(cleaned))  # type: ignore[no-untyped-call]


def clean_lung_mask(
    probability: ArrayLike, *, threshold: float = 0.5, smallest_share: float = 0.02
) -> BoolMap:
    """Threshold a lung map, and remove specks, holes and regions that touch the border.

    Parameters
    ----------
    probability : array_like of float or bool, shape (H, W)
        Probability of lung of each pixel, or a mask.
    threshold : float, default 0.5
        Pixels strictly above it are lung.
    smallest_share : float, default 0.02
        Connected specks, and then holes, smaller than this share of the image's area are removed.

    Returns
    -------
    numpy.ndarray of bool, shape (H, W)
        The cleaned mask.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity, or an option is out of range.
    TypeError
        If the map does not hold real numbers.

    See Also
    --------
    lung_hull : Return the hull of the cleaned mask.

    Notes
    -----
    Specks and holes are connected by sides, and removed if *strictly* smaller. Regions that touch
    the border are connected by sides and corners. Versions of scikit-image differ in both, so the
    two steps are implemented here.

    A step of the segmentation baseline in section 3.2 of :footcite:t:`bigolin2021`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import clean_lung_mask
    >>> mask = np.zeros((6, 9), bool)
    >>> mask[1:5, 1:3] = mask[0, 5] = True
    >>> int(clean_lung_mask(mask).sum())
    8
    """
    values = as_map(probability, name="probability")
    require_finite(values, name="probability")
    for name, value in (("threshold", threshold), ("smallest_share", smallest_share)):
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            raise TypeError(f"`{name}` must be a number, got {value!r}.")
        if not (math.isfinite(value) and 0 <= value < 1):
            raise ValueError(f"`{name}` must be at least 0 and less than 1, got {value!r}.")
    smallest = smallest_share * values.size
    lungs = _without_small(values > threshold, smallest)
    lungs = ~_without_small(~lungs, smallest)
    labels, n = ndimage.label(lungs, EIGHT_NEIGHBORS)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    keep = np.ones(n + 1, bool)
    keep[border] = False
    keep[0] = False
    return np.asarray(keep[labels])


def find_lung_hulls(folder: str | Path) -> dict[str, Callable[[], FloatArray]]:
    """Find lung masks in a folder, and return their hulls as the segmentation baseline.

    Parameters
    ----------
    folder : str or path
        Folder of lung masks or probabilities, ``<image>.npy``, ``.png`` or ``.tif``. Values are in
        [0, 1], or whole numbers up to 255 as in 8-bit pictures. Masks with a different number for
        each lung raise an error.

    Returns
    -------
    dict of callable
        By image, a function without arguments that reads the file and returns its `lung_hull` as
        a map of 0 and 1. `gazesal.cases_from_reflacx` and `gazesal.cases_from_tables` take the
        dict as the maps of a method.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If the folder holds no masks. The functions raise it if a file cannot be read or has invalid
        values.
    ImportError
        If the extra ``cxr`` is not installed.

    See Also
    --------
    lung_hull : Make the hull of one mask.

    Notes
    -----
    The segmentation baseline in section 3.2 of :footcite:t:`bigolin2021`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from gazesal.cxr import find_lung_hulls
    >>> lungs = np.zeros((6, 9), np.uint8)
    >>> lungs[1:5, 1:3] = lungs[1:5, 6:8] = 255
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "7.npy"), lungs)
    ...     find_lung_hulls(folder)["7"]()[2].tolist()
    [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: must be a folder of lung masks, but does not exist.")
    files = files_by_image(folder, SUFFIXES, None)
    if not files:
        raise ValueError(f"{folder}: must hold lung masks (.npy, .png or .tif), got none.")
    require_skimage()
    return {image: partial(read_hull, path) for image, path in files.items()}


def read_hull(path: Path) -> FloatArray:
    values = map_of_file(path)
    low, high = float(values.min()), float(values.max())
    eight_bits = high == 255 and bool(np.all(values == np.floor(values)))
    if low < 0 or not (high <= 1 + OVERSHOOT or eight_bits):
        raise ValueError(
            f"{path}: a lung mask must hold 0 and 1, probabilities in [0, 1], or whole numbers "
            f"from 0 to 255 with 255 among them, got values from {low:g} to {high:g}."
        )
    return lung_hull(values / (255.0 if eight_bits else 1.0)).astype(np.float32)


def box_of_mask(mask: ArrayLike) -> tuple[float, float, float, float]:
    """Return the bounding box of a mask, for registration.

    Parameters
    ----------
    mask : array_like of bool or number, shape (H, W)
        Non-zero inside.

    Returns
    -------
    tuple of float
        (x_min, y_min, x_max, y_max) in pixels, with exclusive upper bounds.

    Raises
    ------
    ValueError
        If the mask is not 2-D, or is empty or zero everywhere.
    TypeError
        If the mask does not hold real numbers.

    Examples
    --------
    >>> from gazesal.cxr import box_of_mask
    >>> box_of_mask([[0, 0, 0, 0], [0, 1, 1, 0]])
    (1.0, 1.0, 3.0, 2.0)
    """
    inside = as_map(mask, name="mask") != 0
    if not inside.any():
        raise ValueError("`mask` must be non-zero somewhere, got only zeros, which have no box.")
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def require_skimage() -> None:
    """Raise unless scikit-image is installed."""
    try:
        import skimage.morphology  # noqa: F401 (is it installed?)
    except ImportError as error:
        raise ImportError("The hull needs scikit-image: pip install 'gazesal[cxr]'.") from error


def _without_small(mask: BoolMap, smallest: float) -> BoolMap:
    """Remove regions, connected by sides, with fewer pixels than `smallest`."""
    labels, _ = ndimage.label(mask, FOUR_NEIGHBORS)
    keep = np.bincount(labels.ravel()) >= smallest
    keep[0] = False  # the background
    return np.asarray(keep[labels])
