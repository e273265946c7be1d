"""Maps of the study's networks, compared with arrays from the authors' code."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gazesal.adapters._resizing import to_image
from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.gradcam import grad_cam
from gazesal.adapters.mixing import class_weights, mix_classes
from gazesal.cxr import load_model, preprocess

INPUTS = {
    "sononet": ["rgb224", "g224x288", "g500x410", "nofinding_sononet"],
    "ag_sononet": ["rgb224", "g224x288", "g500x410", "nofinding_ag_sononet"],
}
CASES = [(model, image) for model, images in INPUTS.items() for image in images]
SCHEMES = {
    "uniform": "uniform",
    "weighted": "weighted_classes",
    "thresholded": "thresholded",
    "highest": "max_class_only",
}


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "oracles" / "models"


@pytest.fixture(scope="module")
def study(folder):
    """Return model, input, geometry and the authors' arrays of a case."""
    cache = {}

    def get(name, image):
        if (name, image) not in cache:
            with np.load(folder / f"{name}__{image}.npz") as file:
                arrays = dict(file)
            model = load_model(name, folder / f"{name}_best_model.pt")
            with torch.no_grad():
                model.classifier[0].bias -= float(arrays["classifier_bias_shift"])
            tensor, geometry = preprocess(folder / f"input_{image}.png")
            cache[name, image] = model, tensor, geometry, arrays
        return cache[name, image]

    return get


def near(actual, expected, tolerance=2e-5):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance * np.abs(expected).max()


def near_stats(array, expected):
    """Compare the sum, minimum, maximum, deviation, and position of the maximum."""
    values = array.astype(np.float64)
    actual = np.array([values.sum(), values.min(), values.max(), values.std()])
    scale = np.array([np.abs(values).sum(), *[np.abs(values).max()] * 3])
    assert (np.abs(actual - expected[:4]) <= 2e-5 * scale).all()
    assert values.max() - values.flat[int(expected[4])] <= 2e-5 * np.abs(values).max()


def lines(array):
    """Return the first, last and middle row and column."""
    rows, columns = (0, -1, array.shape[0] // 2), (0, -1, array.shape[1] // 2)
    return np.concatenate([*(array[r] for r in rows), *(array[:, c] for c in columns)])


def test_every_stored_case_is_tested(folder):
    names = [f"{model}__{image}" for model, image in CASES]
    assert sorted(json.loads((folder / "models.json").read_text())["cases"]) == sorted(names)


@pytest.mark.parametrize(("name", "image"), CASES)
def test_logits_weights_and_maps_equal_the_study_code(study, name, image):
    model, tensor, geometry, arrays = study(name, image)
    result = grad_cam(model, tensor)
    assert geometry.image_shape == tuple(arrays["shape"])
    assert tuple(tensor.shape) == tuple(arrays["tensor_shape"])
    np.testing.assert_allclose(result.logits[0].numpy(), arrays["logits"], rtol=0, atol=3e-5)
    row, column = arrays["pos"]
    for b, (alpha, stack) in enumerate(zip(result.alphas, result.stacks, strict=True)):
        expected = arrays[f"alpha_b{b}"]
        np.testing.assert_allclose(
            alpha[0].numpy(), expected, rtol=1e-5, atol=1e-7 * np.abs(expected).max()
        )
        raw = arrays[f"camraw_b{b}"]
        near(stack[0, : len(raw)].numpy(), raw)
        assert (alpha.shape[2], *stack.shape[2:]) == tuple(arrays[f"lsfm_shape_b{b}"])
        full = to_image(stack[0], geometry, "study")
        near(full[:, row, column].numpy(), arrays[f"camfull_at_pos_b{b}"])
    assert f"camraw_b{len(result.stacks)}" not in arrays
    maps = result.on_image(geometry, inverse="study").numpy()
    for c, saliency_map in enumerate(maps):
        near(saliency_map[row, column], arrays["gc_at_pos"][c])
        near_stats(saliency_map, arrays["gc_stats"][c])
    zero = int((maps.reshape(14, -1).max(axis=1) == 0).sum())
    assert zero == int((arrays["gc_stats"][:, 2] == 0).sum())
    if "gc3_full" in arrays:
        near(maps[3], arrays["gc3_full"])


@pytest.mark.parametrize(("name", "image"), CASES)
def test_means_of_the_features_equal_the_study_code(study, name, image):
    model, tensor, _, arrays = study(name, image)
    kept = {}
    modules = dict(model.named_modules())
    handles = [
        modules[layer].register_forward_hook(lambda _m, _a, out, b=b: kept.update({b: out[0]}))
        for b, layer in enumerate(model.cam_layers)
    ]
    with torch.no_grad():
        model(tensor[None])
    for handle in handles:
        handle.remove()
    for b, features in kept.items():
        near(features.double().mean(dim=(1, 2)).numpy(), arrays[f"lsfm_mean_b{b}"])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("name", "image"), CASES)
