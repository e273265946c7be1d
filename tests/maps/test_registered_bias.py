"""The registered center bias against loops over pixels and known properties."""

import numpy as np
import pytest

from gazesal import CenterBias, ReferenceFrame, RegisteredCenterBias, gaze_heatmap, ncc
from tests.oracles import registration as oracle

BOXES = [(3.0, 2.0, 15.0, 12.0), (1.5, 4.0, 16.5, 11.0), (5.0, 1.0, 13.0, 14.5)]
SHAPES = [(16, 18), (14, 19), (17, 17)]


def make_maps(shapes=SHAPES, boxes=BOXES, seed=0):
    """Return a gaze map of each image, with fixations around its box."""
    rng = np.random.default_rng(seed)
    maps = []
    for (height, width), box in zip(shapes, boxes, strict=True):
        center = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
        points = np.clip(rng.normal(center, 3, (6, 2)), 0, [width - 1, height - 1])
        maps.append(gaze_heatmap(points, (height, width), sigma=1.5))
    return maps


def make_bias(rounding="none", extra=()):
    """Return the center bias of three images."""
    frame = ReferenceFrame.from_boxes(BOXES, SHAPES, rounding=rounding)
    return RegisteredCenterBias(frame, [*zip(make_maps(), BOXES, strict=True), *extra])


def test_frame_equals_the_definition():
    frame = ReferenceFrame.from_boxes(BOXES, SHAPES)
    size, origin, shape = oracle.frame(BOXES, SHAPES)
    assert frame.box_size == pytest.approx(size)
    assert frame.box_corner == pytest.approx(origin)
    assert frame.shape == shape


def test_average_and_on_image_equal_the_definition():
    size, origin, shape = oracle.frame(BOXES, SHAPES)
    mass, coverage = np.zeros(shape), np.zeros(shape)
    for values, box in zip(make_maps(), BOXES, strict=True):
        placed, covered = oracle.on_canvas(values.tolist(), box, size, origin, shape)
        mass += placed
        coverage += covered
    bias = make_bias()
    np.testing.assert_array_equal(bias.coverage(), coverage)
    average = bias.average()
    np.testing.assert_array_equal(np.isnan(average), coverage == 0)
    reached = coverage > 0
    np.testing.assert_allclose(average[reached], mass[reached] / coverage[reached], atol=1e-15)
    for box, image_shape in zip(BOXES, SHAPES, strict=True):
        expected = oracle.warped(mass.tolist(), coverage.tolist(), box, image_shape, size, origin)
        np.testing.assert_allclose(bias.on_image(image_shape, box), expected, atol=1e-14)


def test_warped_bias_is_a_density_without_undefined_values():
    for box, shape in zip(BOXES, SHAPES, strict=True):
        warped = make_bias().on_image(shape, box)
        assert warped.shape == shape
        assert np.isfinite(warped).all()
        assert warped.min() >= 0
        assert warped.sum() == pytest.approx(1.0, abs=1e-12)


def test_with_one_box_for_all_it_is_the_plain_mean():
    shape, box = (16, 18), (3.0, 2.0, 15.0, 12.0)
    maps = make_maps([shape] * 3, [box] * 3)
    frame = ReferenceFrame.from_boxes([box] * 3, [shape] * 3)
    bias = RegisteredCenterBias(frame, [(gaze_map, box) for gaze_map in maps])
    assert (bias.coverage() == 3).all()
    np.testing.assert_allclose(bias.on_image(shape, box), CenterBias(maps).density(), atol=1e-15)


def test_shifted_images_give_the_shifted_bias():
    shift = 4
    maps = make_maps()
    padded = [np.pad(m, ((shift, 0), (shift, 0))) for m in maps]
    boxes = [tuple(np.add(box, shift)) for box in BOXES]
    shapes = [m.shape for m in padded]
    moved = RegisteredCenterBias(
        ReferenceFrame.from_boxes(boxes, shapes), list(zip(padded, boxes, strict=True))
    )
    before = make_bias().on_image(SHAPES[0], BOXES[0])
    after = moved.on_image(shapes[0], boxes[0])[shift:, shift:]
    # the canvases' pixels lie differently, so the two are sampled at different places
    assert ncc(before, after) > 0.995


def test_registration_finds_what_unregistered_averaging_blurs():
    """Gaze is at the same position in the box of every image."""
    shape = (40, 40)
    boxes = [(x, y, x + 16, y + 16) for x, y in ((2, 3), (20, 4), (5, 20), (21, 22))]
    spots = [[(x0 + 5, y0 + 9)] for x0, y0, *_ in boxes]
    maps = [gaze_heatmap(spot, shape, sigma=1.0) for spot in spots]
    frame = ReferenceFrame.from_boxes(boxes, [shape] * 4)
    bias = RegisteredCenterBias(frame, zip(maps, boxes, strict=True))
    assert ncc(bias.on_image(shape, boxes[0]), maps[0]) > 0.999
    assert ncc(CenterBias(maps).density(), maps[0]) < 0.6


