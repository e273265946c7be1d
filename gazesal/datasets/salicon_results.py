"""Open the saliency maps in a file of results of SALICON."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gazesal.datasets._arguments import as_path
from gazesal.datasets._clean_names import picture_stems
from gazesal.datasets._json import parse_json
from gazesal.datasets.gaze_formats._rows import reading
from gazesal.datasets.map_files import read_map
from gazesal.typing import FloatArray

__all__ = ["open_salicon_results"]


@dataclass(frozen=True, slots=True)
class EncodedMap:
    """Map of one image as the text of a PNG picture, decoded when it is called."""

    source: str
    image: str
    text: str = field(repr=False)

    def __call__(self) -> FloatArray:
        """Return the values as stored."""
        with reading(Path(self.source), "results of SALICON"), TemporaryDirectory() as folder:
            # as a file, so that a picture here is read as every other picture of a map
            path = Path(folder, "map.png")
            path.write_bytes(base64.b64decode(self.text, validate=True))
            return read_map(path)

    def __str__(self) -> str:
        return f"{self.source}[{self.image!r}]"


def open_salicon_results(
    path: str | Path, *, annotations: str | Path | None = None
) -> Mapping[str, EncodedMap]:
    r"""Open the saliency maps in a file of results of SALICON.

    Parameters
    ----------
    path : str or path
        JSON file, a list of objects with ``image_id`` and ``saliency_map``, a PNG picture in
        base64, as the evaluation of SALICON takes it.
    annotations : str or path, optional
        JSON file with the annotations of SALICON, which has the names of the images. By default,
        images are named by their ids.

    Returns
    -------
    mapping of str to callable
        For each image, a function without arguments that decodes the map. `Case` and
        `cases_from_tables` take them.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If a file cannot be read, has no or two maps of an image, or an image is missing in the
        annotations.

    See Also
    --------
    gazesal.open_maps : Open maps in folders, archives and stores.
    gazesal.read_fixations : Reads the annotations with the format ``"salicon-json"``.

    Notes
    -----
    The format is described with the data :footcite:p:`jiang2015`. Maps are decoded one at a time,
    when needed, but their texts are kept in memory.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import base64, io, json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from PIL import Image
    >>> import gazesal
    >>> picture = io.BytesIO()
    >>> Image.fromarray(np.array([[0, 255]], np.uint8)).save(picture, "png")
    >>> text = base64.b64encode(picture.getvalue()).decode()
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "results.json")
    ...     _ = path.write_text(json.dumps([{"image_id": 7, "saliency_map": text}]))
    ...     maps = gazesal.datasets.open_salicon_results(path)
    >>> maps["7"]().tolist()
    [[0.0, 255.0]]
    """
    path = as_path(path, name="path")
    names = {} if annotations is None else _names(as_path(annotations, name="annotations"))
    maps: dict[str, EncodedMap] = {}
    with reading(path, "results of SALICON"):
        for result in parse_json(path.read_text("utf-8-sig")):
            number, text = result["image_id"], result["saliency_map"]
            if names and number not in names:
                raise ValueError(f"image {number} must be in `annotations`, got no such id")
            image = names.get(number, str(number))
            if image in maps or not isinstance(text, str):
                raise ValueError(f"image {image} must have one map in base64")
            maps[image] = EncodedMap(str(path), image, text)
    if not maps:
        raise ValueError(f"{path}: must have at least one map, got none.")
    return maps


def _names(path: Path) -> dict[Any, str]:
    """Return the names of images by id."""
    with reading(path, "annotations of SALICON"):
        images = parse_json(path.read_text("utf-8-sig"))["images"]
        stems = picture_stems([image["file_name"] for image in images])
        return {image["id"]: stem for image, stem in zip(images, stems, strict=True)}
