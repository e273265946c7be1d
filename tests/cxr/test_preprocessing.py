"""Tests of the study's evaluation transform, bit for bit, and of its inverses."""

import hashlib
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gazesal.cxr import crop_or_pad, preprocess


@pytest.fixture(scope="module")
def study(shared):
    folder = shared / "oracles" / "models"
    with np.load(folder / "val_transform.npz") as file:
        arrays = dict(file)
    return folder, arrays, json.loads((folder / "val_transform.json").read_text())


def sha256(tensor):
    return hashlib.sha256(tensor.numpy().tobytes()).hexdigest()


@pytest.mark.parametrize("i", range(5))
def test_every_bit_equals_the_studys_code(study, i):
    folder, arrays, facts = study
    tensor, geometry = preprocess(folder / f"vt_input{i}.png")
    padded = arrays[f"padded_u8_{i}"]
    expected = np.stack([lut[padded] for lut in arrays["lut_channel_value"]])
    np.testing.assert_array_equal(tensor.numpy(), expected)
    fact = facts["images"][i]
    assert sha256(tensor) == fact["tensor_sha256_float32_CHW"]
    assert list(geometry.image_shape) == fact["input_shape"]
    assert list(geometry.content) == [
        fact["pad_top_bottom"][0],
        fact["pad_left_right"][0],
        *fact["resized_hw"],
    ]
    assert len(facts["images"]) == 5


def test_model_inputs_equal_the_studys_code(study):
    folder = study[0]
    cases = json.loads((folder / "models.json").read_text())["cases"]
    for name, fact in cases.items():
        tensor, _ = preprocess(folder / f"input_{name.partition('__')[2]}.png")
        assert sha256(tensor) == fact["tensor_sha256_float32"]


def test_sizes_are_those_in_the_study(study):
    table = study[1]["size_table"]
    assert len(table) > 200
    for height, width, side, new_h, new_w, top, bottom, left, right in table.tolist():
        if side > 1200:  # large images take time and have the same arithmetic
            continue
        _, geometry = preprocess(np.zeros((height, width), np.uint8))
        assert geometry.input_shape == (side, side)
        assert geometry.content == (top, left, new_h, new_w)
        assert (top + new_h + bottom, left + new_w + right) == (side, side)


def test_shift_of_the_study_is_as_documented(study):
    """The crop differs from the position of the content by up to 3/4 of a model pixel."""
    _, arrays, facts = study
    shifts = []
    for height, width, side, *_ in arrays["size_table"].tolist():
        if side > 400 or min(height, width) < 500 or max(height, width) >= 1.5 * min(height, width):
            continue
        _, geometry = preprocess(np.zeros((height, width), np.uint8))
        for study_way, exact in zip(geometry.places("study"), geometry.places(), strict=True):
            shifts.append((study_way - exact)[0])
    low, high = min(shifts), max(shifts)
    assert -0.6 < low < 0 < high <= 0.76
    assert facts["images"][3]["shift_px_crop_minus_content_start"] == [0.0, 1.0]
    _, geometry = preprocess(np.zeros((457, 455), np.uint8))
    difference = geometry.places("study")[1] - geometry.places()[1]
    assert difference[0] == pytest.approx((224 / 457) * 1.5 - 223 / 455 / 2, abs=1e-12)


def test_crop_or_pad(study):
    folder, _, facts = study
    with np.load(folder / "crop_or_pad_to.npz") as file:
        arrays = dict(file)
    for case in facts["crop_or_pad_cases"]:
        height, width = case["in"]
        array = np.arange(height * width, dtype=np.float32).reshape(height, width) + 1
        out = crop_or_pad(array, tuple(case["final"]))
        row, column = case["placed_at_rc"]
        first_row, first_column = case["first_kept_src_rc"]
        assert out[row, column] == array[first_row, first_column]
        if case["stored"]:
            given = arrays[f"in{case['k']}"]
            np.testing.assert_array_equal(
                crop_or_pad(given, tuple(case["final"])), arrays[f"out{case['k']}"]
            )


def test_color_is_kept_and_one_channel_is_an_option(study):
    folder = study[0]
    from PIL import Image

    pixels = np.asarray(Image.open(folder / "input_rgb224.png"))
    tensor, _ = preprocess(pixels)
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    expected = ((pixels / np.float32(255) - mean) / std).transpose(2, 0, 1)
    np.testing.assert_array_equal(tensor.numpy(), expected)
    gray, _ = preprocess(pixels[..., 0], mean=[0.0], std=[1.0])
    np.testing.assert_array_equal(gray[0].numpy(), pixels[..., 0] / np.float32(255))
    with pytest.raises(ValueError, match="`mean` must have three channels"):
        preprocess(pixels, mean=[0.0], std=[1.0])


def test_input_is_not_modified():
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40), np.uint8)
    before = pixels.copy()
    tensor, _ = preprocess(pixels)
    tensor.zero_()
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_one_row_or_column_is_padded(shape):
    tensor, geometry = preprocess(np.full(shape, 255, np.uint8), short_side=16)
    assert tensor.shape[1] == tensor.shape[2] == 16 * max(shape)
    assert geometry.to_image(tensor[0], "study").shape == shape
    content = geometry.to_image((tensor[0] > 0).float())
    np.testing.assert_allclose(content, 1.0)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1, 4000), {}, "must fit a square of 16 to 8192 pixels"),
        ((4, 4), {"short_side": 0}, "`short_side` must be at least 1"),
        ((4, 4), {"short_side": 1}, "must fit a square"),
        ((4, 4), {"multiple": 0}, "`multiple` must be at least 1"),
        ((4, 4), {"std": (1, 1)}, "`mean` and `std` must have one number"),
        ((4, 4), {"std": (1, 0, 1)}, "`std` positive"),
        ((4, 4), {"mean": (1, np.nan, 1)}, "must be finite"),
    ],
)
def test_invalid_input_raises(shape, options, message):
    with pytest.raises(ValueError, match=message):
        preprocess(np.zeros(shape, np.uint8), **options)
