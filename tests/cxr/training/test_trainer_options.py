"""Lightning's switches: those that are refused, with what to do."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("lightning")

from gazesal.cxr.training import train  # noqa: E402
from gazesal.cxr.training.trainer_options import TAKEN, switches_that_count  # noqa: E402
from tests.cxr.training.made_up import made_up_images, small_settings  # noqa: E402


def go(folder, **switches):
    train(made_up_images(), folder, settings=small_settings(epochs=1), trainer=switches)


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_switches_that_the_training_sets_itself_are_named(tmp_path, name):
    with pytest.raises(ValueError, match=f"`trainer` must not have '{name}', which the training"):
        go(tmp_path, **{name: 1})
    assert not list(tmp_path.iterdir())


def test_what_takes_the_place_of_a_switch_is_said(tmp_path):
    with pytest.raises(ValueError, match="itself; the settings' `epochs` takes its place"):
        go(tmp_path, max_epochs=1)


@pytest.mark.parametrize("name", ["max_epoch", "self"])
def test_what_is_no_switch_is_named(tmp_path, name):
    with pytest.raises(ValueError, match=f"of Lightning's Trainer only, got '{name}'"):
        go(tmp_path, **{name: "16-mixed"})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("accelerator", ["gpu", "cuda"])
def test_a_gpu_that_is_not_there_is_said(tmp_path, accelerator):
    with pytest.raises(ValueError, match=rf"work on this machine, got accelerator='{accelerator}'"):
        go(tmp_path, accelerator=accelerator)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "value"), [("precision", "31"), ("strategy", "dpp")])
def test_values_that_lightning_does_not_know_are_said(tmp_path, name, value):
    with pytest.raises(ValueError, match=f"switches that work on this machine, got .*'{value}'"):
        go(tmp_path, accelerator="cpu", **{name: value})
    assert not list(tmp_path.iterdir())


def test_what_counts_is_known_by_one_name():
    default = {"precision": "32-true"}
    for same in ({}, {"precision": None}, {"precision": 32}, {"precision": "32", "devices": 2}):
        assert switches_that_count(same) == default
    assert switches_that_count({"precision": 16}) == {"precision": "16-mixed"}
    assert switches_that_count({"gradient_clip_val": 0.5}) == default | {"gradient_clip_val": 0.5}
