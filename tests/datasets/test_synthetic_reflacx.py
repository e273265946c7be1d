"""Tests of the synthetic release: reproducible, in the real layout, consistent with its lesions."""

import csv
import hashlib
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gazesal import find_maps, gaze_when_named, read_map
from gazesal.cxr import box_of_mask, lung_hull
from gazesal.datasets import REFLACX_TERMS, Reflacx, write_synthetic_reflacx
from gazesal.datasets.synthetic_reflacx import SYNTHETIC_METHODS
from gazesal.datasets.synthetic_reflacx.earlier import release_files
from gazesal.datasets.synthetic_reflacx.identity import list_studies

N_IMAGES, N_READERS, N_UNREAD = 8, 3, 7
N_ONCE = 3  # images of phase 3
FIXATION_HEADER = (
    "timestamp_start_fixation,timestamp_end_fixation,x_position,y_position,pupil_area_normalized,"
    "angular_resolution_x_pixels_per_degree,angular_resolution_y_pixels_per_degree,window_width,"
    "window_level,xmin_shown_from_image,ymin_shown_from_image,xmax_shown_from_image,"
    "ymax_shown_from_image,xmin_in_screen_coordinates,ymin_in_screen_coordinates,"
    "xmax_in_screen_coordinates,ymax_in_screen_coordinates"
)
PHASE_1 = (
    "Airway wall thickening,Atelectasis,Consolidation,Emphysema,Enlarged cardiac silhouette,"
    "Fibrosis,Fracture,Groundglass opacity,Mass,Nodule,Other,Pleural effusion,Pleural thickening,"
    "Pneumothorax,Pulmonary edema,Quality issue,Support devices,Wide mediastinum"
)
PHASES_2_AND_3 = (
    "Abnormal mediastinal contour,Acute fracture,Atelectasis,Consolidation,Enlarged cardiac "
    "silhouette,Enlarged hilum,Groundglass opacity,Hiatal hernia,High lung volume / emphysema,"
    "Interstitial lung disease,Lung nodule or mass,Other,Pleural abnormality,Pneumothorax,"
    "Pulmonary edema,Support devices"
)
LABELS = {1: PHASE_1.split(","), 2: PHASES_2_AND_3.split(","), 3: PHASES_2_AND_3.split(",")}
CHEXPERT = (
    "Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,"
    "Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices"
)
# names of each kind of lesion, independent of the library: phase 1, phases 2 and 3, CheXpert
NAMES = {
    "nodule": ("Nodule", "Lung nodule or mass", "Lung Lesion"),
    "mass": ("Mass", "Lung nodule or mass", "Lung Lesion"),
    "consolidation": ("Consolidation", "Consolidation", "Consolidation|Lung Opacity"),
    "pneumonia": ("Consolidation", "Consolidation", "Consolidation|Lung Opacity|Pneumonia"),
    "groundglass": ("Groundglass opacity", "Groundglass opacity", "Lung Opacity"),
    "edema": ("Pulmonary edema", "Pulmonary edema", "Edema"),
    "atelectasis": ("Atelectasis", "Atelectasis", "Atelectasis"),
    "effusion": ("Pleural effusion", "Pleural abnormality", "Pleural Effusion"),
    "thickening": ("Pleural thickening", "Pleural abnormality", "Pleural Other"),
    "pneumothorax": ("Pneumothorax", "Pneumothorax", "Pneumothorax"),
    "cardiomegaly": ("Enlarged cardiac silhouette",) * 2 + ("Cardiomegaly",),
    "mediastinum": (
        "Wide mediastinum",
        "Abnormal mediastinal contour",
        "Enlarged Cardiomediastinum",
    ),
    "fracture": ("Fracture", "Acute fracture", "Fracture"),
    "device": ("Support devices", "Support devices", "Support Devices"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small release, written once."""
    return write_synthetic_reflacx(
        tmp_path_factory.mktemp("release"),
        n_images=N_IMAGES,
        n_readers=N_READERS,
        n_unread=N_UNREAD,
        side=160,
        seed=5,
    )


@pytest.fixture(scope="module")
def release(folder):
    """The same release, read."""
    return Reflacx(folder, phases=(1, 2, 3))


@pytest.fixture(scope="module")
def mimic(folder):
    """Tables of MIMIC-CXR-JPG by name."""
    start = folder / "mimic-cxr-jpg" / "mimic-cxr-2.0.0"
    names = ("chexpert", "split", "metadata")
    return {name: pd.read_csv(f"{start}-{name}.csv", dtype={"StudyTime": str}) for name in names}


@pytest.fixture(scope="module")
def lesions(folder):
    """Kinds of the drawn lesions by dicom_id."""
    table = pd.read_csv(folder / "lesions.csv")
    return table.groupby("dicom_id")["kind"].agg(set).to_dict()


def digests(folder):
    """Hash of every file by its relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kept(release):
    """Ids of the readings with eye tracking."""
    return release.readings.index[~release.readings["discarded"]]


def picture(folder, image):
    """Pixels of an image as REFLACX names it."""
    path = image.removeprefix("physionet.org/files/mimic-cxr/2.0.0/").replace(".dcm", ".jpg")
    return np.asarray(Image.open(folder / "mimic-cxr-jpg" / path))


def test_bytes_depend_only_on_the_seed(folder, tmp_path):
    options = {"n_images": N_IMAGES, "n_readers": N_READERS, "n_unread": N_UNREAD, "side": 160}
    again = digests(write_synthetic_reflacx(tmp_path / "again", **options, seed=5))
    assert again == digests(folder)
    other = digests(write_synthetic_reflacx(tmp_path / "other", **options, seed=6))
    same = {name for name, digest in other.items() if again.get(name) == digest}
    assert same == set()


def test_more_images_do_not_change_the_first_pictures(release, folder, tmp_path):
    few = write_synthetic_reflacx(tmp_path, n_images=2, n_readers=2, n_unread=0, side=160, seed=5)
    first = Reflacx(few).readings.query("phase == 1")["image"].iloc[0]
    assert first in set(release.readings["image"])
    np.testing.assert_array_equal(picture(few, first), picture(folder, first))


def test_counts_are_as_given(release, folder):
    readings = release.readings
    assert readings.groupby("phase").size().to_dict() == {
        1: N_IMAGES // 2 * N_READERS,
        2: N_IMAGES // 2 * N_READERS,
        3: N_ONCE,
    }
    by_image = readings[readings["phase"] < 3].groupby("image")
    assert set(by_image.size()) == {N_READERS}
    assert len(by_image) == N_IMAGES
    assert 1 <= readings["discarded"].sum() <= N_IMAGES // 4
    assert by_image["discarded"].sum().max() == 1
    assert len(Reflacx(folder).kept_by_all(N_READERS)) > N_IMAGES / 2
    for phase, rows in readings.groupby("phase"):
        form = r"P300R\d{6}" if phase == 3 else rf"P{phase}0[1-4]R\d{{6}}"
        assert all(re.fullmatch(form, name) for name in rows.index)
        # readings of one image share its number
        assert (rows.groupby(rows.index.str[:4])["image"].nunique() == 1).all() or phase == 3


@pytest.mark.parametrize(
    ("n_images", "n_readers", "discarded"), [(2, 2, 0), (3, 5, 0), (4, 5, 1), (24, 5, 4)]
)
def test_discarded_readings_are_few(tmp_path, n_images, n_readers, discarded):
    write_synthetic_reflacx(tmp_path, n_images=n_images, n_readers=n_readers, n_unread=0, side=96)
    assert int(Reflacx(tmp_path).readings["discarded"].sum()) == discarded


def test_discarded_readings_have_fewer_files(release, folder):
    by_hand = {"chest_bounding_box.csv", "anomaly_location_ellipses.csv"}
    tracked = {"fixations.csv", "timestamps_transcription.csv", "transcription.txt"}
    assert {path.name for path in (folder / "main_data").iterdir()} == {
        *release.readings.index,
        *(f"metadata_phase_{phase}.csv" for phase in (1, 2, 3)),
    }
    for name, discarded in release.readings["discarded"].items():
        files = {path.name for path in (folder / "main_data" / name).iterdir()}
        assert files == (by_hand if discarded else by_hand | tracked)


def test_line_ends_and_headers_equal_the_real_release(release, folder):
    for path in (folder / "main_data").rglob("*.csv"):
        content = path.read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") > 0
        assert content.endswith(b"\r\n")
    for path in [*(folder / "mimic-cxr-jpg").glob("*.csv"), folder / "lesions.csv"]:
        assert b"\r" not in path.read_bytes()
    for phase, labels in LABELS.items():
        header = (folder / "main_data" / f"metadata_phase_{phase}.csv").read_text().split("\n")[0]
        fixed = "id,split,eye_tracking_data_discarded,image,dicom_id,subject_id"
        assert header.split(",") == [*fixed.split(","), "image_size_x", "image_size_y", *labels]
    for name, row in release.readings.iterrows():
        reading = folder / "main_data" / name
        header = (reading / "anomaly_location_ellipses.csv").read_text().split("\n")[0]
        labels = LABELS[row["phase"]]
        assert header.split(",") == ["xmin", "ymin", "xmax", "ymax", "certainty", *labels]
        if not row["discarded"]:
            assert (reading / "fixations.csv").read_text().split("\n")[0] == FIXATION_HEADER


def test_number_formats_equal_the_real_release(release, folder):
    form = re.compile(r"(-?\d+\.\d{3},){2}(-?\d+,){2}\d\.\d{3},(\d+,){2}(\d\.\d{5},){2}(\d+,?){8}")
    for name in kept(release):
        lines = (folder / "main_data" / name / "fixations.csv").read_text().splitlines()[1:]
        assert 25 <= len(lines) <= 60
        assert all(form.fullmatch(line) for line in lines)


def test_fixations_do_not_overlap_in_time(release, folder):
    starts = []
    for name in kept(release):
        table = pd.read_csv(folder / "main_data" / name / "fixations.csv")
        start, end = table["timestamp_start_fixation"], table["timestamp_end_fixation"]
        assert (end > start).all()
        assert (start.iloc[1:].to_numpy() > end.iloc[:-1].to_numpy()).all()
        starts.append(start.iloc[0])
    assert min(starts) < 0 < max(starts)


def test_shown_rectangles_are_within_image_and_screen(release, folder):
    zoomed = inside = total = off = 0
    for name in kept(release):
        height, width = release.readings.loc[name, ["height", "width"]]
        table = pd.read_csv(folder / "main_data" / name / "fixations.csv")
        shown = table.filter(regex="shown_from_image").to_numpy()
        screen = table.filter(regex="screen_coordinates").to_numpy()
        assert (shown[:, :2] >= 0).all()
        assert (shown[:, 2:] <= [width, height]).all()
        assert (screen[:, :2] >= 0).all()
        assert (screen[:, 2:] <= [3840, 2160]).all()
        sides = shown[:, 2:] - shown[:, :2]
        # pixels are square, so both axes have one scale up to rounding to whole image pixels
        scale = (screen[:, 2:] - screen[:, :2]) / sides
        np.testing.assert_allclose(scale[:, 0], scale[:, 1], rtol=0.02)
        # an enlarged image has fewer of its pixels per degree
        degrees = table.filter(regex="pixels_per_degree").to_numpy()
        on_screen = degrees * scale
        assert on_screen.min() > 45
        assert on_screen.max() < 110
        whole = (sides == [width, height]).all(axis=1)
        place = table[["x_position", "y_position"]].to_numpy()
        seen = ((place >= shown[:, :2]) & (place < shown[:, 2:])).all(axis=1)
        zoomed += int((~whole).sum())
        inside += int((seen & ~whole).sum())
        off += int(((place < 0) | (place >= [width, height])).any(axis=1).sum())
        total += len(table)
    assert 0.05 * total < zoomed < 0.6 * total
    assert inside > 0.9 * zoomed
    assert 0 < off < 0.03 * total


def test_boxes_lie_around_the_lungs(release, folder):
    for name, row in release.readings.iterrows():
        x_min, y_min, x_max, y_max = release.chest_box(name)
        assert x_min >= 0
        assert y_min >= 0
        assert x_max <= row["width"]
        assert y_max <= row["height"]
        mask = np.asarray(Image.open(folder / "lung_masks" / f"{row['dicom_id']}.png"))
        left, top, right, bottom = box_of_mask(mask > 0)
        slack = 0.1 * (bottom - top)
        assert abs(x_min - left) < slack
        assert abs(x_max - right) < slack
        assert abs(y_min - top) < slack
        assert -slack < y_max - bottom < 2.5 * slack  # a heart may reach below


def test_ellipses_and_labels_agree(release, folder):
    marked = 0
    for name, row in release.readings.iterrows():
        ellipses = release.ellipses(name)
        labels = release.labels.loc[name]
        flags = ellipses[LABELS[row["phase"]]]
        assert (flags.sum(axis=1) == 1).all()
        assert (ellipses[["xmin", "ymin"]].to_numpy() >= 0).all()
        assert (ellipses["xmax"] < row["width"]).all()
        assert (ellipses["ymax"] < row["height"]).all()
        assert (ellipses["xmin"] < ellipses["xmax"]).all()
        assert (ellipses["ymin"] < ellipses["ymax"]).all()
        for label in LABELS[row["phase"]]:
            if label in {"Other", "Quality issue", "Support devices"}:
                continue
            certainties = ellipses.loc[flags[label], "certainty"]
            assert labels[label] == (certainties.max() if len(certainties) else 0)
            assert labels[label] in range(6)
            marked += len(certainties)
    assert marked > 10


def test_most_readers_are_right(release, lesions):
    """Named lesions were drawn except for false alarms, and missed lesions have the label 0."""
    named = right = drawn = found = 0
    for name, row in release.readings.iterrows():
        column = 0 if row["phase"] == 1 else 1
        truth = {NAMES[kind][column] for kind in lesions.get(row["dicom_id"], set())}
        ours = {
            label
            for label in LABELS[row["phase"]]
            if label not in {"Other", "Quality issue"} and release.labels.loc[name, label] > 0
        }
        named, right = named + len(ours), right + len(ours & truth)
        drawn, found = drawn + len(truth), found + len(ours & truth)
    assert right > 0.85 * named
    assert 0.6 * drawn < found < drawn
    abnormal = release.abnormal()
    images = release.readings.drop_duplicates("image").set_index("image")["dicom_id"]
    truth = images.map(lambda dicom: bool(lesions.get(dicom, set()) - {"device"}))
    assert (abnormal == truth[abnormal.index]).mean() > 0.8


def test_dictation_equals_the_noticed_lesions(release, folder):
    for name in kept(release):
        reading = folder / "main_data" / name
        text = (reading / "transcription.txt").read_text()
        with (reading / "timestamps_transcription.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        words = [row["word"] for row in rows]
        assert text == " ".join(words).replace(" .", ".").replace(" ,", ",")
        assert all("." not in word and "," not in word for word in set(words) - {".", ","})
        assert words[-1] == "."
        starts = np.array([float(row["timestamp_start_word"]) for row in rows])
        ends = np.array([float(row["timestamp_end_word"]) for row in rows])
        assert (ends > starts).all()
        assert (starts[1:] >= ends[:-1]).all()
        last = pd.read_csv(reading / "fixations.csv")["timestamp_end_fixation"].iloc[-1]
        assert 0 <= starts[0] < ends[-1] <= last
        n_marks = len(release.ellipses(name))
        assert text.count(" in the ") == n_marks
        assert ("The lungs are clear" in text) == (n_marks == 0)


def test_readers_look_at_a_lesion_when_they_name_it(release):
    shares = []
    for name in kept(release):
        fixations, ellipses = release.fixations(name), release.ellipses(name)
        labels = [label for label in ellipses.columns[5:] if ellipses[label].any()]
        terms = {label: REFLACX_TERMS[label] for label in labels}
        named = gaze_when_named(fixations, release.transcription(name), terms)
        for label in labels:
            lesions = ellipses.loc[ellipses[label], ["xmin", "ymin", "xmax", "ymax"]].to_numpy()
            others = ellipses.loc[~ellipses[label], ["xmin", "ymin", "xmax", "ymax"]].to_numpy()
            window = named[named["label"] == label]
            assert window["duration"].sum() > 0
            shares.append(
                [share_on(lesions, gaze) for gaze in (window, fixations)]
                + [share_on(others, gaze) for gaze in (window, fixations)]
            )
    on, on_in_all, beside, beside_in_all = np.mean(shares, axis=0)
    assert on > 0.5
    assert on > on_in_all + 0.2
    assert beside < beside_in_all + 0.1


def share_on(ellipses, gaze):
    """Return the share of the durations of fixations that lie in one of some ellipses."""
    center, half = (ellipses[:, 2:] + ellipses[:, :2]) / 2, (ellipses[:, 2:] - ellipses[:, :2]) / 2
    offset = (gaze[["x", "y"]].to_numpy()[:, None] - center) / half
    inside = ((offset**2).sum(axis=2) <= 1).any(axis=1)
    return gaze["duration"][inside].sum() / gaze["duration"].sum()


def test_maps_of_labels_are_on_the_lesions(release, folder):
    maps = find_maps(folder / "maps_by_label" / "class_map")
    assert set(maps) == {
        names[column].replace("/", "-") for names in NAMES.values() for column in (0, 1)
    }
    lesions = pd.read_csv(folder / "lesions.csv")
    readings = release.readings.drop_duplicates("dicom_id").set_index("dicom_id")
    for row in lesions[lesions["dicom_id"].isin(readings.index)].itertuples():
        phase = readings.loc[row.dicom_id, "phase"]
        label = NAMES[row.kind][0 if phase == 1 else 1]
        values = read_map(folder / f"maps_by_label/class_map/{label}/{row.dicom_id}.npy")
        rows, columns = np.indices(values.shape)
        nearest = np.hypot(8 * rows + 3.5 - row.y, 8 * columns + 3.5 - row.x).argmin()
        assert values.flat[nearest] > 0.5  # elsewhere at most 0.4


def test_picture_sizes_equal_the_tables(release, folder, mimic):
    sizes = set()
    files = sorted((folder / "mimic-cxr-jpg").rglob("*.jpg"))
    table = mimic["metadata"].set_index("dicom_id")
    assert {path.stem for path in files} == set(table.index)
    for path in files:
        with Image.open(path) as image:
            assert (image.mode, image.format) == ("L", "JPEG")
            row = table.loc[path.stem]
            assert image.size == (row["Columns"], row["Rows"])
            assert np.asarray(image).std() > 20
            sizes.add(image.size)
        parts = path.relative_to(folder / "mimic-cxr-jpg").parts[:-1]
        assert parts == ("files", "p10", f"p{row['subject_id']}", f"s{row['study_id']}")
        assert re.fullmatch(r"([0-9a-f]{8}-){4}[0-9a-f]{8}", path.stem)
    assert len(sizes) > 5
    for _, row in release.readings.iterrows():
        assert picture(folder, row["image"]).shape == (row["height"], row["width"])
        assert row["dicom_id"] in row["image"]
        assert f"/p{row['subject_id']}/" in row["image"]


def test_lungs_are_dark_two_and_clear_of_the_border(folder, mimic):
    table = mimic["metadata"]
    frontal = table[table["ViewPosition"].isin(["PA", "AP"])]
    assert {path.stem for path in (folder / "lung_masks").iterdir()} == set(frontal["dicom_id"])
    for _, row in frontal.iterrows():
        mask = np.asarray(Image.open(folder / "lung_masks" / f"{row['dicom_id']}.png"))
        assert mask.shape == (row["Rows"], row["Columns"])
        assert set(np.unique(mask)) == {0, 255}
        assert 0.1 < (mask > 0).mean() < 0.5
        assert lung_hull(mask > 0).mean() > (mask > 0).mean()  # the lungs do not touch the border
        name = f"files/p10/p{row['subject_id']}/s{row['study_id']}/{row['dicom_id']}.jpg"
        pixels = np.asarray(Image.open(folder / "mimic-cxr-jpg" / name)).astype(float)
        x_min, y_min, x_max, y_max = (int(side) for side in box_of_mask(mask > 0))
        chest = np.s_[y_min:y_max, x_min:x_max]
        outside = pixels[chest][mask[chest] == 0]
        assert np.median(pixels[mask > 0]) < np.median(outside) - 30


def test_tables_of_mimic_agree(release, mimic):
    chexpert, split, metadata = mimic["chexpert"], mimic["split"], mimic["metadata"]
    ids = ["dicom_id", "subject_id", "study_id"]
    assert set(map(tuple, split[ids].to_numpy())) == set(map(tuple, metadata[ids].to_numpy()))
    assert split["dicom_id"].is_unique
    assert (split.groupby("subject_id")["split"].nunique() == 1).all()
    assert set(split["split"]) == {"train", "validate", "test"}
    frontal = metadata[metadata["ViewPosition"].isin(["PA", "AP"])]
    assert len(frontal) == N_IMAGES + N_ONCE + N_UNREAD + 1
    assert set(metadata["ViewPosition"]) - {"PA", "AP"} <= {"LATERAL", "LL"}
    assert len(metadata) > len(frontal)
    assert sorted(frontal.groupby("study_id").size())[-2:] == [1, 2]
    studies = set(metadata["study_id"])
    assert set(chexpert["study_id"]) < studies
    assert len(studies) == len(chexpert) + 1
    assert chexpert["study_id"].is_unique
    # not all subjects with gaze are in the test set, so moving them there has an effect
    readings = release.readings
    by_dicom = split.set_index("dicom_id")["split"]
    assert (by_dicom[readings["dicom_id"]].to_numpy() == readings["split"].to_numpy()).all()
    assert set(readings["split"]) == {"train", "validate", "test"}
    # one subject has a second study
    subjects = readings.groupby("subject_id")["image"].nunique()
    assert sorted(subjects)[-2:] == [1, 2]
    unread = split[~split["subject_id"].isin(readings["subject_id"].astype(int))]
    assert len(unread.merge(frontal, on="dicom_id")) == N_UNREAD


def test_chexpert_labels_equal_the_lesions(mimic, lesions):
    table = mimic["chexpert"].merge(
        mimic["metadata"].query("ViewPosition in ['PA', 'AP']"), on=["subject_id", "study_id"]
    )
    assert ",".join(table.columns[2:16]) == CHEXPERT
    values = table.iloc[:, 2:16]
    assert set(np.unique(values.fillna(9))) == {-1.0, 0.0, 1.0, 9.0}
    for (_, row), (_, labels) in zip(table.iterrows(), values.iterrows(), strict=True):
        kinds = lesions.get(row["dicom_id"], set())
        there = {label for kind in kinds for label in NAMES[kind][2].split("|")}
        if not kinds - {"device"}:
            there.add("No Finding")
        marked = {label for label, value in labels.items() if value in (-1.0, 1.0)}
        assert marked == there


def test_share_of_normal_images_and_every_kind_are_drawn(tmp_path):
    write_synthetic_reflacx(tmp_path, n_images=2, n_readers=2, n_unread=200, side=96, seed=1)
    table = pd.read_csv(tmp_path / "lesions.csv")
    assert set(table["kind"]) == set(NAMES)
    chexpert = pd.read_csv(tmp_path / "mimic-cxr-jpg" / "mimic-cxr-2.0.0-chexpert.csv")
    assert 0.15 < (chexpert["No Finding"] == 1).mean() < 0.3
    assert ((chexpert.iloc[:, 2:] == 1).sum() > 0).all()


def test_every_image_has_every_map(release, folder):
    maps = find_maps(folder / "maps")
    assert set(maps) == set(SYNTHETIC_METHODS)
    rows = release.readings.drop_duplicates("image").set_index("dicom_id")
    for files in maps.values():
        assert set(files) == set(rows.index)
        for dicom, path in files.items():
            values = read_map(path)
            height, width = rows.loc[dicom, ["height", "width"]]
            assert values.shape == ((height + 1) // 2, (width + 1) // 2)
            assert np.load(path).dtype == np.float32
            assert values.min() < values.max()


def test_lesion_map_is_high_at_the_lesions(folder):
    table = pd.read_csv(folder / "lesions.csv").query("kind != 'device'")
    maps = find_maps(folder / "maps")["lesions"]
    seen = 0
    for dicom, path in maps.items():
        values = read_map(path)
        for _, lesion in table[table["dicom_id"] == dicom].iterrows():
            value = values[int(lesion["y"] / 2), int(lesion["x"] / 2)]
            assert value > np.quantile(values, 0.8)
            seen += 1
    assert seen > 5


def test_readers_look_at_lesions(release, folder):
    """Fixations are more likely within the box of a lesion than in the chest on average."""
    table = pd.read_csv(folder / "lesions.csv").query("kind not in ['device', 'edema']")
    within = expected = 0.0
    for name in kept(release):
        row = release.readings.loc[name]
        fixations = release.fixations(name)
        x_min, y_min, x_max, y_max = release.chest_box(name)
        for _, lesion in table[table["dicom_id"] == row["dicom_id"]].iterrows():
            near = (abs(fixations["x"] - lesion["x"]) < lesion["half_axis_x"]) & (
                abs(fixations["y"] - lesion["y"]) < lesion["half_axis_y"]
            )
            area = 4 * lesion["half_axis_x"] * lesion["half_axis_y"]
            within += near.mean()
            expected += area / ((x_max - x_min) * (y_max - y_min))
    assert within > 1.3 * expected


def test_readme_states_that_the_data_are_synthetic(folder):
    text = (folder / "README.txt").read_text()
    assert text.startswith("Synthetic data. No patient and no radiologist is in them")
    command = "gazesal synthesize reflacx --out DIR --images 8 --readers 3 --unread 7"
    assert f"{command} --side 160 --seed 5" in text


BAD = {
    "few images": ({"n_images": 1}, ValueError, "`n_images` must be at least 2, got 1"),
    "many images": ({"n_images": 199}, ValueError, "`n_images` must be at most 198, got 199"),
    "no image number": ({"n_images": 4.0}, TypeError, "`n_images` must be an integer, got 4.0"),
    "few readers": ({"n_readers": 1}, ValueError, "`n_readers` must be at least 2, got 1"),
    "many readers": ({"n_readers": 4001}, ValueError, "`n_readers` must be at most 4000"),
    "unread": ({"n_unread": -1}, ValueError, "`n_unread` must be at least 0, got -1"),
    "side": ({"side": 95}, ValueError, "`side` must be at least 96, got 95"),
    "long side": ({"side": 100000}, ValueError, "`side` must be at most 4096, got 100000"),
    "seed": ({"seed": -1}, ValueError, "`seed` must be at least 0, got -1"),
}


@pytest.mark.parametrize("case", BAD)
def test_invalid_arguments_raise_before_writing(tmp_path, case):
    options, error, message = BAD[case]
    with pytest.raises(error, match=re.escape(message)):
        write_synthetic_reflacx(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


SMALL = {"n_images": 2, "n_readers": 2, "n_unread": 0, "side": 96}


def test_release_files_lists_every_file(release, folder):
    studies = list_studies(N_IMAGES, N_UNREAD, side=160, seed=5)
    known = release_files(studies, N_READERS, 5, SYNTHETIC_METHODS)
    there = set(digests(folder))
    gone = release.readings.index[release.readings["discarded"]]
    assert len(gone) > 0
    left_out = ("fixations.csv", "transcription.txt", "timestamps_transcription.csv")
    assert known - there == {f"main_data/{name}/{file}" for name in gone for file in left_out}
    assert there <= known


def tree(folder):
    """Every file and folder, with the bytes of files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_earlier_release_is_replaced_completely(tmp_path):
    fresh = tree(write_synthetic_reflacx(tmp_path / "fresh", **SMALL, seed=1))
    again = tmp_path / "again"
    write_synthetic_reflacx(again, n_images=4, n_readers=3, n_unread=2, side=120, seed=0)
    (again / "results").mkdir()
    (again / "results" / "scores.csv").write_text("mine")
    (again / "lung_masks" / ".k3_abcde.partial.png").write_bytes(b"cut off")  # left by a killed run
    write_synthetic_reflacx(again, **SMALL, seed=1)
    assert tree(again) == fresh | {"results": None, "results/scores.csv": b"mine"}


def test_unfinished_release_is_replaced(tmp_path, monkeypatch):
    from gazesal.datasets.synthetic_reflacx import release as module

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_readings", fail)
        with pytest.raises(KeyboardInterrupt):
            write_synthetic_reflacx(tmp_path / "out", **SMALL, seed=3)
    assert not (tmp_path / "out" / "main_data").exists()
    write_synthetic_reflacx(tmp_path / "out", **SMALL, seed=4)
    fresh = write_synthetic_reflacx(tmp_path / "fresh", **SMALL, seed=4)
    assert tree(tmp_path / "out") == tree(fresh)


def real_release(folder):
    """Write files like in an unpacked real release."""
    reading = folder / "main_data" / "P102R000017"
    reading.mkdir(parents=True)
    (reading / "fixations.csv").write_text("real")
    (folder / "main_data" / "metadata_phase_1.csv").write_text("real")


def synthetic_with(path, content="mine"):
    """Return a function that writes a synthetic release with one more file."""

    def make(folder):
        write_synthetic_reflacx(folder, **SMALL)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)

    return make


def synthetic_tables_with_real_readings(folder):
    write_synthetic_reflacx(folder, **SMALL)
    shutil.rmtree(folder / "main_data")
    real_release(folder)


def link_to_a_real_release(folder):
    write_synthetic_reflacx(folder, **SMALL)
    elsewhere = folder.parent / "elsewhere"
    shutil.copytree(folder / "main_data", elsewhere)  # with the same names
    shutil.rmtree(folder / "main_data")
    (folder / "main_data").symlink_to(elsewhere)


def links_within(folder):
    write_synthetic_reflacx(folder, **SMALL)
    mask = next((folder / "lung_masks").iterdir())
    mask.rename(folder.parent / "mask.png")
    mask.symlink_to(folder.parent / "mask.png")


OTHERS = {
    "a real release": real_release,
    "a real release with a README": lambda folder: (
        real_release(folder),
        (folder / "README.txt").write_text("REFLACX, version 1.0.0"),
    ),
    "a README that only begins like ours": lambda folder: (
        real_release(folder),
        (folder / "README.txt").write_text("Synthetic data. No patient and no radiologist is in"),
    ),
    "real readings in a synthetic release": synthetic_tables_with_real_readings,
    "one more reading": synthetic_with("main_data/P102R000017/fixations.csv"),
    "foreign maps": synthetic_with("maps/mine/a.npy"),
    "a foreign map": synthetic_with("maps/attention/a.npy"),
    "a foreign picture": synthetic_with("mimic-cxr-jpg/files/p10/a.jpg"),
    "only a README": lambda folder: (folder / "README.txt").write_text("mine"),
    "only maps": lambda folder: (folder / "maps" / "mine").mkdir(parents=True),
    "a link to a real release": link_to_a_real_release,
    "links within": links_within,
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_under_release_names_raise_and_are_kept(tmp_path, kind):
    folder = tmp_path / "out"
    folder.mkdir()
    OTHERS[kind](folder)
    before = tree(tmp_path)
    with pytest.raises(FileExistsError, match="Nothing was written or deleted"):
        write_synthetic_reflacx(folder, **SMALL, seed=9)
    assert tree(tmp_path) == before


def test_other_files_beside_a_release_are_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write_synthetic_reflacx(tmp_path, **SMALL)
    write_synthetic_reflacx(tmp_path, **SMALL)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(Reflacx(tmp_path).readings) == 4
