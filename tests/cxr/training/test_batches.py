"""Tests of batches: the study's augmentations, its evaluation images, and the cache."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from PIL import Image

import gazesal
from gazesal.cxr import preprocess
from gazesal.cxr.training import LabeledImages, TrainingSettings
from gazesal.cxr.training.batches import (
    EvaluationImages,
    TrainingImages,
    epoch_order,
    evaluation_loader,
    training_loader,
)
from gazesal.cxr.training.classifier import normalized
from gazesal.cxr.training.picture_cache import PictureCache
from tests.cxr.training.made_up import made_up_images, small_settings

STILL = {
    "rotation_degrees": 0.0,
    "translation": 0.0,
    "scale_factor": (1.0, 1.0),
    "horizontal_flip": 0.0,
}


def training_set(settings, images=None, seed=0):
    images = made_up_images() if images is None else images
    return TrainingImages(images, images.where("train"), settings, None, 0, seed=seed)


def one_image(pixels, **changes):
    images = LabeledImages(
        names="a",
        sources=[pixels],
        targets=[[True]],
        labels="x",
        split=["train"],
        patients="p",
    )
    return training_set(small_settings(**changes), images)


def test_evaluation_images_have_the_bits_of_preprocess():
    images, settings = made_up_images(), small_settings()
    rows = images.where("validate")
    dataset = EvaluationImages(images, rows, settings, None, 0)
    for index, row in enumerate(rows):
        pixels, target, place = dataset[index]
        expected = preprocess(images.sources[row], short_side=32).tensor
        got = normalized(pixels[None], settings)[0]
        assert got.numpy().tobytes() == expected.expand(3, -1, -1).contiguous().numpy().tobytes()
        assert target.tolist() == images.targets[row].tolist()
        assert place == index


def test_without_augmentation_a_training_image_is_its_center():
    """The shorter side is resized to 32 and the middle 32 columns are cut, up to rounding."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    got, _, _ = one_image(pixels, **STILL)[0, 0]
    resized = np.asarray(Image.fromarray(pixels).resize((48, 32), Image.Resampling.BILINEAR))
    assert got.dtype == torch.uint8
    assert np.abs(got[0].numpy().astype(int) - resized[:, 8:40]).max() <= 1


def test_a_flip_mirrors():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    got, _, _ = one_image(pixels, **{**STILL, "horizontal_flip": 0.999999})[0, 0]
    assert np.abs(got[0].numpy().astype(int) - pixels[:, ::-1]).max() <= 1


def spot_moves(n=300, **changes):
    """Return the positions in n epochs of a bright spot 10 to the right, relative to the center."""
    y, x = np.mgrid[:81, :81] - 40.0
    spot = np.round(250 * np.exp(-0.5 * ((x - 10) ** 2 + y**2) / 2.0**2)).astype(np.uint8)
    sides = {"shortest_dimension": 81, "center_crop": 81}
    dataset = one_image(spot, **{**STILL, **sides, **changes})
    moved = []
    for epoch in range(n):
        values = dataset[epoch, 0][0][0].numpy().astype(float)
        moved.append([(values * x).sum() / values.sum(), (values * y).sum() / values.sum()])
    return np.array(moved)


def test_rotations_reach_fifteen_degrees_in_both_directions():
    moved = spot_moves(rotation_degrees=15.0)
    angles = np.degrees(np.arctan2(moved[:, 1], moved[:, 0]))
    assert np.abs(angles).max() < 15.3
    assert angles.min() < -13.5
    assert angles.max() > 13.5
    assert abs(angles.std() - 30 / np.sqrt(12)) < 0.8  # standard deviation of a uniform draw
    assert np.hypot(*moved.T) == pytest.approx(10, abs=0.15)


def test_shifts_reach_a_twentieth_of_the_side():
    shifts = spot_moves(translation=0.05) - [10, 0]
    assert np.abs(shifts).max() < 0.05 * 81 + 0.1
    assert (shifts.min(axis=0) < -3.6).all()
    assert (shifts.max(axis=0) > 3.6).all()


