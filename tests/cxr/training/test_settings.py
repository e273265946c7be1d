"""Tests of the settings of a training: the numbers of section 3.1, and invalid values."""

import re
import tomllib
from dataclasses import fields
from importlib.resources import files

import pytest

from gazesal.cxr.training import TrainingSettings
from gazesal.cxr.training.settings import PRESETS

FILES = files("gazesal.cxr.training")


def text_of(name):
    return FILES.joinpath(f"{name}.toml").read_text("utf-8")


def test_defaults_are_the_paper_preset():
    paper = TrainingSettings.preset("paper")
    assert paper == TrainingSettings()
    assert (paper.learning_rate, paper.weight_decay) == (1e-4, 1e-5)
    assert (paper.epochs, paper.batch_size, paper.labels, paper.models) == (75, 64, 14, 5)
    assert (paper.monitor, paper.epochs_without_improvement, paper.learning_rate_factor) == (
        "auc",
        3,
        0.5,
    )
    assert (paper.shortest_dimension, paper.rotation_degrees, paper.translation) == (224, 15, 0.05)
    assert (paper.scale_factor, paper.center_crop) == ((0.95, 1.05), 224)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_every_setting(name):
    assert set(tomllib.loads(text_of(name))) == {field.name for field in fields(TrainingSettings)}


def test_quotes_in_the_file_are_in_the_paper(shared):
    paper = " ".join((shared / "paper" / "paper.txt").read_text("utf-8").split()).lower()
    quotes = re.findall(r"#.*?\"(.+?)\"", text_of("paper"))
    assert len(quotes) >= 18
    for quote in quotes:
        for part in re.split(r" ?\.\.\. ?\(?", quote.rstrip(")")):
            assert part.strip().lower() in paper, quote


def test_the_code_differs_from_the_text_in_three_settings():
    paper, code = (TrainingSettings.preset(name).to_dict() for name in ("paper", "code"))
    assert {name: code[name] for name in code if code[name] != paper[name]} == {
        "monitor": "loss",
        "epochs_without_improvement": 4,
        "border_value": 128,
    }


def test_settings_file_changes_only_named_settings(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("epochs = 3\nscale_factor = [1.0, 1.0]\n", "utf-8")
    settings = TrainingSettings.read(path)
    assert settings == TrainingSettings().with_changes(epochs=3, scale_factor=(1.0, 1.0))
    path.write_text("epoch = 3\n", "utf-8")
    with pytest.raises(ValueError, match=r"mine.toml: .* got 'epoch'.* The settings are .*epochs"):
        TrainingSettings.read(path)
    path.write_text("epochs = \n", "utf-8")
    with pytest.raises(ValueError, match="cannot be read as TOML"):
        TrainingSettings.read(path)
    with pytest.raises(FileNotFoundError, match=r"none\.toml: must be a file of settings"):
        TrainingSettings.read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs"),
        ({"learning_rate": 0}, ValueError, "learning_rate"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay"),
        ({"learning_rate_factor": 1.0}, ValueError, "learning_rate_factor"),
        ({"monitor": "accuracy"}, ValueError, "monitor"),
        ({"optimizer": "sgd"}, ValueError, "optimizer"),
        ({"scale_factor": [1.05, 0.95]}, ValueError, "scale_factor"),
        ({"scale_factor": [1.0]}, ValueError, "scale_factor"),
        ({"standard_deviation": [0.2, 0.0, 0.2]}, ValueError, "standard_deviation"),
        ({"translation": 1.0}, ValueError, "translation"),
        ({"center_crop": 225}, ValueError, "center_crop"),
        ({"border_value": 256}, ValueError, "border_value"),
        ({"border_value": 0.5}, TypeError, "border_value"),
        ({"horizontal_flip": True}, TypeError, "horizontal_flip"),
    ],
)
def test_invalid_values_raise(change, error, message):
    with pytest.raises(error, match=message):
        TrainingSettings().with_changes(**change)
