"""Fingerprints of maps and gaze change if and only if their content does."""

import functools
import operator
import os
import threading
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest

import gazesal
from gazesal.evaluation.storage import fingerprints
from gazesal.evaluation.storage.fingerprints import (
    Notes,
    fingerprint,
    gaze_fingerprint,
    image_fingerprint,
)
from tests.evaluation.large_study import SHAPE, SIGMA, make_cases, table_bytes

pytest.importorskip("pyarrow")


class Held:
    """An object that holds a map."""

    def __init__(self, values, **more):
        self.values = values
        self.__dict__.update(more)

    def __call__(self):
        return self.values

    def make(self):
        return self.values


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("values",)

    def __init__(self, values):
        self.values = values

    def __call__(self):
        return self.values


@dataclass
class Fields:
    """An object with fields."""

    values: np.ndarray
    more: dict = field(default_factory=lambda: {"scale": (1.5, None), "names": {"b", "a"}})

    def __call__(self):
        return self.values


def make(values):
    return values


WAYS = {
    "object": Held,
    "slots": Slotted,
    "dataclass": Fields,
    "method": lambda values: Held(values).make,
    "method of numpy": lambda values: values.copy,
    "partial": lambda values: functools.partial(make, values),
    "object of C": lambda values: operator.itemgetter(float(values[0, 0])),
    "object in a partial": lambda values: functools.partial(make, Held(values)),
    "object in an object": lambda values: Held([Held(values)]),
}


@pytest.mark.parametrize("way", WAYS)
def test_fingerprint_covers_the_state_of_a_callable(way):
    one, other = np.zeros((2, 3)), np.ones((2, 3))
    notes = Notes()
    known = fingerprint(WAYS[way](one), notes)
    assert known == fingerprint(WAYS[way](one.copy()), notes)
    assert known != fingerprint(WAYS[way](other), notes)
    assert not notes.unclear