def test_scales_are_between_95_and_105_percent():
    moved = spot_moves(scale_factor=(0.95, 1.05))
    scales = np.hypot(*moved.T) / 10
    assert 0.94 < scales.min() < 0.957
    assert 1.043 < scales.max() < 1.06


@pytest.mark.parametrize(("preset", "border"), [("paper", 0), ("code", 128)])
@pytest.mark.parametrize("gray", [0, 255, 128, 7])
@pytest.mark.parametrize(
    "change", [{"rotation_degrees": 15.0}, {"translation": 0.05}, {"scale_factor": (0.9, 0.9)}]
)
def test_borders_of_augmented_images_have_the_gray_of_the_preset(preset, border, gray, change):
    """The authors' code fills with 128. Pixels between image and border are interpolated."""
    value = TrainingSettings.preset(preset).border_value
    dataset = one_image(
        np.full((32, 32), gray, np.uint8), **{**STILL, **change}, border_value=value
    )
    seen = np.concatenate([dataset[epoch, 0][0].numpy().ravel() for epoch in range(20)])
    assert {seen.min(), seen.max()} == {min(gray, border), max(gray, border)}


def test_an_augmentation_depends_on_seed_epoch_and_image_alone():
    settings = small_settings()
    torch.manual_seed(1)
    first = training_set(settings)[3, 5][0]
    before = torch.random.get_rng_state()
    torch.manual_seed(2)
    dataset = training_set(settings)
    dataset[0, 1]
    assert torch.equal(dataset[3, 5][0], first)
    assert not torch.equal(dataset[4, 5][0], first)
    assert not torch.equal(training_set(settings, seed=1)[3, 5][0], first)
    torch.random.set_rng_state(before)
    dataset[0, 0]
    assert torch.equal(torch.random.get_rng_state(), before)  # the global state is not used


def test_processes_split_each_epoch():
    dataset = training_set(small_settings())
    orders = {}
    for epoch in (0, 1):
        seen = []
        for rank in (0, 1):
            loader = training_loader(dataset, workers=0, world_size=2, rank=rank)
            loader.sampler.set_epoch(epoch)
            assert loader.batch_size == 3
            seen += [int(index) for _, _, indices in loader for index in indices]
        assert sorted(seen) == list(range(len(dataset)))
        orders[epoch] = seen
    assert orders[0] != orders[1]
    with pytest.raises(ValueError, match=r"`batch_size` must be a multiple .* got 6 and 4"):
        training_loader(dataset, workers=0, world_size=4, rank=0)


def test_no_two_trainings_share_an_order():
    """Orders differ between seeds and between epochs, and each is a permutation."""
    orders = set()
    for seed in range(6):
        dataset = training_set(small_settings(), seed=seed)
        sampler = training_loader(dataset, workers=0, world_size=1, rank=0).sampler
        for epoch in range(8):
            sampler.set_epoch(epoch)
            epochs, order = zip(*sampler, strict=True)
            assert set(epochs) == {epoch}
            assert sorted(order) == list(range(len(dataset)))
            key = np.random.SeedSequence(seed, spawn_key=(epoch,))
            assert list(order) == np.random.default_rng(key).permutation(len(dataset)).tolist()
            orders.add(order)
    assert len(orders) == 6 * 8


def test_uneven_split_repeats_the_start_of_the_order():
    dataset = training_set(small_settings(batch_size=5), made_up_images(19, 4))
    shares = []
    for rank in range(5):
        loader = training_loader(dataset, workers=0, world_size=5, rank=rank)
        shares.append([index for _, index in loader.sampler])
    order = epoch_order(len(dataset), 0, 0).tolist()
    assert len(order) == 12
    assert [each for turn in zip(*shares, strict=True) for each in turn] == order + order[:3]


def test_augmentations_and_orders_have_different_random_keys():
    keys = [np.random.SeedSequence([0, epoch, row]) for epoch in range(3) for row in range(3)]
    orders = [np.random.SeedSequence(0, spawn_key=(epoch,)) for epoch in range(3)]
    states = {tuple(key.generate_state(4)) for key in keys + orders}
    assert len(states) == 12


