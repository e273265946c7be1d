"""Tests of the options of Lightning's Trainer."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("lightning")

from gazesal.cxr.training import train
from gazesal.cxr.training.trainer_options import TAKEN, options_that_count
from tests.cxr.training.made_up import made_up_images, small_settings


def go(folder, **options):
    train(made_up_images(), folder, settings=small_settings(epochs=1), trainer=options)


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_options_set_by_the_training_raise(tmp_path, name):
    with pytest.raises(ValueError, match=f"`trainer` must not have '{name}', which the training"):
        go(tmp_path, **{name: 1})
    assert not list(tmp_path.iterdir())


def test_message_names_the_setting_to_use_instead(tmp_path):
    with pytest.raises(ValueError, match=r"`trainer` .*\. Use the settings' `epochs` instead"):
        go(tmp_path, max_epochs=1)


@pytest.mark.parametrize("name", ["max_epoch", "self"])
def test_unknown_options_raise(tmp_path, name):
    with pytest.raises(ValueError, match=rf"`trainer` must hold only options.*, got '{name}'"):
        go(tmp_path, **{name: "16-mixed"})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("accelerator", ["gpu", "cuda"])
def test_missing_gpu_raises(tmp_path, accelerator):
    with pytest.raises(ValueError, match=rf"`trainer` .* got accelerator='{accelerator}'"):
        go(tmp_path, accelerator=accelerator)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "value"), [("precision", "31"), ("strategy", "dpp")])
def test_invalid_values_raise(tmp_path, name, value):
    with pytest.raises(ValueError, match=f"`trainer` .* that work .*, got .*'{value}'"):
        go(tmp_path, accelerator="cpu", **{name: value})
    assert not list(tmp_path.iterdir())


def test_options_that_count_have_one_spelling():
    default = {"precision": "32-true"}
    for same in ({}, {"precision": None}, {"precision": 32}, {"precision": "32", "devices": 2}):
        assert options_that_count(same) == default
    assert options_that_count({"precision": 16}) == {"precision": "16-mixed"}
    assert options_that_count({"gradient_clip_val": 0.5}) == default | {"gradient_clip_val": 0.5}
