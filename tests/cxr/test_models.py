"""Tests of the study's networks: weights, logits and invalid checkpoints."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gazesal.cxr import load_model
from gazesal.cxr.sononet import AttentionGatedSonoNet, SonoNet
from gazesal.cxr.weight_files import read_weights

NAMES = ["sononet", "ag_sononet"]
PARAMETERS = {"sononet": 649_870, "ag_sononet": 700_976}
SMALL = {"n_classes": 3, "in_channels": 1, "widths": (2, 3, 4, 5)}


@pytest.fixture(scope="module")
def study(shared):
    return shared / "oracles" / "models"


@pytest.mark.parametrize("name", NAMES)
def test_weights_have_the_authors_names_and_shapes(study, name):
    facts = json.loads((study / "state_dict_keys.json").read_text())[name]
    state = load_model(name).state_dict()
    assert [[key, list(value.shape)] for key, value in state.items()] == [
        key[:2] for key in facts["keys"]
    ]
    assert len(state) == facts["n_keys"]


@pytest.mark.parametrize("name", NAMES)
def test_number_of_parameters_is_as_expected(name):
    assert sum(p.numel() for p in load_model(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_authors_checkpoint_loads_to_the_bit(study, name):
    state = load_model(name, study / f"{name}_best_model.pt").state_dict()
    with np.load(study / f"{name}_weights.npz") as file:
        assert list(file) == list(state)
        for key in file:
            np.testing.assert_array_equal(state[key].numpy(), file[key].astype(np.float32))


def test_a_loaded_model_is_in_evaluation_mode():
    assert not any(module.training for module in load_model("ag_sononet").modules())


@pytest.mark.parametrize("kind", [SonoNet, AttentionGatedSonoNet])
def test_sizes_are_options(kind):
    model = kind(**SMALL).eval()
    with torch.no_grad():
        assert model(torch.zeros(2, 1, 16, 33)).shape == (2, 3)
    assert sum(p.numel() for p in model.parameters()) < 5000


def test_gates_start_nearly_open():
    gate = load_model("ag_sononet").compatibility_score1
    assert gate.psi.bias.item() == 3.0


def test_fresh_weights_follow_the_seed():
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(load_model("sononet", **SMALL).classifier[0].weight)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.fixture
def small():
    torch.manual_seed(0)
    return SonoNet(**SMALL)


def same_weights(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.values(), second.values(), strict=True))


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "best_epoch": 3}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_checkpoint_formats_load(tmp_path, small, wrap, prefix):
    path = tmp_path / "weights.pt"
    torch.save(wrap({prefix + key: value for key, value in small.state_dict().items()}), path)
    loaded = load_model("sononet", path, **SMALL)
    assert same_weights(loaded.state_dict(), small.state_dict())


def test_older_torch_format_loads(tmp_path, small):
    path = tmp_path / "weights.pt"
    torch.save(small.state_dict(), path, _use_new_zipfile_serialization=False)
    assert same_weights(load_model("sononet", path, **SMALL).state_dict(), small.state_dict())


def test_safetensors_load(tmp_path, small):
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "weights.safetensors"
    safetensors.save_file(small.state_dict(), path)
    assert same_weights(load_model("sononet", path, **SMALL).state_dict(), small.state_dict())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"weights\.safetensors: cannot be read as safetensors"):
        load_model("sononet", path, **SMALL)


def test_damaged_byte_raises_or_changes_no_weight(tmp_path, small):
    """Torch does not verify the checksums in the file and would load other weights."""
    path, rng = tmp_path / "weights.pt", np.random.default_rng(0)
    torch.save(small.state_dict(), path)
    whole, refused = path.read_bytes(), 0
    for at in [*range(4), *rng.integers(0, len(whole), 80).tolist()]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            loaded = load_model("sononet", path, **SMALL)
        except ValueError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            refused += 1
        else:
            assert same_weights(loaded.state_dict(), small.state_dict())
    assert refused > 40


def test_damaged_weight_raises(tmp_path, small):
    path = tmp_path / "weights.pt"
    torch.save({**small.state_dict(), "classifier.0.bias": torch.full((3,), 0.7654321)}, path)
    content, bias = path.read_bytes(), np.full(3, 0.7654321, np.float32).tobytes()
    assert content.count(bias) == 1
    path.write_bytes(content.replace(bias, np.zeros(3, np.float32).tobytes()))
    assert torch.load(path, weights_only=True)["classifier.0.bias"].eq(0).all()  # torch loads it
    with pytest.raises(ValueError, match=r"weights\.pt: .*checksum .* Copy it again"):
        load_model("sononet", path, **SMALL)


class Runs:
    """Object that makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_raises_and_is_not_run(tmp_path, small, zipped):
    path, mark = tmp_path / "weights.pt", tmp_path / "it ran"
    content = {"state_dict": small.state_dict(), "note": Runs(mark)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match="must hold only tensors and plain values"):
        load_model("sononet", path, **SMALL)
    assert not mark.exists()