def test_paths_in_a_state_count_as_files(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    before = fingerprint(Held(path)), fingerprint(Held(tmp_path))
    path.write_bytes(b"other")
    (tmp_path / "another").touch()
    assert fingerprint(Held(path)) != before[0]
    assert fingerprint(Held(tmp_path)) == before[1]  # results may be written to a folder


def endless():
    """Return an object that holds itself."""
    held = Held(None)
    held.values = held
    return held


@pytest.mark.parametrize(
    "source",
    [Held(threading.Lock()), endless(), Held(np.array([{}]))],
    ids=["lock", "endless", "objects"],
)
def test_unclear_state_is_named(source):
    notes = Notes()
    assert fingerprint(source, notes) == fingerprint(source)
    assert notes.unclear == {f"{type(source).__module__}.{type(source).__qualname__}"}


def test_shared_values_are_read_once(monkeypatch):
    hashed = []
    real = fingerprints._of_array
    monkeypatch.setattr(fingerprints, "_of_array", lambda v: hashed.append(1) or real(v))
    store, notes = {f"i{n}": np.ones((2, 3)) for n in range(20)}, Notes()
    known = {fingerprint(Held(store, image=image), notes) for image in store}
    assert len(known) == 20
    assert len(hashed) == 20


def test_fingerprint_of_a_function_covers_name_and_code():
    notes = Notes()
    assert fingerprint(make, notes).startswith(f"function {__name__}.make ")
    assert fingerprint(Held.make, notes).startswith(f"function {__name__}.Held.make ")
    assert fingerprint(np.ones, notes).startswith("function numpy.ones ")
    assert not notes.unclear


def with_maps(make_map):
    """Return three cases, each with a map of an object of one class."""
    maps = [np.random.default_rng([7, number]).random(SHAPE) for number in range(3)]
    return [
        replace(case, maps={"mine": make_map(values)})
        for case, values in zip(make_cases(3), maps, strict=True)
    ]


def test_resume_detects_another_state(tmp_path):
    gazesal.evaluate(with_maps(Held), sigma=SIGMA, checkpoint=tmp_path)
    other = with_maps(lambda values: Held(1 - values))
    got = gazesal.evaluate(other, sigma=SIGMA, checkpoint=tmp_path)
    assert table_bytes(got) == table_bytes(gazesal.evaluate(other, sigma=SIGMA))


def test_unclear_state_warns_once(tmp_path):
    cases = with_maps(lambda values: Held(values, lock=threading.Lock()))
    with pytest.warns(UserWarning, match=r"every change of .*\.Held: objects") as found:
        gazesal.evaluate(cases, sigma=SIGMA, checkpoint=tmp_path)
    assert len(found) == 1
    gazesal.evaluate(cases, sigma=SIGMA)  # no warning without a checkpoint


def test_resume_with_another_version_of_pot_raises(tmp_path):
    pytest.importorskip("ot")
    options = {"sigma": SIGMA, "metrics": ["emd"], "shrink": 8, "checkpoint": tmp_path}
    gazesal.evaluate(make_cases(3), **options)
    path = tmp_path / "checkpoint.json"
    path.write_text(path.read_text().replace('"POT": "', '"POT": "0.'))
    with pytest.raises(ValueError, match=r"differs in POT \('0\."):
        gazesal.evaluate(make_cases(3), **options)


POINTS = np.array([[3.0, 4.0], [5.0, 6.0]])
OF_GAZE = {
    "points": POINTS + 1,
    "durations": np.array([1.0, 2.0]),
    "sigma": np.full((2, 2), 2.0),
    "visible": np.array([[0.0, 0.0, 9.0, 9.0]] * 2),
}
OF_CASE = {
    "image": "other",
    "shape": (SHAPE[0] + 1, SHAPE[1]),
    "gaze": {"ann": np.ones(SHAPE)},
    "maps": {"noise": np.ones(SHAPE)},
    "box": (1.0, 1.0, 9.0, 9.0),
    "center_bias": np.ones(SHAPE),
    "gaze_map": np.ones(SHAPE),
    "regions": {"lesion": np.eye(*SHAPE)},
    "area": np.eye(*SHAPE),
}
NOT_SCORED_FROM = {"scored", "groups", "picture"}


def mark_of(case):
    """Return the fingerprint of the input of an image's scores."""
    return image_fingerprint(case, gaze_fingerprint(case))


def test_every_field_of_gaze_is_part_of_its_fingerprint():
    gaze = gazesal.Gaze(points=POINTS, durations=np.ones(2))
    assert {each.name for each in fields(gaze)} == set(OF_GAZE)
    known = {fingerprint(gaze)} | {
        fingerprint(replace(gaze, **{name: value})) for name, value in OF_GAZE.items()
    }
    assert len(known) == 1 + len(OF_GAZE)


def test_every_field_of_a_case_is_part_of_its_fingerprint():
    case = make_cases(1)[0]
    assert {each.name for each in fields(case)} == {*OF_CASE, *NOT_SCORED_FROM}
    known = {mark_of(case)} | {
        mark_of(replace(case, **{name: value})) for name, value in OF_CASE.items()
    }
    assert len(known) == 1 + len(OF_CASE)
    for name, value in {"groups": {"half": "c"}, "picture": Path("a.png")}.items():
        assert mark_of(replace(case, **{name: value})) == mark_of(case)


def test_names_and_order_of_maps_and_observers_are_part_of_the_fingerprint():
    case = make_cases(1)[0]
    gaze = dict(reversed(case.gaze.items()))
    named = {"maps": {"other": case.maps["noise"]}, "gaze": gaze}
    known = {mark_of(case)} | {
        mark_of(replace(case, **{name: value})) for name, value in named.items()
    }
    assert len(known) == 3


def test_shape_and_type_of_an_array_are_part_of_its_fingerprint():
    array = np.arange(6.0)
    arrays = [array, array.reshape(2, 3), array.reshape(3, 2), array.view(np.int64)]
    assert len(set(map(fingerprint, arrays))) == len(arrays)


def test_time_and_size_of_a_file_are_part_of_its_fingerprint(tmp_path):
    path = tmp_path / "map.npy"
    path.write_bytes(b"one")
    os.utime(path, ns=(5, 5))
    known = [fingerprint(path)]
    path.write_bytes(b"two")
    os.utime(path, ns=(6, 6))
    known.append(fingerprint(path))
    path.write_bytes(b"three")
    os.utime(path, ns=(6, 6))
    known.append(fingerprint(path))
    path.unlink()
    known.append(fingerprint(path))
    assert len(set(known)) == 4


def test_resume_detects_another_center_bias_of_an_image(tmp_path):
    own = [np.random.default_rng([9, k]).random(SHAPE) for k in range(3)]
    cases = [replace(case, center_bias=bias) for case, bias in zip(make_cases(3), own, strict=True)]
    gazesal.evaluate(cases, sigma=SIGMA, checkpoint=tmp_path)
    cases[1] = replace(cases[1], center_bias=own[1][::-1].copy())
    got = gazesal.evaluate(cases, sigma=SIGMA, checkpoint=tmp_path)
    assert table_bytes(got) == table_bytes(gazesal.evaluate(cases, sigma=SIGMA))