@pytest.mark.parametrize("rounding", ["none", "study"])
def test_without_equals_a_bias_of_the_other_images(rounding):
    frame = ReferenceFrame.from_boxes(BOXES, SHAPES, rounding=rounding)
    pairs = list(zip(make_maps(), BOXES, strict=True))
    less = RegisteredCenterBias(frame, pairs).without(pairs[:1])
    afresh = RegisteredCenterBias(frame, pairs[1:])
    assert less.n_maps == 2
    np.testing.assert_array_equal(less.coverage(), afresh.coverage())
    np.testing.assert_allclose(less.average(), afresh.average(), rtol=1e-14)


def test_without_keeps_the_object_and_refuses_foreign_maps():
    bias = make_bias()
    before = bias.average()
    pairs = list(zip(make_maps(), BOXES, strict=True))
    bias.without(pairs[:1])
    np.testing.assert_array_equal(bias.average(), before)
    with pytest.raises(ValueError, match="`gaze_maps` must leave at least one map"):
        bias.without(pairs)
    with pytest.raises(ValueError, match="must all be part of this center bias"):
        bias.without([(np.eye(16, 18), BOXES[0])])


def test_parts_merge_to_the_whole():
    pairs = list(zip(make_maps(), BOXES, strict=True))
    frame = ReferenceFrame.from_boxes(BOXES, SHAPES)
    parts = [RegisteredCenterBias(frame, part) for part in (pairs[:1], pairs[1:])]
    merged = parts[0].merged(parts[1])
    assert merged.n_maps == 3
    np.testing.assert_allclose(merged.average(), make_bias().average(), rtol=1e-14)
    study = make_bias("study")
    with pytest.raises(ValueError, match="`other` must be in the frame"):
        merged.merged(study)


def test_save_and_load_keep_every_bit(tmp_path):
    bias = make_bias()
    bias.save(tmp_path / "bias.npz")
    back = RegisteredCenterBias.load(tmp_path / "bias.npz")
    assert (back.frame, back.n_maps) == (bias.frame, bias.n_maps)
    np.testing.assert_array_equal(
        back.on_image(SHAPES[1], BOXES[1]), bias.on_image(SHAPES[1], BOXES[1])
    )
    less = back.without([(make_maps()[0], BOXES[0])])
    assert less.n_maps == 2


def test_invalid_files_are_named_and_not_executed(tmp_path):
    make_bias().save(tmp_path / "whole.npz")
    data = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    np.savez(tmp_path / "other.npz", x=np.eye(2))
    np.savez(tmp_path / "pickle.npz", facts=np.array([print], dtype=object))
    for name in ("cut", "other", "pickle"):
        with pytest.raises(ValueError, match=rf"{name}\.npz: cannot be read as a registered"):
            RegisteredCenterBias.load(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError):
        RegisteredCenterBias.load(tmp_path / "none.npz")


BAD_BOXES = {
    "no width": [3, 2, 3, 12],
    "negative height": [3, 12, 15, 2],
    "three numbers": [3, 2, 15],
    "nan": [3, 2, np.nan, 12],
    "infinite": [3, 2, np.inf, 12],
}


@pytest.mark.parametrize("kind", BAD_BOXES)
def test_bad_boxes_are_named(kind):
    with pytest.raises(ValueError, match=r"`boxes\[0\]` must"):
        ReferenceFrame.from_boxes([BAD_BOXES[kind]], [(16, 18)])
    with pytest.raises(ValueError, match=r"`box of gaze_maps\[3\]` must"):
        make_bias(extra=[(np.ones((16, 18)), BAD_BOXES[kind])])
    with pytest.raises(ValueError, match="`box` must"):
        make_bias().on_image((16, 18), BAD_BOXES[kind])


def test_other_invalid_input_is_named():
    frame = ReferenceFrame.from_boxes(BOXES, SHAPES)
    with pytest.raises(ValueError, match="at least one gaze map"):
        RegisteredCenterBias(frame, [])
    with pytest.raises(ValueError, match=r"`boxes` and `shapes`.* 0 and 0"):
        ReferenceFrame.from_boxes([], [])
    with pytest.raises(ValueError, match="got 3 and 2"):
        ReferenceFrame.from_boxes(BOXES, SHAPES[:2])
    with pytest.raises(ValueError, match="`rounding` must be one of"):
        ReferenceFrame.from_boxes(BOXES, SHAPES, rounding="floor")
    for bad in (np.zeros((16, 18)), -np.ones((16, 18)), np.full((16, 18), np.nan)):
        with pytest.raises(ValueError, match=r"`gaze_maps\[3\]` must"):
            make_bias(extra=[(bad, BOXES[0])])
    with pytest.raises(ValueError, match="must fit on the canvas of the frame"):
        make_bias(extra=[(np.ones((200, 200)), BOXES[0])])
    with pytest.raises(ValueError, match="`box`"):
        make_bias().on_image((1, 1), (-9000.0, -9000.0, -8990.0, -8990.0))


