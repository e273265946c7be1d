"""Tests of the inputs of a replication's steps, and of their actions."""

import json
import os
import shutil
import sys
import threading
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("kornia")
pytest.importorskip("skimage")

import gazesal
from gazesal.cli import main
from gazesal.cxr.replication import replicate, replicate_study, step_actions
from gazesal.cxr.training import TrainingSettings

NETWORKS = ("sononet", "ag_sononet")


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return gazesal.datasets.write_synthetic_reflacx(
        tmp_path_factory.mktemp("release"), n_images=2, n_readers=2, n_unread=6, side=96
    )


class ListedError(Exception):
    """Stops a replication after its inputs are known."""


@pytest.fixture
def inputs_of(release, tmp_path, monkeypatch):
    """Function that returns the inputs of every step without running any."""

    def listed(root=release, **options):
        found = {}

        def noted(self, name, make, *, inputs, **_):
            found[name] = json.loads(json.dumps(inputs))
            return tmp_path / name

        def stop(*_):
            raise ListedError

        monkeypatch.setattr(replicate_study.StepStore, "__call__", noted)
        monkeypatch.setattr(replicate_study, "read_scores", stop)
        options = {"seeds": 1, "n_readers": 2, **options}
        with pytest.raises(ListedError):
            replicate(root, root / "mimic-cxr-jpg", tmp_path / "out", **options)
        return found

    return listed


def changed(one, other):
    return sorted(name for name in one if one[name] != other[name])


def write_checkpoints(folder, text):
    for network in NETWORKS:
        (folder / network).mkdir(parents=True, exist_ok=True)
        (folder / network / "0.pt").write_text(text)
    return folder


def test_changed_checkpoints_change_the_inputs(inputs_of, tmp_path):
    one = inputs_of(checkpoints=write_checkpoints(tmp_path / "weights", "one"))
    two = inputs_of(checkpoints=write_checkpoints(tmp_path / "weights", "two"))
    assert changed(one, two) == [
        f"{step}-{n}-0" for step in ("classify", "maps") for n in sorted(NETWORKS)
    ]


def test_changed_pictures_change_the_inputs(inputs_of, release, tmp_path):
    one = inputs_of()
    image = next(iter(one["maps-sononet-0"]["scored"]))
    (path,) = (release / "mimic-cxr-jpg").rglob(f"{image}.jpg")
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[:-2] + b"\xff\xd8")
        assert changed(one, inputs_of()) == ["maps-ag_sononet-0", "maps-sononet-0"]
    finally:
        path.write_bytes(kept)


def test_changed_reading_labels_change_the_scoring_inputs(inputs_of, release):
    """The third table splits images by these labels."""
    one = inputs_of()
    path = release / "main_data" / "metadata_phase_2.csv"
    kept = path.read_bytes()
    try:
        path.write_bytes(kept + b"\n")
        assert changed(one, inputs_of()) == ["score-0"]
    finally:
        path.write_bytes(kept)


def test_settings_change_only_the_steps_that_use_them(inputs_of, tmp_path):
    def go(**options):
        changes = {name: options.pop(name) for name in list(options) if name in smoke.to_dict()}
        return inputs_of(settings=smoke.with_changes(**changes), **options)

    smoke = TrainingSettings.preset("smoke")
    one = go()
    assert changed(one, go(models=7)) == []
    assert changed(one, go(epochs=3)) == [f"train-{n}-0" for n in sorted(NETWORKS)]
    own = write_checkpoints(tmp_path / "weights", "one")
    given = go(checkpoints=own)
    assert changed(given, go(checkpoints=own, epochs=3, batch_size=5, learning_rate=0.5)) == []
    larger = go(checkpoints=own, evaluation_shortest_dimension=32)
    assert len(changed(given, larger)) == 4


