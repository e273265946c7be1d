"""Tests of the files of a training: damaged, foreign and unfinished ones."""

import json
import os
import shutil

import pandas as pd
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("lightning")

from gazesal.cxr.training import train
from gazesal.cxr.training.fitting import WholeCheckpoints
from tests.cxr.training.made_up import made_up_images, small_settings

ON_CPU = {"accelerator": "cpu"}
FILES = ("last.ckpt", "best.ckpt")


def go(folder, **changes):
    options = {"settings": small_settings(epochs=2), "trainer": ON_CPU, **changes}
    return train(made_up_images(), folder, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted training of two epochs."""
    folder = tmp_path_factory.mktemp("whole")
    go(folder)
    return folder


@pytest.fixture
def cut_off(whole, tmp_path):
    """The same training, killed before its weights were written."""
    folder = tmp_path / "cut"
    shutil.copytree(whole, folder)
    (folder / "weights.pt").unlink()
    return folder


def flipped(content):
    at = len(content) // 2
    return content[:at] + bytes(255 - byte for byte in content[at : at + 64]) + content[at + 64 :]


def other_pickle(_content, folder):
    path = folder / "other.ckpt"
    torch.save({"state_dict": {}, "epoch": 1}, path)
    return path.read_bytes()


HARMS = {
    "truncated": lambda content, _: content[: len(content) // 2],
    "empty": lambda *_: b"",
    "flipped": lambda content, _: flipped(content),
    "a picture": lambda *_: b"\xff\xd8\xff\xe0" + bytes(100),
    "another checkpoint": other_pickle,
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", HARMS)
def test_damaged_checkpoint_raises_with_advice(cut_off, tmp_path, name, harm):
    path = cut_off / name
    path.write_bytes(HARMS[harm](path.read_bytes(), tmp_path))
    before = {each: each.read_bytes() for each in cut_off.rglob("*") if each.is_file()}
    with pytest.raises(ValueError, match=rf"{name}: .* Remove it") as caught:
        go(cut_off)
    assert "\n" not in str(caught.value)
    assert all(each.read_bytes() == content for each, content in before.items())


@pytest.mark.parametrize("name", FILES)
def test_following_the_advice_repairs_the_training(cut_off, whole, name):
    (cut_off / name).write_bytes(b"")
    with pytest.raises(ValueError, match="starts again from its first epoch"):
        go(cut_off)
    (cut_off / name).unlink()
    if name == "best.ckpt":
        with pytest.raises(ValueError, match=r"best.ckpt: is missing.* Remove last.ckpt"):
            go(cut_off)
        (cut_off / "last.ckpt").unlink()
    go(cut_off)
    for left in ("weights.pt", "curve.csv"):
        assert (cut_off / left).read_bytes() == (whole / left).read_bytes()


def test_checkpoint_of_another_seed_raises(cut_off, tmp_path):
    other = tmp_path / "other"
    go(other, seed=1)
    shutil.copy(other / "last.ckpt", cut_off)
    with pytest.raises(ValueError, match=r"last.ckpt: is not a checkpoint of this training"):
        go(cut_off)


def test_moved_training_keeps_its_best_epoch(tmp_path, monkeypatch):
    """The training is interrupted after its best epoch, and its folder is moved."""

    options = {"settings": small_settings(epochs=3, epochs_without_improvement=1), "seed": 5}
    still, moved = tmp_path / "still", tmp_path / "moved"
    expected = go(still, **options)
    assert expected.best_epoch == 0
    real = WholeCheckpoints.save_checkpoint

    def until(self, checkpoint, path, storage_options=None):
        real(self, checkpoint, path, storage_options)
        if checkpoint["epoch"] == 1 and path.endswith("last.ckpt"):
            raise KeyboardInterrupt

    monkeypatch.setattr(WholeCheckpoints, "save_checkpoint", until)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "first", **options)
    monkeypatch.undo()
    (tmp_path / "first").rename(moved)
    assert go(moved, **options).best_epoch == expected.best_epoch
    for left in ("weights.pt", "curve.csv"):
        assert (moved / left).read_bytes() == (still / left).read_bytes()


def test_damaged_note_raises(cut_off):
    note = cut_off / "run.json"
    note.write_text(note.read_text("utf-8")[:40], "utf-8")
    with pytest.raises(ValueError, match=r"run.json: must be the note of a training"):
        go(cut_off)


def test_checkpoint_is_written_atomically(tmp_path, monkeypatch):
    """The old checkpoint stays until the new one is complete, and no unfinished file is left."""
    path, seen = tmp_path / "last.ckpt", []
    kept = {"epoch": 0, "values": torch.zeros(3)}
    writer = WholeCheckpoints()
    writer.save_checkpoint(kept, path)
    old = path.read_bytes()
    real = os.fsync

    def died(handle):
        real(handle)
        seen.append(path.read_bytes())
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", died)
    with pytest.raises(KeyboardInterrupt):
        writer.save_checkpoint({"epoch": 1, "values": torch.ones(3)}, path)
    assert seen == [old]
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]
    assert path.read_bytes() == old


def test_training_uses_the_atomic_writer(tmp_path, monkeypatch):
    written = []
    real = WholeCheckpoints.save_checkpoint

    def noted(self, checkpoint, path, storage_options=None):
        written.append(os.path.basename(path))  # noqa: PTH119
        real(self, checkpoint, path, storage_options)

    monkeypatch.setattr(WholeCheckpoints, "save_checkpoint", noted)
    go(tmp_path, settings=small_settings(epochs=1))
    assert sorted(written) == ["best.ckpt", "last.ckpt"]


def test_full_disk_raises_with_the_file_name(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device; .*last.ckpt"):
        WholeCheckpoints().save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")


def test_resuming_with_another_precision_raises(whole, cut_off):
    assert json.loads((whole / "run.json").read_text("utf-8"))["precision"] == "32-true"
    for folder in (whole, cut_off):
        with pytest.raises(
            ValueError,
            match=r"differs in precision \('32-true' there, .* Choose",
        ):
            go(folder, trainer={**ON_CPU, "precision": "bf16-mixed"})
    with pytest.raises(ValueError, match="differs in accumulate_grad_batches"):
        go(cut_off, trainer={**ON_CPU, "accumulate_grad_batches": 2})
    go(cut_off, trainer={**ON_CPU, "precision": 32, "accumulate_grad_batches": 1})


def test_resuming_without_an_option_raises(tmp_path):
    settings = small_settings(epochs=1)
    go(tmp_path, settings=settings, trainer={**ON_CPU, "gradient_clip_val": 1.0})
    with pytest.raises(ValueError, match="holds a training that differs in gradient_clip_val"):
        go(tmp_path, settings=settings)


def test_undefined_value_is_not_the_best(whole, cut_off):
    """The checkpoint of the best epoch also ignores undefined values."""
    curve = pd.read_csv(whole / "curve.csv")
    shutil.copy(whole / "weights.pt", cut_off)
    curve.assign(val_auc=[float("nan"), 0.1]).to_csv(cut_off / "curve.csv", index=False)
    assert go(cut_off).best_epoch == 1


@pytest.fixture
def copied(whole, tmp_path):
    """A finished training."""
    return shutil.copytree(whole, tmp_path / "copied")


@pytest.mark.parametrize("harm", [None, b"", b"epoch,val_auc\n0,0.5\n", b"\xff\x00"])
def test_lost_curve_is_restored_from_the_last_checkpoint(copied, whole, harm):
    path = copied / "curve.csv"
    path.unlink()
    if harm is not None:
        path.write_bytes(harm)
    found = go(copied)
    assert path.read_bytes() == (whole / "curve.csv").read_bytes()
    pd.testing.assert_frame_equal(found.curve, pd.read_csv(whole / "curve.csv"))


@pytest.mark.parametrize("last", ["gone", "torn"])
def test_unrestorable_curve_raises_with_advice(copied, whole, last):
    (copied / "curve.csv").unlink()
    (copied / "last.ckpt").unlink() if last == "gone" else (copied / "last.ckpt").write_bytes(b"")
    with pytest.raises(ValueError, match=r"curve.csv: is missing .* Remove weights.pt") as caught:
        go(copied)
    assert "\n" not in str(caught.value)
    (copied / "weights.pt").unlink()
    (copied / "last.ckpt").unlink(missing_ok=True)
    go(copied)
    for left in ("weights.pt", "curve.csv"):
        assert (copied / left).read_bytes() == (whole / left).read_bytes()


@pytest.mark.parametrize("harm", ["truncated", "empty", "flipped", "a picture"])
def test_damaged_weights_are_restored_from_the_best_checkpoint(copied, whole, tmp_path, harm):
    path = copied / "weights.pt"
    path.write_bytes(HARMS[harm](path.read_bytes(), tmp_path))
    assert go(copied).weights == path
    assert path.read_bytes() == (whole / "weights.pt").read_bytes()


def test_unrestorable_weights_raise_with_advice(copied, whole):
    (copied / "weights.pt").write_bytes(b"")
    (copied / "best.ckpt").unlink()
    with pytest.raises(ValueError, match=r"weights.pt: cannot be read as weights.* Remove it"):
        go(copied)
    for name in ("weights.pt", "last.ckpt"):
        (copied / name).unlink()
    go(copied)
    assert (copied / "weights.pt").read_bytes() == (whole / "weights.pt").read_bytes()
