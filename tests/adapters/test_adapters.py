"""Tests that apply to every adapter."""

import inspect
import subprocess
import sys

import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate

from gazesal import adapters
from tests.test_docstrings import NOT_ASKED, fields_of

OUTSIDE = ["polars", "pymovements", "pysaliency", "torch"]


def test_adapters_do_not_import_the_libraries_they_adapt():
    code = (
        "import sys\n"
        f"for name in {OUTSIDE}: sys.modules[name] = None\n"
        "from gazesal.adapters import fixations_from_pysaliency\n"
        "arrays = {'x': [1.0], 'y': [1.0], 'n': [0], 'subjects': [0]}\n"
        "print(fixations_from_pysaliency(arrays).loc[0, 'x'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0.5"]


FUNCTIONS = [name for name in adapters.__all__ if not inspect.ismodule(getattr(adapters, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_are_complete(name):
    thing = getattr(adapters, name)
    allowed = NOT_ASKED | ({"PR01"} if fields_of(thing) else set())
    errors = validate(f"{thing.__module__}.{name}")["errors"]
    assert [error for error in errors if error[0] not in allowed] == []
    if inspect.isfunction(thing):
        assert ">>> " in thing.__doc__
    else:
        documented = ClassDoc(thing, config={"show_class_members": False})["Attributes"]
        fields = {part.strip() for field in documented for part in field.name.split(",")}
        assert set(fields_of(thing)) <= fields