def test_precision_changes_only_training_steps(inputs_of, tmp_path):
    trains = [f"train-{n}-0" for n in sorted(NETWORKS)]
    one = inputs_of(trainer={"accelerator": "cpu"})
    assert changed(one, inputs_of(trainer={"precision": "32"})) == []
    other = inputs_of(trainer={"precision": "bf16-mixed"})
    assert changed(one, other) == trains
    assert other[trains[0]]["trainer"] == {"precision": "bf16-mixed"}
    own = write_checkpoints(tmp_path / "weights", "one")
    given = inputs_of(checkpoints=own)
    assert changed(given, inputs_of(checkpoints=own, trainer={"precision": "bf16-mixed"})) == []


def test_taken_trainer_options_raise_at_once(release, tmp_path):
    with pytest.raises(ValueError, match="`trainer` must not have 'max_epochs', which the train"):
        replicate(release, release / "mimic-cxr-jpg", tmp_path / "o", trainer={"max_epochs": 1})
    assert not (tmp_path / "o").exists()


def test_seed_of_the_last_training_is_checked(release, tmp_path):
    with pytest.raises(
        ValueError, match=r"below 2\*\*32, got 4294967295, to which up to 2 is added"
    ):
        replicate(release, release / "mimic-cxr-jpg", tmp_path, seeds=3, seed=2**32 - 1)


def test_missing_pictures_raise_only_if_needed(release, inputs_of, tmp_path):
    copy = tmp_path / "release"
    shutil.copytree(release, copy)
    mimic = gazesal.datasets.MimicCxrJpg(copy / "mimic-cxr-jpg")
    table = mimic.classification_images(gaze_subjects=gazesal.datasets.Reflacx(copy).subjects())
    lost = mimic.path(table.index[table["split"] == "train"][0])
    lost.unlink()
    with pytest.raises(FileNotFoundError, match=f"{lost.name}: is missing or empty .1 of "):
        replicate(copy, copy / "mimic-cxr-jpg", tmp_path / "out", n_readers=2)
    assert not (tmp_path / "out").exists()
    assert inputs_of(copy, checkpoints=write_checkpoints(tmp_path / "weights", "one"))


def test_segmenting_without_torchxrayvision_gives_advice(release, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchxrayvision.baseline_models", None)
    words = ["replicate", "--reflacx", release, "--mimic", release / "mimic-cxr-jpg"]
    words += ["--segment", "--out", tmp_path / "out"]
    done = CliRunner().invoke(main, list(map(os.fspath, words)))
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: Segmenting lungs needs torchxrayvision: pip install torchxrayvision. Or pass "
        "your own masks.\n"
    )
    assert not (tmp_path / "out").exists()


def dark(pixels, *, below):
    return (pixels < below) * 1.0


def test_segmenter_fingerprint_includes_arguments_and_state(inputs_of):
    def of(segmenter):
        return inputs_of(lungs=segmenter)["lungs"]["segmenter"]

    def own(text):
        segmenter = partial(dark, below=100)
        segmenter.fingerprint = text
        return segmenter

    assert of(dark) == of(dark) != of(partial(dark, below=100))
    assert of(partial(dark, below=100)) != of(partial(dark, below=90))
    assert of(own("a")) == of(own("a")) != of(own("b"))
    network = torch.nn.Linear(1, 1)

    def segmenter(pixels):
        return network(pixels)

    before = of(segmenter)
    network.weight.data += 1
    assert of(segmenter) != before
    with pytest.warns(UserWarning, match="`lungs` .* an attribute `fingerprint`"):
        of(partial(dark, below=threading.Lock()))


@pytest.mark.parametrize(
    "trainer",
    [
        {"devices": 2},
        {"devices": "2"},
        {"devices": [0, 1]},
        {"devices": "0,1"},
        {"num_nodes": 2},
    ],
)
def test_several_processes_raise(release, tmp_path, trainer):
    with pytest.raises(ValueError, match="`trainer` must name one device"):
        replicate(release, release / "mimic-cxr-jpg", tmp_path / "out", trainer=trainer)
    assert not (tmp_path / "out").exists()


