"""Tests of the place of the gaze: planted faults, clean data, and maps without signal."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.auditing.audit import judge
from gazesal.auditing.corrections import CORRECTIONS
from gazesal.auditing.read_image import read_image
from tests.auditing.studies import SHAPE, SIZE, cases_of, checks, places_and_maps

FAULTS = {
    "mirrored": lambda p: [SIZE[0] - 1, 0] + p * [-1, 1],
    "upside_down": lambda p: [0, SIZE[1] - 1] + p * [1, -1],
    "rotated_180": lambda p: SIZE - 1 - p,
    "transposed": lambda p: p[:, ::-1],
    "shares": lambda p: (p + 0.5) / SIZE,
    "half_size": lambda p: (p + 0.5) / 2 - 0.5,
    "double_size": lambda p: (p + 0.5) * 2 - 0.5,
    "centered": lambda p: p - (SIZE - 1) / 2,
    "centered_upside_down": lambda p: (p - (SIZE - 1) / 2) * [1, -1],
    "negative_y": lambda p: p * [1, -1],
    "shifted_right": lambda p: p - [SIZE[0] / 8, 0],
    "shifted_down": lambda p: p - [0, SIZE[1] / 8],
}


def test_clean_gaze_has_no_finding():
    points, maps = places_and_maps()
    audit = gazesal.audit(cases_of(points, {"mine": maps}))
    assert checks(audit) == []
    assert audit.clean
    assert audit.placement == "fits"


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_named(fault):
    points, maps = places_and_maps()
    moved = {name: FAULTS[fault](own) for name, own in points.items()}
    audit = gazesal.audit(cases_of(moved, {"mine": maps}))
    found = [each for each in audit.findings if each.check == fault and each.level == "fault"]
    assert found
    assert found[0].subject == "gaze"
    assert found[0].remedy
    assert audit.placement == "misfits"
    assert not audit.clean


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda each: each.name)
def test_correction_moves_points_by_its_words(correction):
    """The corner of the first pixel goes where the name of the correction says."""
    expected = {
        "mirrored": (79, 0), "upside_down": (0, 59), "rotated_180": (79, 59),
        "transposed": (0, 0), "rotated_90": (0, 59), "rotated_270": (79, 0),
        "transposed_180": (79, 59), "transposed_shares": (1 / 6, -1 / 8), "shares": (-0.5, -0.5),
        "percent": (-0.5, -0.5), "half_size": (0.5, 0.5), "quarter_size": (1.5, 1.5),
        "double_size": (-0.25, -0.25), "quadruple_size": (-0.375, -0.375),
        "centered": (39.5, 29.5), "centered_upside_down": (39.5, 29.5), "negative_y": (0, 0),
        "shifted_left": (-10, 0), "shifted_right": (10, 0), "shifted_up": (0, -7.5),
        "shifted_down": (0, 7.5),
    }  # fmt: skip
    moved = correction.correct(np.zeros((1, 2)), SIZE)
    np.testing.assert_allclose(moved[0], expected[correction.name], atol=1e-12)


def test_sizes_of_images_do_not_decide():
    """Gaze and maps spread along the longer side, so that they fit by the size of the image."""
    alarms = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cases = []
        for index in range(40):
            shape = [(60, 80), (80, 60), (60, 60), (40, 120)][index % 4]
            size = np.array(shape[::-1], np.float64)

            def near_center(n, size=size, rng=rng):
                return np.clip(size / 2 + rng.normal(0, [0.1, 0.03], (n, 2)) * size, 0, size - 1)

            drawn = gazesal.gaze_heatmap(near_center(3), shape, sigma=6.0)
            gaze = {"ann": gazesal.Gaze(points=near_center(10))}
            cases.append(
                gazesal.Case(image=f"i{index}", shape=shape, gaze=gaze, maps={"mine": drawn})
            )
        alarms += gazesal.audit(cases).placement == "misfits"
    assert alarms <= 2  # 8 to 10 of 12 if the sizes are ignored


def test_maps_that_are_equal_for_all_images_cannot_tell():
    points, maps = places_and_maps()
    same = dict.fromkeys(maps, maps["image0"])
    audit = gazesal.audit(cases_of(points, {"mine": same}))
    assert audit.placement == "cannot tell"
    assert checks(audit) == [("same_map", "mine")]


def test_placement_is_a_misfit_only_if_a_finding_names_a_correction():
    points, maps = places_and_maps()
    audit = gazesal.audit(cases_of(points, {"mine": maps}))
    turned = replace(
        audit.fits[0], given=0.0, corrected=1.0, fit_p_value=0.01, difference_p_value=0.01
    )
    assert turned.verdict == "corrected"
    assert replace(audit, fits=(turned,)).placement == "cannot tell"


def test_maps_of_other_images_cannot_tell():
    points, maps = places_and_maps()
    names = list(maps)
    other = dict(zip(names, [maps[name] for name in names[7:] + names[:7]], strict=True))
    audit = gazesal.audit(cases_of(points, {"mine": other}))
    assert checks(audit) == []
    assert audit.placement == "cannot tell"
    assert "cannot tell" in repr(audit)


def test_shared_center_of_gaze_does_not_decide():
    """All gaze and all maps are in the upper left, so flipped gaze misses the maps everywhere."""
    rng = np.random.default_rng(3)
    flipped, maps = {}, {}
    for index in range(30):
        name = f"image{index}"
        maps[name] = gazesal.gaze_heatmap(rng.normal([25, 18], 4, (2, 2)), SHAPE, sigma=6.0)
        flipped[name] = SIZE - 1 - rng.normal([25, 18], 8, (40, 2))
    audit = gazesal.audit(cases_of(flipped, {"mine": maps}))
    assert [each for each in audit.findings if each.p_value == each.p_value] == []
    assert audit.placement == "cannot tell"


def test_one_method_that_is_mirrored_is_named():
    points, maps = places_and_maps()
    mirrored = {name: values[:, ::-1] for name, values in maps.items()}
    audit = gazesal.audit(cases_of(points, {"one": maps, "two": mirrored}))
    assert checks(audit, "fault") == [("mirrored", "two")]


def test_fault_of_all_methods_is_a_fault_of_the_gaze():
    points, maps = places_and_maps()
    moved = {name: FAULTS["mirrored"](own) for name, own in points.items()}
    audit = gazesal.audit(cases_of(moved, {"one": maps, "two": maps}))
    (found,) = [each for each in audit.findings if each.check == "mirrored"]
    assert found.subject == "gaze"
    assert "2 of 2 methods" in found.message


def test_contrast_of_pictures_is_compared_with_the_gaze(tmp_path):
    points, maps = places_and_maps()
    noise = np.random.default_rng(2).normal(0, 1, SHAPE)
    cases = []
    for case in cases_of({n: FAULTS["mirrored"](p) for n, p in points.items()}, {}):
        values = maps[case.image]
        path = tmp_path / f"{case.image}.npy"
        np.save(path, noise * values / values.max())
        cases.append(replace(case, picture=path))
    audit = gazesal.audit(cases)
    assert ("mirrored", "gaze") in checks(audit, "fault")
    (found,) = [each for each in audit.findings if each.check == "mirrored"]
    assert "contrast of the pictures" in found.message
    with_maps = [replace(case, maps={"mine": maps[case.image]}) for case in cases]
    (found,) = [e for e in gazesal.audit(with_maps).findings if e.check == "mirrored"]
    assert "or pictures and maps have the same fault" in found.message


def test_gaze_maps_are_compared_like_fixations():
    points, maps = places_and_maps()
    cases = [
        replace(
            case,
            gaze={"all": gazesal.gaze_heatmap(points[case.image], SHAPE, sigma=4.0)[:, ::-1]},
        )
        for case in cases_of(points, {"mine": maps})
    ]
    audit = gazesal.audit(cases)
    assert checks(audit) == [("mirrored", "gaze")]
    assert (audit.n_readings, audit.n_fixations) == (0, 0)


def test_few_images_cannot_tell():
    points, maps = places_and_maps(n_images=7)
    audit = gazesal.audit(cases_of(points, {"mine": maps}))
    assert audit.fits == ()
    assert audit.placement == "cannot tell"
    assert "too few images" in repr(audit)


def test_images_without_a_map_are_left_out_of_the_test():
    points, maps = places_and_maps()
    cases = cases_of(points, {"mine": maps})
    cases[0] = replace(cases[0], maps={}, scored=False)
    fits = gazesal.audit(cases).fits_frame()
    assert set(fits["n_images"]) == {19}
    assert set(fits["subject"]) == {"mine"}


def test_result_does_not_depend_on_the_order_of_calls_or_workers():
    points, maps = places_and_maps(n_images=10)
    cases = cases_of(points, {"mine": maps})
    first = gazesal.audit(cases, seed=3).fits_frame()
    assert first.equals(gazesal.audit(cases, seed=3, n_jobs=2).fits_frame())


def test_inputs_are_not_modified():
    points, maps = places_and_maps(n_images=8)
    before = (
        {name: own.copy() for name, own in points.items()},
        {n: m.copy() for n, m in maps.items()},
    )
    gazesal.audit(cases_of(points, {"mine": maps}))
    for was, now in zip(before, (points, maps), strict=True):
        for name in was:
            np.testing.assert_array_equal(was[name], now[name])


def test_false_alarms_of_noise_are_rare():
    """A correction that is no better is found in at most 5 % of audits."""
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        points = {f"i{k}": rng.uniform(0, SIZE - 1, (20, 2)) for k in range(10)}
        maps = {name: rng.random((15, 20)) for name in points}
        audit = gazesal.audit(cases_of(points, {"noise": maps}))
        found += any(each.verdict == "corrected" for each in audit.fits)
    assert found <= 5  # more than 5 of 40 have a probability of 1 %


@pytest.mark.parametrize("method", ["spectral_residual", "intensity_contrast"])
def test_faults_in_real_gaze_are_found(shared, method):
    folder = shared / "data" / "osie"
    table = gazesal.read_fixations(folder / "fixations.csv.gz", columns={"duration": "duration_ms"})
    table[["x", "y"]] -= 1.0  # the first pixel is 1
    maps = {method: dict(list(gazesal.find_maps(folder / "maps")[method].items())[:40])}
    table = table[table["image"].isin(maps[method])]
    clean = gazesal.cases_from_tables(table, maps, (600, 800), outside="keep")
    audit = gazesal.audit(clean, maps=maps, duration_unit="ms")
    assert checks(audit) == []
    wrong = table.assign(x=799 - table["x"], duration=table["duration"] * 1000)
    cases = gazesal.cases_from_tables(wrong, maps, (600, 800), outside="keep")
    found = checks(gazesal.audit(cases, duration_unit="ms"))
    assert found == [("duration_unit", "gaze"), ("mirrored", "gaze")]


def test_one_observer_and_weak_maps_suffice_for_40_images(shared):
    """Turned gaze of one observer per image is found in most draws of real images."""
    folder = shared / "data" / "osie"
    table = gazesal.read_fixations(folder / "fixations.csv.gz", columns={"duration": "duration_ms"})
    table = table[table["observer"] == "1"].assign(x=800 - table["x"], y=600 - table["y"])
    maps = {"weak": gazesal.find_maps(folder / "maps")["fine_grained"]}
    table = table[table["image"].isin(maps["weak"])]
    cases = gazesal.cases_from_tables(table, maps, (600, 800), outside="keep")
    contents = [read_image(case, False) for case in cases]
    found = 0
    for seed in range(10):
        drawn = np.random.default_rng(seed).choice(len(cases), 40, replace=False)
        audit = judge([cases[i] for i in drawn], [contents[i] for i in drawn])
        found += ("rotated_180", "gaze") in checks(audit, "fault")
    assert found >= 8  # 9 of 10; a test of the differences alone finds 2


def test_fixation_maps_and_pooled_gaze_maps_are_compared_like_fixations():
    points, maps = places_and_maps()
    marks, pooled = [], []
    for case in cases_of(points, {"mine": maps}):
        pixels = np.zeros(SHAPE)
        for x, y in np.rint(points[case.image]).astype(int):
            pixels[y, SHAPE[1] - 1 - x] += 1
        marks.append(replace(case, gaze={"all": gazesal.FixationMap(pixels)}))
        drawn = gazesal.gaze_heatmap(points[case.image], SHAPE, sigma=4.0)[:, ::-1]
        pooled.append(replace(case, gaze={}, gaze_map=drawn))
    for cases in (marks, pooled):
        audit = gazesal.audit(cases)
        assert checks(audit) == [("mirrored", "gaze")]
        assert audit.n_readings == 0


def test_fixated_pixels_given_as_a_gaze_map_are_a_fault():
    points, maps = places_and_maps(n_images=2)
    pixels = np.zeros(SHAPE)
    pixels[5, 6] = 1.0
    cases = [replace(case, gaze={"all": pixels}) for case in cases_of(points, {"mine": maps})]
    audit = gazesal.audit(cases)
    assert checks(audit, "fault") == [("unreadable", "gaze")] * 2
    assert "FixationMap" in audit.findings[0].message
