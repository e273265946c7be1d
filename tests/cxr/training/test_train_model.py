"""Tests of training: against a plain loop, resumed after a kill, and with invalid arguments."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("lightning")

from sklearn.metrics import roc_auc_score

from gazesal.cxr import load_model, preprocess
from gazesal.cxr.models import MODELS
from gazesal.cxr.training import predict, train
from gazesal.cxr.training.batches import TrainingImages
from tests.cxr.training.made_up import made_up_images, small_settings

ON_CPU = {"accelerator": "cpu"}
IMPATIENT = {"epochs": 4, "epochs_without_improvement": 1}


def plain_curve(images, settings, model, seed):
    """Train by a loop over images, without Lightning and torchmetrics."""
    torch.manual_seed(seed)
    network = MODELS[model](len(images.labels))
    rate, best, waited = settings.learning_rate, -np.inf, 0
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=settings.weight_decay)
    dataset = TrainingImages(images, images.where("train"), settings, None, 0, seed=seed)
    mean, std = (
        torch.tensor(v)[:, None, None] for v in (settings.mean, settings.standard_deviation)
    )
    rows, weights = [], []
    for epoch in range(settings.epochs):
        network.train()
        key = np.random.SeedSequence(seed, spawn_key=(epoch,))
        order = torch.from_numpy(np.random.default_rng(key).permutation(len(dataset)))
        total = 0.0
        for batch in order.split(settings.batch_size):
            items = [dataset[epoch, int(i)] for i in batch]
            pixels = torch.stack([item[0] for item in items]).float() / 255
            logits = network((pixels - mean) / std)
            targets = torch.stack([item[1] for item in items])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(items)
        network.eval()
        held = images.where("validate")
        with torch.no_grad():
            made = [preprocess(images.sources[row], short_side=32).tensor for row in held]
            logits = torch.cat([network(each.expand(1, 3, -1, -1)) for each in made])
        truth = torch.tensor(images.targets[held]).float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth).item()
        area = np.mean([roc_auc_score(truth[:, k], logits[:, k]) for k in range(3)])
        rows.append((epoch, rate, total / len(dataset), loss, area))
        weights.append({k: v.clone() for k, v in network.state_dict().items()})
        value = area if settings.monitor == "auc" else -loss
        needed = best * (1 + 1e-4) if settings.monitor == "auc" else best * (1 - 1e-4)
        if epoch == 0 or value > needed:
            best, waited = value, 0
        else:
            waited += 1
        if waited == settings.epochs_without_improvement:
            rate, waited = rate * settings.learning_rate_factor, 0
            optimizer.param_groups[0]["lr"] = rate
    columns = ["epoch", "learning_rate", "train_loss", "val_loss", "val_auc"]
    return pd.DataFrame(rows, columns=columns), weights


@pytest.mark.parametrize(
    ("model", "monitor", "seed"), [("sononet", "auc", 1), ("ag_sononet", "loss", 2)]
)
def test_training_equals_a_plain_loop(model, monitor, seed, tmp_path):
    images = made_up_images()
    settings = small_settings(monitor=monitor, **IMPATIENT)
    trained = train(images, tmp_path, model=model, settings=settings, seed=seed, trainer=ON_CPU)
    curve, weights = plain_curve(images, settings, model, seed)
    assert list(trained.curve.columns) == list(curve.columns)
    assert trained.curve.to_numpy() == pytest.approx(curve.to_numpy(), rel=1e-4, abs=1e-4)
    assert trained.curve["learning_rate"].to_numpy() == pytest.approx(curve["learning_rate"])
    assert curve["learning_rate"].nunique() > 1  # it was reduced
    best = curve["val_auc"].idxmax() if monitor == "auc" else curve["val_loss"].idxmin()
    assert trained.best_epoch == best
    loaded = load_model(model, trained.weights, n_classes=3).state_dict()
    for name, value in weights[best].items():
        assert loaded[name].double().numpy() == pytest.approx(value.double().numpy(), abs=2e-4)


CHILD = """
import sys
import torch
torch.set_num_threads(1)
from gazesal.cxr.training import train
from tests.cxr.training.made_up import made_up_images, small_settings
settings = small_settings(epochs=5, epochs_without_improvement=1)
train(made_up_images(), sys.argv[1], settings=settings, seed=1, trainer={"accelerator": "cpu"})
"""


def test_killed_training_resumes_to_the_same_bits(tmp_path):
    """The training is killed after its third epoch."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    images, settings = made_up_images(), small_settings(epochs=5, epochs_without_improvement=1)
    train(images, whole, settings=settings, seed=1, workers=1, trainer=ON_CPU)
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(killed)], env=environment)
    wait_for_epochs(killed / "curve.csv", 3, child)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (killed / "weights.pt").exists()
    train(images, killed, settings=settings, seed=1, trainer=ON_CPU)
    for name in ("curve.csv", "weights.pt", "run.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    curve = pd.read_csv(whole / "curve.csv")
    assert len(curve) == 5
    assert curve["learning_rate"].nunique() > 1


def wait_for_epochs(path, n_epochs, child):
    for _ in range(6000):
        if path.is_file() and len(path.read_text().splitlines()) > n_epochs:
            return
        assert child.poll() is None, "the training ended before it was killed"
        time.sleep(0.01)
    raise AssertionError("the training did not get so far")


PAIR = """
import sys
import torch
torch.set_num_threads(1)
from gazesal.cxr.training import train
from tests.cxr.training.made_up import made_up_images, small_settings
options = {"accelerator": "cpu", "devices": 2, "strategy": "ddp"}
train(made_up_images(), sys.argv[1], settings=small_settings(epochs=2), trainer=options)
"""


@pytest.mark.slow
def test_two_processes_validate_each_image_once(tmp_path):
    """Their common AUC equals the AUC of all validation images with the written weights."""
    script, out = tmp_path / "pair.py", tmp_path / "out"
    script.write_text(PAIR, "utf-8")
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, script, out], env=environment, check=True, timeout=300)
    images, curve = made_up_images(), pd.read_csv(out / "curve.csv")
    assert len(curve) == 2
    model = load_model("sononet", out / "weights.pt", n_classes=3)
    logits = predict(model, images, "validate", settings=small_settings())
    truth = images.targets[images.where("validate")]
    area = np.mean([roc_auc_score(truth[:, k], logits[:, k]) for k in range(3)])
    assert curve["val_auc"].max() == pytest.approx(area, abs=1e-6)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A training of one epoch."""
    folder = tmp_path_factory.mktemp("finished")
    images, settings = made_up_images(), small_settings(epochs=1)
    return images, settings, folder, train(images, folder, settings=settings, trainer=ON_CPU)


def test_finished_training_is_returned_unchanged(finished):
    images, settings, folder, trained = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    again = train(images, folder, settings=settings, trainer=ON_CPU)
    assert repr(again) == repr(trained)
    assert repr(trained).startswith("TrainedModel(best of 1 epochs: 0, val_auc=")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_folder_of_another_training_raises(finished):
    images, settings, folder, _ = finished
    with pytest.raises(ValueError, match=r"differs in seed \(0 there, 1 here\)\. Choose"):
        train(images, folder, settings=settings, seed=1)
    with pytest.raises(ValueError, match=r"differs in model .*; epochs .*; images"):
        train(made_up_images(seed=9), folder, model="ag_sononet", settings=small_settings())


def test_number_of_trainings_does_not_affect_one_training(finished):
    images, settings, folder, trained = finished
    more = settings.with_changes(models=settings.models + 1)
    assert repr(train(images, folder, settings=more, trainer=ON_CPU)) == repr(trained)


def test_ctrl_c_raises_and_restores_the_signal_handler(tmp_path, monkeypatch):
    """Lightning alone would end the process with status 1 and ignore further signals."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingImages, "__getitem__", interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(made_up_images(), tmp_path, settings=small_settings(epochs=1), trainer=ON_CPU)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_does_not_change_global_random_state(finished, tmp_path):
    images, settings, *_ = finished
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    states = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    environment = dict(os.environ)
    train(images, tmp_path, settings=settings, trainer=ON_CPU)
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    assert dict(os.environ) == environment