def test_evaluation_batches_have_one_size_and_each_image_once():
    images = made_up_images()
    dataset = EvaluationImages(images, images.where("validate"), small_settings(), None, 0)
    for world_size in (1, 2, 5):
        seen, counts = [], set()
        for rank in range(world_size):
            loader = evaluation_loader(dataset, workers=0, world_size=world_size, rank=rank)
            counts.add(len(loader))
            for pixels, _, indices in loader:
                assert len(pixels) <= 6
                seen += indices.tolist()
        assert sorted(seen) == list(range(12))
        assert len(counts) == 1  # processes synchronize before each batch
    with pytest.raises(ValueError, match="more validation images than 12 for 13 processes"):
        dataset.batches(6, 13, 12)


@pytest.fixture
def on_disk(tmp_path):
    """Made-up images as files."""
    images = made_up_images(12, 4)
    paths = []
    for name, pixels in zip(images.names, images.sources, strict=True):
        paths.append(tmp_path / "pictures" / f"{name}.png")
        paths[-1].parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(paths[-1])
    return LabeledImages(
        names=images.names,
        sources=paths,
        targets=images.targets,
        labels=images.labels,
        split=images.split,
        patients=images.patients,
    )


def test_cache_saves_decoding_without_changing_pixels(on_disk, tmp_path, monkeypatch):
    rows = on_disk.where("train")
    plain = TrainingImages(on_disk, rows, small_settings(), None, 0, seed=0)
    expected = [plain[1, i][0] for i in range(len(rows))]
    cache = tmp_path / "cache"
    limit = plain.n_bytes(on_disk.shapes[rows[0]]) + plain.n_bytes(on_disk.shapes[rows[1]])
    cached = TrainingImages(on_disk, rows, small_settings(), cache, limit, seed=0)
    for _ in range(2):
        assert all(torch.equal(cached[1, i][0], expected[i]) for i in range(len(rows)))
    assert len(list(cache.rglob("*.npy"))) == 2  # as many as fit
    opened = []
    monkeypatch.setattr(
        "gazesal.cxr.training.batches.read_image",
        lambda path: opened.append(path) or np.asarray(Image.open(path)),
    )
    for i in range(len(rows)):
        cached[0, i]
    assert len(opened) == len(rows) - 2


def test_cache_renews_changed_and_damaged_files(tmp_path):
    source, cache = tmp_path / "a.png", PictureCache(tmp_path / "cache")
    source.write_bytes(b"old")
    old, new = np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8)
    assert cache.get(source, "way", lambda: old).tobytes() == old.tobytes()
    assert cache.get(source, "way", lambda: new).tobytes() == old.tobytes()
    assert cache.get(source, "other", lambda: new).tobytes() == new.tobytes()
    source.write_bytes(b"newer")
    assert cache.get(source, "way", lambda: new).tobytes() == new.tobytes()
    for path in (tmp_path / "cache").rglob("*.npy"):
        path.write_bytes(path.read_bytes()[:-2])
    assert cache.get(source, "way", lambda: old).tobytes() == old.tobytes()


def test_color_images_raise():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[..., 0] = 9
    with pytest.raises(ValueError, match="must be gray"):
        one_image(pixels)[0, 0]


def test_from_mimic_selects_the_images_of_the_study(tmp_path):
    root = gazesal.datasets.write_synthetic_reflacx(
        tmp_path, n_images=4, n_readers=2, n_unread=12, side=96
    )
    mimic, release = (
        gazesal.datasets.MimicCxrJpg(root / "mimic-cxr-jpg"),
        gazesal.datasets.Reflacx(root),
    )
    images = LabeledImages.from_mimic(mimic, gaze_subjects=release.subjects())
    table = mimic.classification_images(gaze_subjects=release.subjects())
    assert list(images.names) == list(table.index)
    assert list(images.split) == list(table["split"])
    assert list(images.patients) == list(table["subject_id"])
    assert (images.targets == (mimic.targets(table.index) == 1).to_numpy()).all()
    read = set(release.readings["dicom_id"])
    assert all(s == "test" for n, s in zip(images.names, images.split, strict=True) if n in read)
    assert repr(images).startswith(f"LabeledImages({len(table)} images of ")
    assert list(images.sources) == [mimic.path(name, must_exist=True) for name in table.index]