def test_all_devices_raise_if_there_are_several(release, tmp_path, monkeypatch, inputs_of):
    assert inputs_of(trainer={"devices": "auto", "accelerator": "cpu"})
    assert inputs_of(trainer={"devices": [0], "accelerator": "cpu"})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    with pytest.raises(ValueError, match="one device of one machine"):
        inputs_of(trainer={"devices": -1})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"and 2 started process\(es\)"):
        inputs_of()


def test_damaged_features_are_written_again(tmp_path, monkeypatch):
    stored = []

    def store(model, path, target, settings):
        stored.append(target.stem)
        np.savez(target, logits=np.arange(1000.0))

    monkeypatch.setattr(step_actions, "write_features", store)
    model = SimpleNamespace(to=lambda _: None)
    paths = dict.fromkeys("abcd")
    step_actions.write_all_features(paths, lambda: model, None, "cpu", tmp_path)
    whole = (tmp_path / "b.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(whole[: len(whole) // 2])
    at = len(whole) // 2
    (tmp_path / "c.npz").write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    step_actions.write_all_features(paths, lambda: model, None, "cpu", tmp_path)
    assert stored == ["a", "b", "c", "d", "b", "c"]


def test_damaged_masks_are_made_again(tmp_path):
    asked = []

    def segmenter(pixels):
        asked.append(len(pixels))
        return pixels * 0.0

    images = {str(side): np.ones((side, side), np.uint8) for side in (40, 50)}
    step_actions.segment(images, segmenter, tmp_path)
    path = tmp_path / "40.png"
    path.write_bytes(path.read_bytes()[:-30])
    step_actions.segment(images, segmenter, tmp_path)
    assert asked == [40, 50, 40]


@pytest.mark.parametrize(
    ("lost", "trained", "weights"),
    [
        ((), True, "of best"),  # weights.pt may have been changed
        (("best.ckpt",), False, "other"),  # removed to save space
        (("curve.csv",), True, "of best"),  # the last checkpoint has the curve
        (("curve.csv", "last.ckpt"), False, "other"),
        (("best.ckpt", "weights.pt"), True, "restarted"),
    ],
)
def test_lost_weights_are_restored_or_trained_again(tmp_path, monkeypatch, lost, trained, weights):
    called = []

    def train(images, folder, **options):
        called.append(True)
        assert not (folder / "weights.pt").exists()
        text = "of best" if (folder / "last.ckpt").exists() else "restarted"
        (folder / "weights.pt").write_text(text)

    monkeypatch.setattr(step_actions, "train", train)
    (tmp_path / "run").mkdir()
    for name in ("best.ckpt", "last.ckpt", "curve.csv", "weights.pt"):
        if name not in lost:
            (tmp_path / "run" / name).write_text("other")
    study = SimpleNamespace(
        images=None, settings=None, workers=0, cache=None, trainer={}, progress=False
    )
    step_actions.train_network(study, "sononet", 0, tmp_path)
    assert (called == [True]) == trained
    assert (tmp_path / "weights.pt").read_text() == weights


@pytest.mark.parametrize("command", ["replicate", "train"])
def test_interrupted_commands_name_what_is_kept(release, tmp_path, monkeypatch, command):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    from gazesal.cxr import replication, training

    module = replication if command == "replicate" else training
    monkeypatch.setattr(module, command, interrupted, raising=False)
    out = tmp_path / "out"
    words = [command, "--reflacx", release, "--mimic", release / "mimic-cxr-jpg", "--out", out]
    done = CliRunner().invoke(main, list(map(os.fspath, words)))
    assert done.exit_code == 130
    what = "steps and epochs, if any, are" if command == "replicate" else "epochs are"
    assert f"Interrupted. Finished {what} kept in {out}." in done.output
