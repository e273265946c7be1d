"""Where the saliency maps of many images come from: folders, archives, stores, objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from gazesal.datasets._arguments import as_path
from gazesal.datasets._names import by_clean_name, clean_name, clean_names, name_as_text
from gazesal.datasets.map_files import maps_in, read_map
from gazesal.datasets.map_stores import STORES, StoredArray, StoredMap, open_store

__all__ = ["MapItem", "find_maps", "open_maps"]

LazyMap: TypeAlias = Path | Callable[[], Any]


@dataclass(frozen=True, slots=True)
class MapItem:
    """The map of one image from an object of a user's own, asked for when it is called.

    Attributes
    ----------
    maps : object
        Anything with ``__getitem__`` that can be pickled: from the name of an image to an array, a
        file that `read_map` reads, or a function without arguments that returns the array.
    image : str
        Name of the image.
    """

    maps: Any
    image: str

    def __call__(self) -> Any:
        """Return the map as the object has it."""
        try:
            value = self.maps[self.image]
        except (KeyError, IndexError) as error:
            raise ValueError(f"{self}: there is no such map.") from error
        if isinstance(value, Path):
            return read_map(value)
        return value() if callable(value) else value

    def __str__(self) -> str:
        return f"{type(self.maps).__name__}[{self.image!r}]"

    def __repr__(self) -> str:
        return f"MapItem({self})"


def open_maps(
    source: str | Path | Any,
    *,
    stack: str | None = None,
    images: str | Sequence[str] | None = None,
) -> Mapping[str, LazyMap]:
    """Open the saliency maps of one method, each to be read when it is needed.

    Parameters
    ----------
    source : str or path
        One of

        - a folder of ``<image>.npy|npz|png|tif``, each a file of one map;
        - a ``.npz`` archive, an HDF5 file (``.h5``, ``.hdf5``; extra ``hdf5``) or a zarr store
          (``.zarr``; extra ``zarr``) with an array for each image, whose path in it is the image's
          name; or with one stack (N, H, W), also (N, 1, H, W), and the names of its N images.
    stack : str, optional
        Array that holds the maps of all images, in an archive or store. By default the only stack,
        if there is no array of two dimensions.
    images : str or sequence of str, optional
        Names of the stack's images: those in this array of the file, or these. By default those
        in the stack's attribute ``images``, or in the only array of text of its length.

    Returns
    -------
    mapping of str to pathlib.Path or callable
        By image: a file, or a function without arguments that reads the map. Both can be sent to
        other processes, since no file stays open. `Case` and `cases_from_tables` take them.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    ValueError
        If it cannot be read, holds no map, or does not say whose maps a stack holds; the message
        names the file.
    ImportError
        If the extra of its format is not installed.

    See Also
    --------
    find_maps : Those of several methods.

    Notes
    -----
    What is read here are names and shapes. A map is read alone, without the rest of its file: of an
    HDF5 or zarr stack the chunks that it lies in, so a stack is quick to read where it was written
    with one image a chunk. An archive is opened by its table of contents, once for each map, which
    costs more the more images it has, and a stack in it is read through: beyond some thousands of
    images take HDF5 or zarr.

    No file runs code or leads to another one. Pickled objects are not loaded, codecs of zarr and
    filters of HDF5 that are not known to move numbers only are not run, and no link out of the file
    or store is followed. Packed values (attributes ``scale_factor``, ``add_offset``) and those
    marked as missing are refused.

    Names are taken without blanks around them and with their letters composed (Unicode's NFC), so
    that files from macOS are found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "grad_cam.npz")
    ...     np.savez(path, **{"1001": np.eye(2), "1002": np.ones((2, 2))})
    ...     maps = gazesal.open_maps(path)
    ...     list(maps), maps["1001"]().tolist()
    (['1001', '1002'], [[1.0, 0.0], [0.0, 1.0]])
    """
    path = as_path(source, name="source")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder of maps.")
    if path.suffix.lower() not in STORES:
        if stack is not None or images is not None:
            raise ValueError(f"{path}: `stack` and `images` go with archives and stores.")
        if not path.is_dir():
            raise ValueError(f"{path}: maps must be a folder or one of {', '.join(STORES)}.")
        return _require_maps(maps_in(path), path)
    return stored_maps(path, stack, images)


def stored_maps(
    path: Path, stack: str | None = None, images: str | Sequence[str] | None = None
) -> Mapping[str, StoredMap]:
    """The maps of an archive or store by image."""
    try:
        with open_store(path) as store:
            maps = _maps_of(path, dict(store.arrays()), stack, images)
    except ImportError:
        raise
    except _UnclearError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # a broken file fails in as many ways as it has parts
        raise ValueError(f"{path}: cannot be read as maps: {error}") from error
    return _require_maps(maps, path)


class _UnclearError(ValueError):
    """What is wrong with how maps lie in a file that can be read."""


def _maps_of(
    path: Path,
    arrays: Mapping[str, StoredArray],
    stack: str | None,
    images: str | Sequence[str] | None,
) -> dict[str, StoredMap]:
    """Maps of a store by image: an array each, or the rows of one."""
    numbers = {key: array.shape for key, array in arrays.items() if not array.is_text}
    flat = [key for key, shape in numbers.items() if len(shape) == 2]
    deep = [key for key, shape in numbers.items() if _is_stack(shape)]
    if stack is None and images is None and (flat or not deep):
        # those of more dimensions among them are faults that reading will name
        found = {
            key: StoredMap(path, key) for key in numbers if key in flat or (flat and key in deep)
        }
        if not found and numbers:
            key, shape = next(iter(numbers.items()))
            raise _UnclearError(
                f"{path}: must hold an array (H, W) for each image, or a stack (N, H, W) with the "
                f"names of its images, got {key!r} of shape {shape}."
            )
        return by_clean_name(found, what=f"{path}: names of images")
    if stack is None:
        if len(deep) != 1:
            raise _UnclearError(
                f"{path}: `stack` must name one of "
                f"{', '.join(f'{key!r} {numbers[key]}' for key in deep[:9]) or 'no arrays'}, got "
                "None."
            )
        stack = deep[0]
    if not _is_stack(numbers.get(stack, ())):
        given = f" of shape {numbers[stack]}" if stack in numbers else ""
        raise _UnclearError(
            f"{path}: `stack` must be an array (N, H, W) in it, got {stack!r}{given}."
        )
    names = _names(path, arrays, stack, images)
    n = numbers[stack][0]
    if len(names) != n:
        raise _UnclearError(
            f"{path}: {stack!r} must have a name for each of {n} maps, got {len(names)}."
        )
    cleaned = clean_names(names, what=f"{path}: names of images")
    names = [cleaned[name] for name in names]
    if len(set(names)) < n:
        twice, times = Counter(names).most_common(1)[0]
        raise _UnclearError(f"{path}: image {twice!r} must have one map in {stack!r}, got {times}.")
    return {name: StoredMap(path, stack, row) for row, name in enumerate(names)}


def _is_stack(shape: Sequence[int]) -> bool:
    """Return whether the rows of an array are maps, also with an axis of one channel."""
    return len(shape) == 3 or (len(shape) == 4 and 1 in (shape[1], shape[3]))


def _names(
    path: Path, arrays: Mapping[str, StoredArray], stack: str, images: str | Sequence[str] | None
) -> list[str]:
    """Names of the images of a stack."""
    if images is not None and not isinstance(images, str):
        return [str(name) for name in images]
    if images is None:
        labels = arrays[stack].labels
        if labels is not None:
            return labels
        length = arrays[stack].shape[:1]
        texts = [key for key, array in arrays.items() if array.is_text and array.shape == length]
        if len(texts) != 1:
            raise _UnclearError(
                f"{path}: the images of {stack!r} must be named by its attribute 'images' or by "
                f"one array of text as long as it, got {len(texts)} such arrays; say which, or the "
                "names, with `images`."
            )
        images = texts[0]
    if images not in arrays or len(arrays[images].shape) != 1:
        raise _UnclearError(f"{path}: `images` must name an array (N,) in it, got {images!r}.")
    names = arrays[images].read().tolist()
    return [each.decode() if isinstance(each, bytes) else name_as_text(each) for each in names]


def _require_maps(maps: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    if not maps:
        raise ValueError(f"{path}: there are no maps in it.")
    return maps


def find_maps(folder: str | Path) -> dict[str, Mapping[str, LazyMap]]:
    """Find the saliency maps of several methods.

    Parameters
    ----------
    folder : str or path
        Folder with, for each method, a folder ``<method>/<image>.npy|npz|png|tif`` or a file
        ``<method>.npz|h5|hdf5|zarr`` that `open_maps` opens. Hidden files and folders, and files of
        other formats beside maps, are passed over. Or one such file, of one method.

    Returns
    -------
    dict of mapping
        By method, then by image: a file, or a function without arguments that reads the map.
        Methods are sorted by name.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If it holds no maps, a method's folder has files but no map, one method has two files for
        one image, or two sources; or as for `open_maps`.
    ImportError
        If the extra of a file's format is not installed.

    See Also
    --------
    open_maps : Those of one method.
    read_map : Read a file of one map.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "grad_cam").mkdir()
    ...     np.save(Path(folder, "grad_cam", "1001.npy"), np.eye(3))
    ...     np.savez(Path(folder, "attention.npz"), **{"1001": np.eye(3)})
    ...     maps = gazesal.find_maps(folder)
    >>> {method: list(images) for method, images in maps.items()}
    {'attention': ['1001'], 'grad_cam': ['1001']}
    """
    folder = as_path(folder, name="folder")
    if folder.suffix.lower() in STORES and folder.exists():
        return {clean_name(folder.stem, what="`folder`"): open_maps(folder)}
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder of maps.")
    maps: dict[str, Mapping[str, LazyMap]] = {}
    taken: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        stored = path.suffix.lower() in STORES
        if path.name.startswith(".") or not (stored or path.is_dir()):
            continue
        found = open_maps(path) if stored else maps_in(path)
        if not found:
            continue
        name = path.stem if stored else path.name
        method = clean_name(name, what=f"{folder}: names of methods")
        if method in maps:
            raise ValueError(
                f"{folder}: method {method!r} must have one source of maps, got "
                f"{taken[method].name} and {path.name}."
            )
        maps[method], taken[method] = found, path
    if not maps:
        raise ValueError(
            f"{folder}: there are no maps; they are looked for as <method>/<image> with .npy, "
            f".npz, .png or .tif, and as <method> with {', '.join(STORES)}."
        )
    clean_names(maps, what=f"{folder}: names of methods")
    return dict(sorted(maps.items()))


def source_finder(maps: Any, *, name: str) -> Callable[[str], Any]:
    """A function from the name of an image to the source of its map, or to nothing.

    Of a dictionary these are its values. Any other object with ``__getitem__`` is asked when the
    map is needed; where it cannot say which images it has, it is taken to have all.
    """
    if isinstance(maps, (dict, MappingProxyType)):
        return by_clean_name(maps, what=f"images of `{name}`").get
    if isinstance(maps, (str, bytes, Path, Sequence, np.ndarray)) or not hasattr(
        maps, "__getitem__"
    ):
        raise TypeError(
            f"`{name}` must be a mapping of images to maps, or anything with `__getitem__`, got "
            f"{type(maps).__name__}."
        )
    if type(maps).__module__.split(".")[0] == "h5py" or isinstance(maps, np.lib.npyio.NpzFile):
        raise TypeError(
            f"`{name}` must not be an open file, which other processes cannot be sent, got "
            f"{type(maps).__name__}; `gazesal.open_maps` takes its path."
        )
    if not isinstance(maps, Mapping):
        return lambda image: MapItem(maps, image)
    known = by_clean_name({key: key for key in maps}, what=f"images of `{name}`")
    return lambda image: MapItem(maps, known[image]) if image in known else None