def test_require_files_counts_missing_and_empty_pictures(on_disk):
    on_disk.require_files()
    train, test = (on_disk.where(split) for split in ("train", "test"))
    on_disk.sources[train[1]].write_bytes(b"")
    on_disk.sources[train[2]].unlink()
    on_disk.sources[test[0]].unlink()
    on_disk.sources[test[0]].mkdir()  # a folder is not a picture
    on_disk.require_files("validate")
    message = rf"{on_disk.sources[train[1]].name}: is missing or empty .2 of 6 pictures"
    with pytest.raises(FileNotFoundError, match=message):
        on_disk.require_files("train")
    with pytest.raises(FileNotFoundError, match=r"3 of 12 pictures of train, validate, test"):
        on_disk.require_files()
    with pytest.raises(FileNotFoundError, match=r"empty \(1 of \d pictures of test\)\.$"):
        on_disk.require_files("test")
    with pytest.raises(ValueError, match="`splits` must be"):
        on_disk.require_files("training")


def test_missing_picture_raises_before_training(on_disk, tmp_path):
    pytest.importorskip("lightning")
    from gazesal.cxr.training import train

    path = on_disk.sources[on_disk.where("validate")[0]]
    path.unlink()
    settings = small_settings(epochs=1, batch_size=2)
    with pytest.raises(FileNotFoundError, match=path.name):
        train(on_disk, tmp_path / "out", settings=settings, trainer={"accelerator": "cpu"})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"targets": [[1], [0]]}, TypeError, "booleans"),
        ({"targets": [[True]]}, ValueError, "one row per image"),
        ({"names": ["a", "a"]}, ValueError, "`names` must be unique, got 'a'"),
        ({"split": ["train", "held out"]}, ValueError, "got 'held out'"),
        ({"patients": ["p", "p"]}, ValueError, "patient p is in train and test"),
        ({"patients": ["p"]}, ValueError, "`patients` must have one entry for each"),
        ({"shapes": [(3, 4)]}, ValueError, "`shapes` must have one entry for each"),
    ],
)
def test_inconsistent_arguments_raise(change, error, message):
    good = {
        "names": ["a", "b"],
        "sources": [np.zeros((20, 20), np.uint8)] * 2,
        "targets": [[True], [False]],
        "labels": ["x"],
        "split": ["train", "test"],
        "patients": ["p", "q"],
    }
    with pytest.raises(error, match=message):
        LabeledImages(**{**good, **change})


def test_default_settings_give_the_sizes_of_the_study():
    """A radiograph of 2500 x 3000 gives training squares of 224 and evaluation squares of 272."""
    pixels = np.zeros((250, 300), np.uint8)
    images = LabeledImages(
        names="ab",
        sources=[pixels, pixels],
        targets=[[True], [False]],
        labels="x",
        split=["train", "test"],
        patients="pq",
    )
    settings = TrainingSettings()
    train = TrainingImages(images, images.where("train"), settings, None, 0, seed=0)
    test = EvaluationImages(images, images.where("test"), settings, None, 0)
    assert train.pixels(0).shape == (224, 268)
    assert tuple(train[0, 0][0].shape) == (1, 224, 224)
    assert tuple(test[0][0].shape) == (1, 272, 272)


def test_no_images_raise():
    options = dict.fromkeys(("names", "sources", "split", "patients", "shapes"), ())
    with pytest.raises(ValueError, match=r"`targets` must .* not be empty, got shape \(0, 1\)\.$"):
        LabeledImages(**options, targets=np.ones((0, 1), bool), labels=["Edema"])
