"""Read the sizes of the pictures in a folder."""

from pathlib import Path

from gazesal.datasets._clean_names import clean_name, clean_names
from gazesal.datasets._picture_facts import FORMATS
from gazesal.datasets.stored_pictures import picture_size

__all__ = ["sizes_of_pictures"]


def sizes_of_pictures(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the sizes of the pictures in a folder, from their headers.

    Parameters
    ----------
    folder : Path
        Folder of pictures. Hidden files and files of other formats are ignored.

    Returns
    -------
    dict of str to tuple of int
        (H, W) by image, the name of the file without its suffix.

    Raises
    ------
    ValueError
        If a picture cannot be read, two pictures of an image have different sizes, or there is no
        picture.
    """
    sizes: dict[str, tuple[int, int]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in FORMATS or not path.is_file():
            continue
        image = clean_name(path.stem, what=f"{folder}: names of files")
        size = picture_size(path)
        if sizes.setdefault(image, size) != size:
            raise ValueError(
                f"{folder}: the pictures of image {image!r} must have one size, got (H, W) "
                f"{sizes[image]} and {size}. Remove one of them."
            )
    if not sizes:
        raise ValueError(f"{folder}: must have pictures with {', '.join(FORMATS)}, got none.")
    clean_names(sizes, what=f"{folder}: names of files")
    return sizes
