"""Every public object has a complete numpydoc docstring."""

import dataclasses
import inspect

import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate

import gazesal

# What is not asked for: an extended summary, examples of methods and results, "See Also" and its
# descriptions, a description of the module, and a blank line style.
NOT_ASKED = {"ES01", "EX01", "SA01", "SA04", "GL01", "GL08", "YD01", "RT02"}


def fields_of(thing):
    """Names of the fields of a dataclass or named tuple, else none."""
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    return list(getattr(thing, "_fields", ()))


def public_names():
    """Dotted names of public functions, classes, and the public methods of classes."""
    for name in gazesal.__all__:
        thing = getattr(gazesal, name)
        if not callable(thing):
            continue
        path = f"{thing.__module__}.{thing.__qualname__}"
        yield path
        if inspect.isclass(thing) and not issubclass(thing, (Warning, tuple)):
            for member, method in vars(thing).items():
                if not member.startswith("_") and inspect.isfunction(method):
                    yield f"{path}.{member}"


@pytest.mark.parametrize("name", list(public_names()))
def test_docstring_is_complete(name):
    allowed = set(NOT_ASKED)
    thing = getattr(gazesal, name.rpartition(".")[2], None)
    if inspect.isclass(thing) and fields_of(thing):
        allowed.add("PR01")  # fields stand under Attributes, see below
    assert [error for error in validate(name)["errors"] if error[0] not in allowed] == []


@pytest.mark.parametrize(
    "name", [name for name in gazesal.__all__ if fields_of(getattr(gazesal, name))]
)
def test_every_field_is_documented(name):
    thing = getattr(gazesal, name)
    documented = {
        part.strip()
        for parameter in ClassDoc(thing, config={"show_class_members": False})["Attributes"]
        for part in parameter.name.split(",")
    }
    assert set(fields_of(thing)) <= documented


def test_an_incomplete_docstring_is_seen():
    """The check itself can fail: a kernel's short docstring has no sections."""
    errors = {code for code, _ in validate("gazesal.kernels.moments.total")["errors"]}
    assert "PR01" in errors - NOT_ASKED


def test_public_functions_have_an_example():
    functions = [getattr(gazesal, name) for name in gazesal.__all__]
    lacking = [f.__name__ for f in functions if inspect.isfunction(f) and ">>> " not in f.__doc__]
    assert lacking == []
