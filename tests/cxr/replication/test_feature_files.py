"""Test that maps from files of features equal maps from the network, to the bit."""

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gazesal.adapters.from_model import saliency_from_model
from gazesal.cxr import load_model, preprocess
from gazesal.cxr.replication.feature_files import KINDS, MapFromFeatures, write_features
from gazesal.cxr.training.settings import TrainingSettings

SETTINGS = TrainingSettings().with_changes(evaluation_shortest_dimension=64)


def gray(image):
    tensor, geometry = preprocess(image, short_side=64)
    return tensor.expand(3, -1, -1), geometry


@pytest.mark.parametrize("network", list(KINDS))
def test_maps_from_features_equal_maps_from_the_network(network, tmp_path):
    torch.manual_seed(0)
    model = load_model(network)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (90, 121), dtype=np.uint8)
    path = tmp_path / "a.npz"
    write_features(model, image, path, SETTINGS)
    for name, kind in KINDS[network].items():
        if kind in {"am1", "am2"}:
            options = {"method": "attention", "gate": int(kind[2]) - 1}
        else:
            options = {"scheme": kind}
        made = saliency_from_model(model, {"a": image}, preprocess=gray, inverse="study", **options)
        made = made["a"]()
        stored = pickle.loads(pickle.dumps(MapFromFeatures(path, kind)))()  # noqa: S301 - workers do so
        assert stored.shape == (90, 121), name
        assert stored.dtype == np.float32
        assert stored.tobytes() == made.tobytes(), name
    assert path.stat().st_size < 400_000