def test_boxes_may_reach_outside_their_image():
    boxes = [(-4.0, -2.0, 20.0, 12.0), (3.0, 2.0, 15.0, 30.0)]
    shapes = [(16, 18), (20, 18)]
    maps = make_maps(shapes, boxes)
    frame = ReferenceFrame.from_boxes(boxes, shapes)
    bias = RegisteredCenterBias(frame, zip(maps, boxes, strict=True))
    for box, shape in zip(boxes, shapes, strict=True):
        assert bias.on_image(shape, box).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda parts: parts.update(high=parts["high"][:3]),
        lambda parts: parts.update(high=np.where(parts["high"] > 0, np.nan, 0)),
        lambda parts: parts.update(high=-parts["high"]),
        lambda parts: parts.update(high=parts["high"].astype(np.float32)),
        lambda parts: parts.update(high=parts["high"].ravel()),
        lambda parts: parts.update(high=2 * parts["high"]),
        lambda parts: parts.update(low=parts["low"][:3]),
        lambda parts: parts.update(low=parts["low"] + 1),
        lambda parts: parts.update(coverage=parts["coverage"][:1, :1]),
        lambda parts: parts.update(coverage=0 * parts["coverage"]),
        lambda parts: parts.update(facts=str(parts["facts"]).replace('"n_maps": 3', '"n_maps": 4')),
        lambda parts: parts.update(coverage=-parts["coverage"]),
        lambda parts: parts.update(coverage=parts["coverage"] + 1),
        lambda parts: parts.update(coverage=parts["coverage"].astype(float)),
        lambda parts: parts.update(facts=str(parts["facts"]).replace('"none"', '"banana"')),
    ],
)
def test_files_whose_parts_do_not_fit_are_named(tmp_path, spoil):
    make_bias().save(tmp_path / "whole.npz")
    with np.load(tmp_path / "whole.npz") as file:
        parts = dict(file)
    spoil(parts)
    np.savez(tmp_path / "spoilt.npz", **parts)
    with pytest.raises(ValueError, match=r"spoilt\.npz: cannot be read as a registered"):
        RegisteredCenterBias.load(tmp_path / "spoilt.npz")


GOOD_FRAME = {"box_size": (4.0, 4.0), "box_corner": (2.0, 2.0), "shape": (8, 8)}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rounding": "banana"}, ValueError, "`rounding` must be one of 'none', 'study'"),
        ({"box_size": (0.0, 4.0)}, ValueError, "`box_size` must be two numbers .* at least 1"),
        ({"box_corner": (2.0, -1.0)}, ValueError, "`box_corner` must be two numbers .* at least 0"),
        ({"box_corner": (2.0, np.nan)}, ValueError, "`box_corner` must be two numbers"),
        ({"box_size": "ab"}, TypeError, "`box_size` must hold real numbers"),
        ({"shape": (8.0, 8)}, TypeError, "`shape` must be two integers"),
        ({"shape": (8, 1 << 20)}, ValueError, "`shape` must be at most 65536"),
    ],
)
def test_frames_are_checked(change, error, message):
    with pytest.raises(error, match=message):
        ReferenceFrame(**GOOD_FRAME | change)
    with pytest.raises(ValueError, match="`box` must have x_min < x_max"):
        ReferenceFrame(**GOOD_FRAME).scale((1, 1, 1, 1))


def test_boxes_of_very_different_sizes_are_refused_before_memory_is():
    boxes = [(3.0, 2.0, 15.0, 12.0), (3.0, 2.0, 3.0 + 1e-9, 12.0)]
    with pytest.raises(ValueError, match="`shape` must be at most 65536"):
        ReferenceFrame.from_boxes(boxes, [(16, 18)] * 2)


def test_wrong_kinds_are_named():
    bias = make_bias()
    with pytest.raises(TypeError, match="`frame` must be a ReferenceFrame, got NoneType"):
        RegisteredCenterBias(None, [])
    with pytest.raises(TypeError, match=r"`gaze_maps\[0\]` must be a pair of a gaze map and a box"):
        RegisteredCenterBias(bias.frame, [np.ones((3, 3))])
    with pytest.raises(TypeError, match="`other` must be a RegisteredCenterBias, got int"):
        bias.merged(5)


def test_arrays_in_fortran_order_are_loaded(tmp_path):
    bias = make_bias()
    bias.save(tmp_path / "bias.npz")
    with np.load(tmp_path / "bias.npz") as file:
        arrays = {key: np.asfortranarray(file[key]) for key in ("high", "low", "coverage")}
        np.savez(tmp_path / "bias.npz", **arrays, facts=file["facts"])
    # maps are taken out of what lies in memory, not of a copy
    first = [(make_maps()[0], BOXES[0])]
    loaded = RegisteredCenterBias.load(tmp_path / "bias.npz").without(first)
    np.testing.assert_array_equal(loaded.average(), bias.without(first).average())