def test_code_in_a_plain_pickle_raises_and_is_not_run(tmp_path):
    path, mark = tmp_path / "weights.pt", tmp_path / "it ran"
    path.write_bytes(pickle.dumps(Runs(mark)))
    with pytest.raises(ValueError, match=r"weights\.pt"):
        load_model("sononet", path, **SMALL)
    assert not mark.exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_truncated_checkpoint_raises(tmp_path, small, zipped, share):
    path = tmp_path / "weights.pt"
    torch.save(small.state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"weights\.pt: cannot be read as a checkpoint"):
        load_model("sononet", path, **SMALL)


def edited(small, **changes):
    state = dict(small.state_dict())
    for key, value in changes.items():
        name = key.replace("__", ".")
        state.pop(name, None)
        if value is not None:
            state[name] = value
    return state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"classifier__0__bias": None},
            r"1 of its 107 .* missing \(classifier\.0\.bias\)",
        ),
        ({"extra": torch.zeros(1)}, r"1 are unknown \(extra\)"),
        ({"classifier__0__bias": torch.zeros(4)}, r"classifier\.0\.bias must have shape \(3,\)"),
        ({"classifier__0__bias": torch.full((3,), torch.nan)}, "must be finite"),
        ({"classifier__0__bias": torch.zeros(3, dtype=torch.int64)}, "must be of torch.float32"),
        ({"classifier__0__bias": "text"}, "must hold weights by name"),
    ],
)
def test_mismatched_weights_raise(tmp_path, small, changes, message):
    path = tmp_path / "weights.pt"
    torch.save(edited(small, **changes), path)
    with pytest.raises(ValueError, match=message):
        load_model("sononet", path, **SMALL)


@pytest.mark.parametrize("kind", ["sparse", "meta"])
def test_sparse_and_meta_tensors_raise(tmp_path, small, kind):
    state = small.state_dict()
    weight = state["classifier.0.weight"]
    state["classifier.0.weight"] = weight.to_sparse() if kind == "sparse" else weight.to("meta")
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="must hold plain tensors"):
        load_model("sononet", tmp_path / "a.pt", **SMALL)


def test_weights_beyond_the_range_of_the_dtype_raise(tmp_path, small):
    state = small.state_dict()
    state["classifier.0.bias"] = torch.full((3,), 1e300, dtype=torch.float64)
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"must be finite in torch\.float32"):
        load_model("sononet", tmp_path / "a.pt", **SMALL)


def test_uppercase_suffix_loads(tmp_path, small):
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file(small.state_dict(), tmp_path / "A.SAFETENSORS")
    loaded = load_model("sononet", tmp_path / "A.SAFETENSORS", **SMALL)
    assert same_weights(loaded.state_dict(), small.state_dict())


def test_weights_of_the_other_network_raise(study):
    with pytest.raises(ValueError, match="must hold the weights of AttentionGatedSonoNet"):
        load_model("ag_sononet", study / "sononet_best_model.pt")
    with pytest.raises(ValueError, match="Pass the `n_classes`"):
        load_model("sononet", study / "sononet_best_model.pt", n_classes=5)


@pytest.mark.parametrize("content", [[], {}, torch.zeros(3), 7])
def test_checkpoint_without_weights_raises(tmp_path, content):
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    with pytest.raises(ValueError, match="must hold weights by name"):
        read_weights(path)


def test_invalid_files_raise(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a checkpoint, but does not exist"):
        load_model("sononet", tmp_path / "none.pt")
    with pytest.raises(ValueError, match="got a folder"):
        load_model("sononet", tmp_path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "text")
    (tmp_path / "a.pt").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        load_model("sononet", tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("resnet", {}, ValueError, "`name` must be one of 'sononet', 'ag_sononet'"),
        ("sononet", {"n_classes": 0}, ValueError, "`n_classes` must be at least 1"),
        ("sononet", {"in_channels": 1.5}, TypeError, "`in_channels` must be an integer"),
        ("sononet", {"widths": (1, 2)}, ValueError, "`widths` must be four"),
        ("sononet", {"widths": (1, 2, 0, 4)}, ValueError, r"`widths\[2\]` must be at least 1"),
    ],
)
def test_invalid_options_raise(name, options, error, message):
    with pytest.raises(error, match=message):
        load_model(name, **options)
