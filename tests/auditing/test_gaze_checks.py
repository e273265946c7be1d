"""Tests of findings about fixations without regard to maps."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from tests.auditing.studies import SHAPE, SIZE, cases_of, checks, places_and_maps


@pytest.fixture(scope="module")
def points():
    """Return fixations of 20 images."""
    return places_and_maps()[0]


def audit_of(points, **more):
    """Return the audit of fixations without maps, and no finding about missing maps."""
    options = {name: more.pop(name) for name in ("duration_unit",) if name in more}
    return gazesal.audit(cases_of(points, {}, **more), **options)


def found_in(audit):
    """Return the names of the findings about the gaze."""
    return {each.check for each in audit.findings if each.subject == "gaze"}


def test_usual_gaze_has_no_finding(points):
    assert found_in(audit_of(points)) == set()


def test_shares_of_one_reading(points):
    first = dict(points)
    first["image0"] = (points["image0"] + 0.5) / SIZE
    (found,) = [each for each in audit_of(first).findings if each.check == "shares"]
    assert found.level == "warning"
    assert "'image0' by 'ann'" in found.message


@pytest.mark.parametrize(
    ("factor", "words"), [(0.5, "at twice the size"), (0.25, "at four times the size")]
)
def test_gaze_in_one_corner_names_the_scale(points, factor, words):
    small = {name: (own + 0.5) * factor - 0.5 for name, own in points.items()}
    (found,) = [each for each in audit_of(small).findings if each.check == "one_corner"]
    assert "upper left quarter" in found.message
    assert words in found.remedy


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (lambda p: p * 2, "at half the size"),
        (lambda p: p - (SIZE - 1) / 2, "origin at the center"),
        (lambda p: p * [1, -1], "sign of y"),
        (lambda p: p[:, ::-1], "x and y exchanged"),
    ],
)
def test_gaze_outside_the_images_names_the_correction(points, move, words):
    moved = {name: move(own) for name, own in points.items()}
    (found,) = [each for each in audit_of(moved).findings if each.check == "off_image"]
    assert found.level in {"fault", "warning"}
    assert words in found.remedy


def test_few_fixations_outside_are_a_note(points):
    moved = {name: own.copy() for name, own in points.items()}
    moved["image3"][0] = -5.0
    (found,) = audit_of(moved).findings[-1:]
    assert (found.check, found.level) == ("off_image", "note")


def test_one_based_coordinates_need_a_proof(points):
    ones = {name: np.floor(own) + 1 for name, own in points.items()}
    assert found_in(audit_of(ones)) == {"origin_unknown"}
    ones["image0"][:2] = [[80, 30], [81 - 1, 60]]
    found = next(e for e in audit_of(ones).findings if e.check == "one_based")
    assert found.level == "fault"
    assert "subtract 1" in found.remedy


def test_half_pixels(points):
    halves = {name: np.floor(own) + 0.5 for name, own in points.items()}
    halves = {name: np.minimum(own, SIZE - 1.5) for name, own in halves.items()}
    assert found_in(audit_of(halves)) == {"half_pixels"}


def test_lost_eye_duplicates_and_copied_readings(points):
    odd = {name: own.copy() for name, own in points.items()}
    odd["image0"][:3] = 0.0
    odd["image2"] = odd["image1"]
    durations = {name: np.full(len(own), 200.0) for name, own in odd.items()}
    durations["image5"][0] = 300.0
    found = found_in(audit_of(odd, durations=durations))
    assert found == {"lost_eye", "duplicates", "same_gaze"}


def test_central_first_fixations(points):
    odd = {name: own.copy() for name, own in points.items()}
    for index in range(5):  # more readings, so that the statement has a small error
        odd |= {f"{name} {index}": own[::-1] + index / 10 for name, own in points.items()}
    rng = np.random.default_rng(0)
    for own in odd.values():
        own[0] = (SIZE - 1) / 2 + rng.normal(0, 1, 2)
    odd = {name: np.clip(own, 0, SIZE - 1) for name, own in odd.items()}
    (found,) = [each for each in audit_of(odd).findings if each.check == "central_start"]
    assert found.level == "note"


@pytest.mark.parametrize(
    ("factor", "declared", "level"),
    [
        (1.0, "ms", None),
        (1.0, None, None),
        (1e-3, None, None),  # seconds, which weights may be
        (1e-3, "s", None),
        (1e-3, "ms", "fault"),
        (1e3, "ms", "fault"),
        (1e3, "us", None),
        (1e3, None, "warning"),
        (0.05, None, "note"),  # numbers of samples
    ],
)
def test_unit_of_durations(points, factor, declared, level):
    rng = np.random.default_rng(5)
    durations = {name: factor * rng.gamma(4, 60, len(own)) for name, own in points.items()}
    audit = audit_of(points, durations=durations, duration_unit=declared)
    levels = [each.level for each in audit.findings if each.check == "duration_unit"]
    assert levels == ([level] if level else [])


def test_mixed_units_in_and_between_readings(points):
    rng = np.random.default_rng(5)
    durations = {name: rng.gamma(4, 60, len(own)) for name, own in points.items()}
    durations["image0"][2] = 0.09
    durations["image1"] = durations["image1"] / 1000
    audit = audit_of(points, durations=durations)
    mixed = [each for each in audit.findings if each.check == "mixed_durations"]
    assert [each.level for each in mixed] == ["fault", "warning"]
    assert "'image0'" in mixed[0].message
    assert "'image1'" in mixed[1].message


def test_equal_weights_are_no_durations(points):
    durations = {name: np.full(len(own), 5.0) for name, own in points.items()}
    assert "duration_unit" not in found_in(audit_of(points, durations=durations))


@pytest.mark.parametrize("axis", [0, 1])
def test_shares_of_one_coordinate(points, axis):
    moved = {name: own.copy() for name, own in points.items()}
    for own in moved.values():
        own[:, axis] = (own[:, axis] + 0.5) / SIZE[axis]
    (found,) = [each for each in audit_of(moved).findings if each.check == "shares"]
    assert found.level == "warning"
    assert f"have {'xy'[axis]} within" in found.message


@pytest.mark.parametrize(("duration", "unit"), [(90.0, "s"), (0.09, "ms")])
def test_equal_durations_in_another_unit_than_declared(points, duration, unit):
    durations = {name: np.full(len(own), duration) for name, own in points.items()}
    audit = audit_of(points, durations=durations, duration_unit=unit)
    levels = [each.level for each in audit.findings if each.check == "duration_unit"]
    assert levels == ["fault"]


def test_gaze_that_cannot_be_read_is_a_fault(points, tmp_path):
    def broken():
        """Raise as a damaged file does."""
        raise OSError("it is torn")

    cases = cases_of(points, {})
    cases[0] = replace(cases[0], gaze={"ann": broken})
    cases[1] = replace(cases[1], gaze={"ann": tmp_path / "no.png"})
    faults = [each for each in gazesal.audit(cases).findings if each.check == "unreadable"]
    assert [each.level for each in faults] == ["fault", "fault"]
    assert "it is torn" in faults[0].message


def test_arguments_are_checked(points):
    cases = cases_of(points, {})
    with pytest.raises(ValueError, match="`cases`"):
        gazesal.audit([])
    with pytest.raises(TypeError, match="`maps`"):
        gazesal.audit(cases, maps=["mine"])
    with pytest.raises(ValueError, match="`duration_unit`"):
        gazesal.audit(cases, duration_unit="minutes")
    with pytest.raises(ValueError, match="`seed`"):
        gazesal.audit(cases, seed=-1)


def test_shape_of_the_study():
    assert (SHAPE[1], SHAPE[0]) == tuple(SIZE)
    assert checks(gazesal.audit(cases_of(places_and_maps()[0], {}))) == [("without_map", "names")]
