"""Read the regions of many images from folders of masks and from files of COCO."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gazesal.datasets._arguments import as_path
from gazesal.datasets.map_sources import find_maps, open_maps
from gazesal.regions.coco import coco_regions

__all__ = ["RegionsOfImages", "read_regions"]

ONLY_LABEL = "region"  # of masks in a folder without a folder for each label


class RegionsOfImages(Mapping[str, Mapping[str, Any]]):
    """Regions of many images: a read-only mapping of images to regions by label.

    Parameters
    ----------
    regions : mapping of mapping
        Regions by image, then by label.
    sizes : mapping of str to tuple of int
        (H, W) of each image in whose pixels its shapes are given, empty for masks.

    Attributes
    ----------
    sizes : dict of str to tuple of int
        (H, W) of each image in whose pixels the shapes are given. Empty for masks, which have sizes
        of their own.
    """

    def __init__(
        self, regions: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, tuple[int, int]]
    ) -> None:
        self._regions = regions
        self.sizes: dict[str, tuple[int, int]] = dict(sizes)

    def __getitem__(self, image: str) -> Mapping[str, Any]:
        return self._regions[image]

    def __iter__(self) -> Iterator[str]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)

    def __repr__(self) -> str:
        labels = {label for regions in self._regions.values() for label in regions}
        return f"RegionsOfImages({len(self)} images: {', '.join(sorted(labels))})"


def read_regions(path: str | Path, *, pattern: str | None = None) -> RegionsOfImages:
    r"""Read the regions of many images from a folder of masks or from a file of COCO.

    Parameters
    ----------
    path : str or path
        One of

        - a folder with a folder of masks ``<label>/<image>.png|npy|tif`` for each label, or with
          masks ``<image>.png|npy|tif``, which get the label ``"region"``. Pixels inside have one
          value, and all others are 0.
        - a JSON file in the format of COCO, with images, annotations and categories. A region is
          the segmentation of an annotation (polygons or run lengths), or else its box, with the
          name of its category as label. Its coordinates are measured from the corner of the image
          and are converted. The image is the name of its file without folder and suffix.
    pattern : str, optional
        Names of the masks without their suffix. See `find_maps`. By default ``{image}``.

    Returns
    -------
    RegionsOfImages
        Regions by image, then by label, as `Case` takes them. Masks are read when needed.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If a folder has no masks, or a file is malformed. The message names the file.

    Warns
    -----
    SkippedDataWarning
        If annotations have no area. They are left out.

    See Also
    --------
    gazesal.add_regions : Add them to cases.

    Notes
    -----
    A pixel is inside of a polygon if its center is. The masks of the tools of COCO differ from this
    at some pixels of the border. The format is described by :footcite:t:`lin2014`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "nodule").mkdir()
    ...     np.save(Path(folder, "nodule", "1001.npy"), np.eye(3))
    ...     found = gazesal.regions.read_regions(folder)
    ...     list(found["1001"])
    ['nodule']
    """
    path = as_path(path, name="path")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder.")
    if not path.is_dir():
        if pattern is not None:
            raise ValueError(f"`pattern` must be None for a file, got {pattern!r}. Remove it.")
        return RegionsOfImages(*coco_regions(path))
    if any(each.is_dir() for each in path.iterdir() if not each.name.startswith(".")):
        by_label: Mapping[str, Mapping[str, Any]] = find_maps(path, pattern=pattern)
    else:
        by_label = {ONLY_LABEL: open_maps(path, pattern=pattern)}
    found: dict[str, dict[str, Any]] = {}
    for label, masks in by_label.items():
        for image in masks:
            found.setdefault(image, {})[label] = masks[image]
    return RegionsOfImages(found, {})
