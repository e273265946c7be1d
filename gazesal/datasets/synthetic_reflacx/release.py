"""Writing of a synthetic release, in the layout of REFLACX and MIMIC-CXR-JPG."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from gazesal._files import atomic_path, write_text
from gazesal._validation import as_count
from gazesal.datasets._arguments import as_path
from gazesal.datasets.synthetic_reflacx import release_tables
from gazesal.datasets.synthetic_reflacx.anatomy import Chest
from gazesal.datasets.synthetic_reflacx.earlier import (
    FIRST_WORDS,
    command_of,
    remove_earlier,
)
from gazesal.datasets.synthetic_reflacx.identity import (
    Study,
    discarded_readings,
    list_studies,
    reading_ids,
)
from gazesal.datasets.synthetic_reflacx.label_maps import (
    ALL_LESIONS,
    CLASS_MAP,
    draw_label_maps,
    label_folder,
)
from gazesal.datasets.synthetic_reflacx.picture import frontal_picture, lateral_picture, lung_mask
from gazesal.datasets.synthetic_reflacx.reading import chest_box, draw_reading
from gazesal.datasets.synthetic_reflacx.scanpath import attention, draw_habits
from gazesal.typing import Float64Array

__all__ = ["SYNTHETIC_METHODS", "write_synthetic_reflacx"]

SYNTHETIC_METHODS = {
    "attention": "the readers' average attention",
    "lesions": "the lesions, and faintly the lungs",
    "lungs": "the lungs, not specific to the image: good in AUC, near chance in sAUC",
    "noise": "smooth noise: chance in every metric",
    "other_image": "the average attention on another chest, moved to this one: good in AUC, near "
    "chance in sAUC",
}
"""Content of each map of a synthetic release."""

MOST_IMAGES = 198  # ids number the images of phase 1 and of phase 2 with two digits each
MOST_READERS = 4000  # ids number all readings with six digits
LEAST_SIDE = 96  # pixels; below this, ribs and small lesions vanish
MOST_SIDE = 4096  # pixels, about the largest real images; larger images exhaust the memory


def write_synthetic_reflacx(
    folder: str | Path,
    *,
    n_images: int = 12,
    n_readers: int = 5,
    n_unread: int = 6,
    side: int = 480,
    seed: int = 0,
) -> Path:
    """Write a synthetic release in the layout of REFLACX with MIMIC-CXR-JPG beside it.

    It contains chest-like images with lesions, and readings by synthetic readers. The readers look
    at the same lungs, heart and lesions. They differ in the number and spread of their fixations,
    in the lesions that they notice, and in how often they enlarge a part of the image. They dictate
    what they notice, and name a lesion at a time when they look at it, as far as the order of their
    fixations allows. The data are drawn from a seed, without any patient or radiologist.

    Parameters
    ----------
    folder : str or path
        Folder for the release. An earlier synthetic release there is removed first. If any other
        file lies under the names of a release, an error is raised and no file is written or
        deleted.
    n_images : int, default 12
        Number of images that every reader reads, 2 to 198, half of them in phase 1 and half in
        phase 2. In phase 3, a sixth of this number, at least three, are read once.
    n_readers : int, default 5
        Number of readers, 2 to 4000.
    n_unread : int, default 6
        Number of images of other subjects without gaze, for training networks.
    side : int, default 480
        Longest side of the largest images in pixels, 96 to 4096.
    seed : int, default 0
        Seed. The same seed and the same versions of NumPy, SciPy and Pillow write the same bytes.

    Returns
    -------
    pathlib.Path
        The folder. It holds

        - ``main_data``: tables of the three phases, and a folder per reading, as in REFLACX.
          `Reflacx` reads them. About 3% of the readings have no eye tracking, none with fewer than
          four images.
        - ``mimic-cxr-jpg``: ``files/p10/...`` with every image as JPEG, and the tables
          ``chexpert``, ``split`` and ``metadata`` of version 2.0.0.
        - ``lung_masks/<dicom_id>.png``: the lungs of every frontal image, 0 or 255.
        - ``maps/<method>/<dicom_id>.npy``: maps of known quality, float32 at half size, of every
          image with gaze.
        - ``maps_by_label``: maps at an eighth of the size for single labels,
          ``class_map/<label>/<dicom_id>.npy``, which are on the lesions of the label, and
          ``all_lesions/<dicom_id>.npy``, the same for all labels. A slash in a label is replaced by
          a hyphen.
        - ``lesions.csv``: position and size of every lesion in pixels, to check results.
        - ``README.txt``.

    Raises
    ------
    TypeError
        If the folder is not a path, or a count is not an integer.
    ValueError
        If a count is too small or too large.
    FileExistsError
        If the folder holds files under the names of a release that are not part of an earlier
        synthetic release, such as a real release.

    See Also
    --------
    Reflacx : Read the release.

    Notes
    -----
    Formats follow REFLACX :footcite:p:`reflacx2021` and MIMIC-CXR-JPG 2.0.0, without the raw
    samples of the eye tracker (``gaze_data``). As in the real tables, one study of phase 3 has two
    frontal images, one has the subject of an image of phase 1, and one is missing from the table of
    labels. The picture of an image depends only on the seed, its number and `side`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     release = gazesal.datasets.write_synthetic_reflacx(
    ...         folder, n_images=4, n_readers=2, side=120
    ...     )
    ...     print(gazesal.datasets.Reflacx(release))
    Reflacx(8 readings of 4 images, 1 discarded)
    """
    folder = as_path(folder, name="folder")
    as_count(n_images, name="n_images", least=2)
    as_count(n_readers, name="n_readers", least=2)
    as_count(n_unread, name="n_unread", least=0)
    as_count(side, name="side", least=LEAST_SIDE)
    as_count(seed, name="seed", least=0)
    if n_images > MOST_IMAGES:
        raise ValueError(
            f"`n_images` must be at most {MOST_IMAGES}, got {n_images}, because ids number the "
            "images of a phase with two digits. Use `n_unread` for more images."
        )
    if n_readers > MOST_READERS:
        raise ValueError(
            f"`n_readers` must be at most {MOST_READERS}, got {n_readers}, because ids number "
            "all readings with six digits."
        )
    if side > MOST_SIDE:
        raise ValueError(f"`side` must be at most {MOST_SIDE}, got {side}.")
    remove_earlier(folder, SYNTHETIC_METHODS)
    # written first, so that an unfinished release is recognized as synthetic
    command = command_of(n_images, n_readers, n_unread, side, seed)
    write_text(folder / "README.txt", _readme(command))
    studies = list_studies(n_images, n_unread, side=side, seed=seed)
    for study in studies:
        _write_pictures(folder, study, seed)
    read = [study for study in studies if study.phase is not None]
    # Two circles, so that the maps of phases 1 and 2 do not depend on the images of phase 3.
    for group in (read[:n_images], read[n_images:]):
        for study, other in zip(group, [*group[1:], group[0]], strict=True):
            _write_maps(folder / "maps", study, other.chest, seed)
            _write_label_maps(folder / "maps_by_label", study, seed)
    _write_readings(folder / "main_data", studies, n_images, n_readers, seed)
    release_tables.write_mimic_tables(folder / "mimic-cxr-jpg", studies, seed)
    release_tables.write_truth(folder / "lesions.csv", studies)
    return folder


def _write_pictures(folder: Path, study: Study, seed: int) -> None:
    """Write every image of a study, and lung masks of its frontal images."""
    from PIL import Image

    for picture in study.pictures:
        rng = np.random.default_rng([seed, 5, study.index, picture.number])
        values = (frontal_picture if picture.is_frontal else lateral_picture)(study.chest, rng)
        with atomic_path(folder / "mimic-cxr-jpg" / study.path(picture, ".jpg")) as path:
            Image.fromarray(values).save(path, format="JPEG", quality=92)
        if picture.is_frontal:
            with atomic_path(folder / "lung_masks" / f"{picture.dicom_id}.png") as path:
                Image.fromarray(lung_mask(study.chest)).save(path, format="PNG")


def _write_maps(folder: Path, study: Study, other: Chest, seed: int) -> None:
    """Write the maps of known quality for an image, at half its size."""
    chest = study.chest
    frame = chest.frame
    shape = ((frame.height + 1) // 2, (frame.width + 1) // 2)
    u, v = frame.coordinates(shape)
    lungs = chest.lungs(u, v).mask()
    blur = frame.height / 29  # pixels, about one degree if the image fills the screen
    lesions: Float64Array = 0.02 * lungs
    for lesion in chest.lesions:
        if lesion.is_abnormal:
            bump = np.exp(-0.5 * (lesion.distance(u, v) / 0.7) ** 2)
            lesions = lesions + lesion.conspicuity * bump
    rng = np.random.default_rng([seed, 7, study.index])
    maps = {
        "attention": attention(frame, shape, chest, blur=blur),
        "lesions": ndimage.gaussian_filter(lesions, 0.25 * blur),
        "lungs": lungs,
        "noise": ndimage.gaussian_filter(rng.standard_normal(shape), blur),
        "other_image": attention(frame, shape, other, blur=blur),
    }
    for method, values in maps.items():
        _save_map(folder / method / f"{study.dicom_id}.npy", values)


def _write_label_maps(folder: Path, study: Study, seed: int) -> None:
    """Write the maps of single labels and the map of all lesions for an image."""
    for label, values in draw_label_maps(study, seed).items():
        place = ALL_LESIONS if label == ALL_LESIONS else f"{CLASS_MAP}/{label_folder(label)}"
        _save_map(folder / place / f"{study.dicom_id}.npy", values)


def _save_map(file: Path, values: Float64Array) -> None:
    with atomic_path(file) as path, path.open("wb") as stream:
        np.save(stream, values.astype(np.float32), allow_pickle=False)


def _write_readings(
    folder: Path, studies: list[Study], n_images: int, n_readers: int, seed: int
) -> None:
    """Draw and write all readings, and the tables of the phases."""
    habits = draw_habits(seed, n_readers)
    discarded = discarded_readings(n_images, n_readers, seed)
    phases: dict[int, list[release_tables.ReadingRow]] = {1: [], 2: [], 3: []}
    by_index = {study.index: study for study in studies}
    boxes = {study.index: chest_box(study.chest) for study in studies if study.phase is not None}
    for (index, reader), name in reading_ids(studies, n_readers, seed).items():
        study = by_index[index]
        rng = np.random.default_rng([seed, 8, index, reader])
        reading = draw_reading(study.chest, boxes[index], habits[reader], rng)
        phase = study.phase or 3
        gone = (index, reader) in discarded
        release_tables.write_reading(folder / name, phase, reading, gone)
        phases[phase].append((name, study, reading, gone))
    for phase, readings in phases.items():
        release_tables.write_phase(folder / f"metadata_phase_{phase}.csv", phase, readings)


def _readme(command: str) -> str:
    """Return the text of the README."""
    methods = "\n".join(f"  {name:12} {words}" for name, words in SYNTHETIC_METHODS.items())
    return (
        f"{FIRST_WORDS}: images, subjects, readings and\n"
        "dictations are drawn from a seed, in the layout of REFLACX and MIMIC-CXR-JPG, so that an\n"
        "evaluation can be run without their data. Made by\n\n"
        f"  {command}\n\n"
        "main_data/        readings as in REFLACX, without the tracker's raw samples\n"
        "mimic-cxr-jpg/    images and their tables as in MIMIC-CXR-JPG\n"
        "lung_masks/       lungs of each frontal image\n"
        "lesions.csv       position and size of the lesions in each image, in pixels\n"
        "maps/<method>/    maps of known quality:\n"
        f"{methods}\n"
        "maps_by_label/    maps on the lesions of single labels, and on all lesions\n"
    )
