"""Open the saliency maps of many images, in folders, archives, stores and mappings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from gazesal.datasets._arguments import as_path
from gazesal.datasets._clean_names import by_clean_name, clean_name, clean_names
from gazesal.datasets._map_names import require_texts
from gazesal.datasets._store_layout import UnclearLayoutError, maps_by_image
from gazesal.datasets.map_files import SUFFIXES, map_of_file, maps_in
from gazesal.datasets.map_stores import STORES, StoredMap, open_store

__all__ = ["MapItem", "find_maps", "open_maps"]

MapReader: TypeAlias = Path | Callable[[], Any]


@dataclass(frozen=True, slots=True)
class MapItem:
    """Map of one image in the user's own object, looked up when it is called.

    Attributes
    ----------
    maps : object
        Any object with ``__getitem__`` that can be pickled. For the name of an image, it returns an
        array, a file that `read_map` reads, or a function without arguments that returns the array.
    image : str
        Name of the image.
    """

    maps: Any
    image: str

    def __call__(self) -> Any:
        """Return the map as stored in the object."""
        try:
            value = self.maps[self.image]
        except (KeyError, IndexError) as error:
            raise ValueError(f"{self}: the mapping has no such map.") from error
        if isinstance(value, Path):
            return map_of_file(value)
        return value() if callable(value) else value

    def __str__(self) -> str:
        return f"{type(self.maps).__name__}[{self.image!r}]"

    def __repr__(self) -> str:
        return f"MapItem({self})"


def open_maps(
    source: str | Path | Any,
    *,
    pattern: str | None = None,
    array: str | None = None,
    stack: str | None = None,
    images: str | Sequence[str] | None = None,
) -> Mapping[str, MapReader]:
    """Open the saliency maps of one method, each of which is read when it is needed.

    Parameters
    ----------
    source : str or path
        One of

        - a folder of files with one map each, in any format of `read_map`, such as
          ``<image>.npy``. If the folder has only folders, their files are used.
        - a ``.npz`` archive, an HDF5 file (``.h5`` or ``.hdf5``, extra ``hdf5``), a zarr store
          (``.zarr``, extra ``zarr``), a ``.mat`` file of MATLAB or a ``.pt`` file of torch (extra
          ``torch``). It has an array for each image, whose path in it is the name of the image, or
          one stack (N, H, W) or (N, 1, H, W) and the names of its N images.
    pattern : str, optional
        Names of the files of a folder without their suffix, such as ``"{image}_cam"``,
        ``"saliency_{image}"`` or ``"{image}.jpg"``. ``*`` stands for any text. With a slash, the
        pattern is compared with the path below the folder: ``"*/{image}"`` is one folder deep,
        ``"**/{image}"`` any number, and ``"{folder}/{image}"`` makes the folder part of the name of
        the image. Other files are ignored. By default, the name of the file is the name of the
        image.
    array : str, optional
        Name of the array with the map in each file of a folder of ``.npz``, ``.mat`` or ``.pt``
        files. See `read_map`.
    stack : str, optional
        Name of the array with the maps of all images, in an archive or store. By default, the only
        stack, if there is no array of two dimensions.
    images : str or sequence of str, optional
        Names of the images in the stack, or the name of the array in the file that has them. By
        default, the stack's attribute ``images``, or the only array of text of its length.

    Returns
    -------
    mapping of str to pathlib.Path or callable
        For each image, a file or a function without arguments that reads the map. Both can be sent
        to other processes, because no file stays open. `Case` and `cases_from_tables` take them.

    Raises
    ------
    FileNotFoundError
        If the file or folder does not exist.
    ValueError
        If it cannot be read, has no map, or does not name the images of a stack. The message names
        the file.
    ImportError
        If the extra of its format is not installed.

    See Also
    --------
    find_maps : Find the maps of several methods.

    Notes
    -----
    Only names and shapes are read here. Maps are read one at a time, when needed. From an HDF5
    or zarr stack, the chunks of the map are read, so stacks with one image per chunk are fast. For
    each map in an archive, its table of contents is read, which takes longer for more images, and a
    stack in it is read completely. Use HDF5 or zarr for more than a few thousand images.

    No file can run code or lead to another file. Pickled objects are not loaded. Only codecs of
    zarr and filters of HDF5 that are known to process plain numbers are run. Links out of the file
    or store are not followed. Packed values (attributes ``scale_factor`` and ``add_offset``) and
    values marked as missing are refused.

    Blanks around names are removed, and their letters are composed (Unicode NFC), so that files
    from macOS are found.

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
    require_texts(pattern, array)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder of maps.")
    if path.suffix.lower() in STORES and not (pattern is None and array is None):
        raise ValueError(
            f"{path}: `pattern` and `array` must be used with a folder of maps. Omit them."
        )
    if path.suffix.lower() not in STORES:
        if stack is not None or images is not None:
            raise ValueError(
                f"{path}: `stack` and `images` must be used with an archive or store. Omit them."
            )
        if not path.is_dir():
            raise ValueError(
                f"{path}: `source` must be a folder or one of {', '.join(STORES)}. Use `read_map` "
                "for a file of one map."
            )
        return _require_maps(maps_in(path, pattern, array), path)
    return stored_maps(path, stack, images)