def test_predictions_equal_single_image_predictions(finished):
    images, settings, _, trained = finished
    model = load_model("sononet", trained.weights, n_classes=3)
    logits = predict(model, images, "validate", settings=settings)
    for row, got in zip(images.where("validate"), logits, strict=True):
        tensor = preprocess(images.sources[row], short_side=32).tensor.expand(1, 3, -1, -1)
        with torch.no_grad():
            assert model(tensor)[0].numpy() == pytest.approx(got, abs=1e-4)


def test_invalid_arguments_raise(tmp_path):
    images = made_up_images()
    without = made_up_images(n_validate=0)
    with pytest.raises(ValueError, match="`images` must have images in the split 'validate'"):
        train(without, tmp_path, settings=small_settings())
    with pytest.raises(ValueError, match="`images` must have images in the split 'validate'"):
        predict(load_model("sononet", n_classes=3), without, "validate")
    images.targets[images.where("validate")] = True
    with pytest.raises(ValueError, match="`images` must have a label with both positive"):
        train(images, tmp_path, settings=small_settings())
    with pytest.raises(ValueError, match=r"`seed` must be below 2\*\*32, got 4294967296\. Use"):
        train(images, tmp_path, seed=2**32)
    with pytest.raises(TypeError, match="`settings` must be TrainingSettings, got dict"):
        train(images, tmp_path, settings={})
    with pytest.raises(TypeError, match="`images` must be LabeledImages, got list"):
        train([], tmp_path)
    assert not list(tmp_path.iterdir())
