"""Fingerprints cover everything that functions and objects use to make maps."""

import functools
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.evaluation.storage.callable_states import LIBRARIES
from gazesal.evaluation.storage.fingerprints import Notes, fingerprint


def make(values):
    return values


class Held:
    """An object that holds a map."""

    def __init__(self, values, **more):
        self.values = values
        self.__dict__.update(more)

    def __call__(self):
        return self.values

    def make(self):
        return self.values


GLOBAL = Held(np.zeros((2, 3)))


def of_global():
    return GLOBAL()


def helper():
    return of_global()


class OfGlobal:
    """An object whose method reads a global."""

    def __call__(self):
        return self.help()

    def help(self):
        return GLOBAL()


class OfClass:
    """An object whose class holds the map."""

    held = GLOBAL

    def __call__(self):
        return self.held()

    @classmethod
    def make(cls):
        return cls.held()


def closure(held):
    return lambda: 2 * held()


def nested(held):
    def outer():
        return [2 * held() for _ in range(2)]

    return outer


def default(held):
    def explain(held=held):
        return held()

    return explain


def keyword(held):
    def explain(*, held=held):
        return held()

    return explain


def cached(held):
    @functools.cache
    def explain():
        return held()

    return explain


def wrapped(held):
    @functools.wraps(make)
    def explain():
        return held()

    return explain


def recursive(held):
    def explain(n=1):
        return explain(n - 1) if n else held()

    return explain


FUNCTIONS = {
    "closure": closure,
    "nested function": nested,
    "default": default,
    "keyword default": keyword,
    "cached": cached,
    "wrapped": wrapped,
    "recursive": recursive,
    "partial of a closure": lambda held: functools.partial(closure(held)),
    "method of an object": lambda held: Held(held).make,
    "closure in an object": lambda held: Held(closure(held)),
    "closure in a closure": lambda held: closure(closure(held)),
    "global": lambda _: of_global,
    "global of a function that it calls": lambda _: helper,
    "global in a method": lambda _: OfGlobal(),
    "attribute of the class": lambda _: OfClass(),
    "method of the class": lambda _: OfClass.make,
}


@pytest.mark.parametrize("way", FUNCTIONS)
def test_fingerprint_covers_values_that_a_function_uses(way):
    """An example is a model in a closure whose weights change between two runs."""
    notes = Notes()
    GLOBAL.values = np.zeros((2, 3))
    first = fingerprint(FUNCTIONS[way](GLOBAL), notes)
    assert first == fingerprint(FUNCTIONS[way](GLOBAL), Notes())
    GLOBAL.values = np.ones((2, 3))
    assert first != fingerprint(FUNCTIONS[way](GLOBAL), Notes())
    assert not notes.unclear


class Maps(Held):
    """Maps by image from an object of the user."""

    def __getitem__(self, image):
        return self.values


def test_fingerprint_of_a_map_item_covers_image_and_state():
    def known(values, image="a", **more):
        return fingerprint(gazesal.datasets.MapItem(Maps(values, **more), image), notes)

    notes = Notes()
    assert known(np.zeros(3)) == known(np.zeros(3))
    found = [known(np.zeros(3)), known(np.ones(3)), known(np.zeros(3), "b")]
    found += [known(np.zeros(3), fingerprint="mine"), known(np.zeros(3), fingerprint="other")]
    assert len(set(found)) == 5
    assert known(np.zeros(3), fingerprint="mine") == known(np.ones(3), fingerprint="mine")
    assert not notes.unclear


def test_path_in_a_text_counts_as_a_file(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"one")
    sources = {
        "closure": closure(str(path)),
        "partial": functools.partial(make, str(path)),
        "object": Held(str(path)),
    }
    before = {name: fingerprint(source) for name, source in sources.items()}
    path.write_bytes(b"other")
    assert all(fingerprint(source) != before[name] for name, source in sources.items())
    assert fingerprint(Held("a\0b")) != fingerprint(Held("a\0c"))


def test_fingerprint_covers_attributes_of_user_modules(monkeypatch):
    module = ModuleType("models_of_ones_own")
    module.net, module.unused = Held(np.zeros(3)), threading.Lock()
    monkeypatch.setitem(globals(), "models", module)

    def explain():
        return models.net()  # noqa: F821 (a global, as after `import models`)

    notes = Notes()
    before = fingerprint(explain, notes)
    assert fingerprint(explain, Notes()) == before
    module.net.values = np.ones(3)
    assert fingerprint(explain, Notes()) != before
    assert not notes.unclear


def test_fingerprint_covers_the_code_of_a_function():
    known = {fingerprint(each) for each in (lambda: 1, lambda: 2, lambda: (1, 2), lambda: [1, 2])}
    assert len(known) == 4


@pytest.mark.parametrize("way", ["closure", "default", "nested function", "cached"])
def test_unclear_values_of_a_function_are_named(way):
    notes, held = Notes(), Held(threading.Lock())
    source = FUNCTIONS[way](held)
    first = fingerprint(source, notes)
    assert len(notes.unclear) == 1
    assert way.partition(" ")[0] in notes.unclear.pop() or way == "nested function"
    held.more = np.ones(3)  # the rest of the state still counts
    assert fingerprint(source, Notes()) != first


def test_shared_unclear_value_is_named_with_every_source():
    notes, held = Notes(), Held(threading.Lock())
    for way in ("closure", "default"):
        fingerprint(FUNCTIONS[way](held), notes)
    assert len(notes.unclear) == 2


def test_fingerprint_of_a_table_covers_index_columns_and_values():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    others = [table.assign(a=[1, 3]), table.rename(columns={"a": "c"}), table.set_index("b")]
    others += [table["a"], table["a"].rename("b"), table.index, table.astype({"a": float})]
    known = {fingerprint(closure(each)) for each in (table, table.copy(), *others)}
    assert len(known) == 1 + len(others)


@pytest.mark.parametrize("as_given", [str, Path], ids=["text", "path"])
def test_path_of_a_folder_is_named(tmp_path, as_given):
    notes = Notes()
    fingerprint(closure(as_given(tmp_path)), notes)
    assert notes.unclear == {f"{__name__}.closure.<locals>.<lambda>"}


def test_text_without_separator_is_not_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    notes = Notes()
    for text in ("data", "/", "", "a/b\0c"):
        fingerprint(closure(text), notes)
    assert not notes.unclear


def test_code_of_this_library_counts_as_unchanged():
    assert gazesal.read_map.__code__.co_filename.startswith(LIBRARIES)