def stored_maps(
    path: Path, stack: str | None = None, images: str | Sequence[str] | None = None
) -> Mapping[str, StoredMap]:
    """Return the maps of an archive or store by image."""
    try:
        with open_store(path) as store:
            maps = maps_by_image(path, dict(store.arrays()), stack, images)
    except ImportError:
        raise
    except UnclearLayoutError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # the formats raise errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as maps: {error}") from error
    return _require_maps(maps, path)


def _require_maps(maps: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Return maps, and raise if it is empty."""
    if not maps:
        raise ValueError(f"{path}: must have at least one map, got none.")
    return maps


def find_maps(
    folder: str | Path, *, pattern: str | None = None, array: str | None = None
) -> dict[str, Mapping[str, MapReader]]:
    """Find the saliency maps of several methods.

    Parameters
    ----------
    folder : str or path
        Folder that has, for each method, a folder ``<method>/<image>.npy`` of maps in any format of
        `read_map`, or a file ``<method>.npz|h5|hdf5|zarr|mat|pt`` that `open_maps` opens. Hidden
        files and folders, and files of other formats beside maps, are ignored. Or one such file, or
        a folder with only maps of one method, such as ``<image>.png``. If its files are of arrays,
        such as ``<image>.mat``, give `pattern` or `array`, because they could also be methods.
    pattern : str, optional
        Names of the files in the folder of each method, such as ``"{image}_cam"``. See `open_maps`.
    array : str, optional
        Name of the array with the map in each file of a method's folder. See `open_maps`.

    Returns
    -------
    dict of mapping
        For each method and image, a file or a function without arguments that reads the map.
        Methods are sorted by name.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If it has no maps, the folder of a method has files but no map, or a method has two sources
        or two files for one image, and for the reasons listed in `open_maps`.
    ImportError
        If the extra of a file's format is not installed.

    See Also
    --------
    open_maps : Open the maps of one method.
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
    require_texts(pattern, array)
    if folder.suffix.lower() in STORES and folder.exists():
        found = open_maps(folder, pattern=pattern, array=array)
        return {clean_name(folder.stem, what="`folder`"): found}
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder of maps.")
    chosen = pattern is not None or array is not None
    if chosen and not any(path.is_dir() for path in folder.iterdir()):
        return {
            clean_name(folder.name, what="`folder`"): open_maps(
                folder, pattern=pattern, array=array
            )
        }
    maps: dict[str, Mapping[str, MapReader]] = {}
    taken: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        stored = path.suffix.lower() in STORES
        if path.name.startswith(".") or not (stored or path.is_dir()):
            continue
        found = open_maps(path) if stored else maps_in(path, pattern, array)
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
    if not maps and any(folder.iterdir()):
        maps[clean_name(folder.name, what="`folder`")] = maps_in(folder, pattern, array)
    if not any(maps.values()):
        raise ValueError(
            f"{folder}: must have maps as <method>/<image> with {', '.join(SUFFIXES)}, or as "
            f"<method> with {', '.join(STORES)}, got none."
        )
    clean_names(maps, what=f"{folder}: names of methods")
    return dict(sorted(maps.items()))


def source_finder(maps: Any, *, name: str) -> Callable[[str], Any]:
    """Return a function from the name of an image to the source of its map, or to None.

    The sources of a dictionary are its values. In any other object with ``__getitem__``, the map is
    looked up when it is needed. An object that is not a mapping is assumed to have all images.
    """
    if isinstance(maps, (dict, MappingProxyType)):
        return by_clean_name(maps, what=f"images of `{name}`").get
    if isinstance(maps, (str, bytes, Path, Sequence, np.ndarray)) or not hasattr(
        maps, "__getitem__"
    ):
        raise TypeError(
            f"`{name}` must be a mapping of images to maps or an object with `__getitem__`, got "
            f"{type(maps).__name__}."
        )
    if type(maps).__module__.split(".")[0] == "h5py" or isinstance(maps, np.lib.npyio.NpzFile):
        raise TypeError(
            f"`{name}` must not be an open file, which cannot be sent to other processes, got "
            f"{type(maps).__name__}. Give its path to `gazesal.open_maps`."
        )
    if not isinstance(maps, Mapping):
        return lambda image: MapItem(maps, image)
    known = by_clean_name({key: key for key in maps}, what=f"images of `{name}`")
    return lambda image: MapItem(maps, known[image]) if image in known else None