def test_mixed_maps_equal_the_study_code(study, name, image, scheme):
    model, tensor, geometry, arrays = study(name, image)
    theirs = SCHEMES[scheme]
    result = grad_cam(model, tensor)
    maps = result.on_image(geometry, inverse="study")
    # a difference of 3e-5 in a logit changes a probability by at most this relative amount
    np.testing.assert_allclose(
        class_weights(result.logits[0], scheme), arrays[f"psi_{theirs}"], rtol=3e-5
    )
    plain = mix_classes(maps, result.logits[0], scheme, normalize=False).numpy()
    row, column = arrays["pos"]
    near(plain[row, column], arrays[f"mix_{theirs}_at_pos"])
    near(lines(plain), arrays[f"mix_{theirs}_lines"])
    near_stats(plain, arrays[f"mix_{theirs}_stats"])
    if f"mix_{theirs}_full" in arrays:
        near(plain, arrays[f"mix_{theirs}_full"])
    mixed = mix_classes(maps, result.logits[0], scheme).numpy()
    near(mixed, plain / arrays[f"psi_{theirs}"].sum())


@pytest.mark.parametrize("image", INPUTS["ag_sononet"])
def test_attention_maps_equal_the_study_code(study, image):
    model, tensor, geometry, arrays = study("ag_sononet", image)
    result = attention_maps(model, tensor)
    np.testing.assert_allclose(result.logits[0].numpy(), arrays["logits"], rtol=0, atol=3e-5)
    row, column = arrays["pos"]
    for gate, stack, full in zip(
        ("am1", "am2"),
        result.stacks,
        result.on_image(geometry, inverse="study").numpy(),
        strict=True,
    ):
        near(stack[0].numpy(), arrays[f"{gate}_raw"])
        near(full[row, column], arrays[f"{gate}_at_pos"])
        near(lines(full), arrays[f"{gate}_lines"])
        near_stats(full, arrays[f"{gate}_stats"])
        if f"{gate}_full" in arrays:
            near(full, arrays[f"{gate}_full"])


def test_maps_in_a_batch_equal_maps_alone(study):
    """Two different images of 224 x 224 have the same maps in a batch as alone."""
    model, tensor, _, _ = study("ag_sononet", "rgb224")
    both = torch.stack([tensor, tensor.flip(2)])
    together, alone = grad_cam(model, both), grad_cam(model, tensor)
    near(together.maps[0].numpy(), alone.maps[0].numpy())
    near(together.logits[0].numpy(), alone.logits[0].numpy())
    gates, gate = attention_maps(model, both), attention_maps(model, tensor)
    near(gates.maps[0].numpy(), gate.maps[0].numpy())


def test_gradient_at_the_last_block_includes_the_gates(study):
    """It includes the way through the gates. The features are on the way to the pooling only."""
    model, tensor, _, _ = study("ag_sononet", "g224x288")
    block = grad_cam(model, tensor, "features")
    pooled = grad_cam(model, tensor, "pooled")
    ratio = block.alphas[0].abs().max() / pooled.alphas[0].abs().max()
    assert ratio > 3


def test_the_textbook_order_changes_the_maps(study):
    """The docstring of `grad_cam` says by 15 to 57% of the maximum."""
    changes = []
    for image in INPUTS["ag_sononet"]:
        model, tensor, geometry, _ = study("ag_sononet", image)
        study_way = grad_cam(model, tensor).on_image(geometry, inverse="study").numpy()
        textbook = (
            grad_cam(model, tensor, order="textbook").on_image(geometry, inverse="study").numpy()
            / 320
        )
        for first, second in zip(study_way, textbook, strict=True):
            if first.max() > 0:
                changes.append(np.abs(first - second).max() / first.max())
    assert np.median(changes) > 0.1
