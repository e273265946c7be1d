"""Every public object has a complete numpydoc docstring and a place in the reference."""

import ast
import dataclasses
import inspect
import math
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import validate

import gazesal
import gazesal.adapters
import gazesal.cxr
from tests.public_api import lacks_optional, public_modules, public_objects

ROOT = Path(__file__).resolve().parents[1]
# What is not asked for: an extended summary, examples of methods and results, "See Also" and its
# descriptions, a description of the module, and a blank line style.
NOT_ASKED = {"ES01", "EX01", "SA01", "SA04", "GL01", "YD01", "RT02"}
# Definitions without an underscore that are not offered: other modules of the library use them.
SHARED_WITHIN = {
    "gazesal.adapters.from_model": {"LazyMap"},
    "gazesal.cxr.images": {"as_bytes"},
    "gazesal.cxr.lung_hull": {"read_hull", "require_skimage"},
    "gazesal.cxr.preprocessing": {"padded_square", "side_of_square"},
}
# Where no value is that of chance, the docstring has to say so.
WITHOUT_CHANCE = "no level of chance"
WITHOUT_CHANCE_LEVEL = {"mit_ig", "mit_kl", "mit_sim", "pysaliency_kl"}
OTHER_PEOPLES = list(gazesal.compat.COMPAT_METRICS)
SHOWN_ONLY = {
    "gazesal.adapters.other_cams.maps_from_grad_cam_package",
    "gazesal.adapters.other_cams.maps_from_torch_cam",
}
OBJECTS = dict(public_objects())
BY_NAME = pytest.mark.parametrize(("name", "thing"), OBJECTS.items(), ids=list(OBJECTS))


def fields_of(thing):
    """Names of the fields of a dataclass or named tuple, else none."""
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    return list(getattr(thing, "_fields", ()))


def documented():
    """Public objects and their methods, by the dotted name of where they are defined."""
    found = {}
    for thing in OBJECTS.values():
        path = f"{thing.__module__}.{thing.__qualname__}"
        found[path] = thing
        if inspect.isclass(thing) and not issubclass(thing, Warning | tuple):
            for name, member in vars(thing).items():
                if not name.startswith("_") and inspect.isfunction(member):
                    found[f"{path}.{name}"] = member
    return found


@pytest.mark.parametrize(("name", "thing"), documented().items(), ids=list(documented()))
def test_docstring_is_complete(name, thing):
    allowed = set(NOT_ASKED)
    if inspect.isclass(thing) and fields_of(thing):
        allowed.add("PR01")  # fields stand under Attributes, see below
    errors = [error for error in validate(name)["errors"] if error[0] not in allowed]
    # "**kwargs" is documented without its type
    assert [error for error in errors if error[0] != "PR02" or "kwargs" not in error[1]] == []


@BY_NAME
def test_every_field_is_documented(name, thing):
    if not inspect.isclass(thing) or not fields_of(thing):
        assert thing.__doc__
        return
    attributes = {
        part.strip()
        for parameter in ClassDoc(thing, config={"show_class_members": False})["Attributes"]
        for part in parameter.name.split(",")
    }
    assert set(fields_of(thing)) <= attributes


@BY_NAME
def test_every_property_and_alternative_constructor_has_a_docstring(name, thing):
    members = vars(thing).items() if inspect.isclass(thing) else ()
    lacking = [
        member
        for member, value in members
        if not member.startswith("_")
        and isinstance(value, property | classmethod | staticmethod)
        and not inspect.getdoc(getattr(thing, member))
    ]
    assert lacking == []


def test_an_incomplete_docstring_is_seen():
    """The check itself can fail: a kernel's short docstring has no sections."""
    errors = {code for code, _ in validate("gazesal.kernels.moments.total")["errors"]}
    assert "PR01" in errors - NOT_ASKED


@BY_NAME
def test_a_function_has_an_example(name, thing):
    if inspect.isfunction(thing):
        # examples of packages that only an environment of their own has are shown and not run
        sign = "Examples\n    ----" if name in SHOWN_ONLY else ">>> "
        assert sign in thing.__doc__


def in_the_reference():
    """Names that the page of the reference lists, by the module it says they are imported from."""
    text = (ROOT / "docs" / "reference" / "index.rst").read_text("utf-8")
    # the page includes the metrics, which are listed from the registry
    found, module, inside = {"gazesal": list(gazesal.METRICS)}, None, False
    for line in text.splitlines():
        if changed := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = changed[1]
        if line and not line.startswith(" "):
            inside = line.startswith(".. autosummary::")
        if constant := re.match(r"\.\. py:data:: (\w+)", line):
            found.setdefault(module, []).append(constant[1])
        elif inside and (name := re.match(r"   (\w+)$", line)):
            found.setdefault(module, []).append(name[1])
    return found


def test_the_reference_lists_everything_public_once_and_nothing_else():
    listed = in_the_reference()
    every = [name for names in listed.values() for name in names]
    assert len(every) == len(set(every)), "a name is listed twice"
    there = {f"{module}.{name}" for module, names in listed.items() for name in names}
    gone = [name for name in there if not hasattr_of(name)]
    assert gone == []
    public = {name.rpartition(".")[2] for name in OBJECTS} | constants()
    assert public - set(every) == set()


def constants():
    """Return the public names that are neither functions, classes nor types."""
    return {
        name
        for module in (
            "gazesal",
            "gazesal.cite",
            "gazesal.compat",
            "gazesal.cxr",
            "gazesal.datasets",
        )
        for name in import_module(module).__all__
        if name.isupper() or name == "__version__"
    }


def metric_function(name):
    """Return a metric of the library or of other code by its name."""
    return getattr(gazesal.compat if name in OTHER_PEOPLES else gazesal, name)


def hasattr_of(dotted):
    """Return whether a listed name can be imported. Trust modules that need an absent library."""
    module, _, name = dotted.rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ImportError as error:
        return lacks_optional(error)


def test_every_module_users_import_from_is_on_the_page():
    offering = {name.rpartition(".")[0] for name in OBJECTS}
    assert offering <= set(in_the_reference()) <= set(public_modules())


@pytest.mark.parametrize("name", [*gazesal.METRICS, *OTHER_PEOPLES])
def test_a_metric_has_its_equation_and_its_source(name):
    text = inspect.getdoc(metric_function(name))
    assert ".. math::" in text
    assert ":footcite:" in text


@pytest.mark.parametrize("name", [*gazesal.METRICS, *OTHER_PEOPLES])
def test_a_metric_says_its_shapes_errors_direction_and_chance(name):
    document = FunctionDoc(metric_function(name))
    assert document["Raises"]
    assert all(
        "shape (" in parameter.type
        for parameter in document["Parameters"]
        if parameter.type.startswith("array_like")
    )
    returned = " ".join(" ".join(each.desc) for each in document["Returns"])
    assert re.search(r"(higher|lower) is better", returned)
    metric = gazesal.METRICS.get(name)
    none_there = name in WITHOUT_CHANCE_LEVEL if metric is None else math.isnan(metric.chance)
    assert (WITHOUT_CHANCE in returned) == none_there
    assert re.search(r"\bchance\b", returned, re.IGNORECASE)


def modules_that_offer():
    """The syntax tree of each module below `adapters` and `cxr` that users may import, by name."""
    found = {}
    for package in (gazesal.adapters, gazesal.cxr):
        names = [each.name for each in pkgutil.iter_modules(package.__path__)]
        for name in ("__init__", *(name for name in names if not name.startswith("_"))):
            path = Path(package.__file__).parent / name
            path = path / "__init__" if path.is_dir() else path
            stub = path.with_suffix(".pyi")
            path = stub if stub.is_file() else path.with_suffix(".py")
            dotted = package.__name__ + ("" if name == "__init__" else f".{name}")
            found[dotted] = ast.parse(path.read_text("utf-8"))
    return found


def listed_and_defined(tree):
    """Return the names in `__all__`, None without one, and the public definitions."""
    listed = None
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            listed = set(ast.literal_eval(node.value))
        elif isinstance(node, ast.ImportFrom) and node.level == 1:  # in a stub
            listed = {*(listed or ()), *(each.name for each in node.names)}
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    defined = {node.name for node in tree.body if isinstance(node, kinds)}
    return listed, {name for name in defined if not name.startswith("_")}


@pytest.mark.parametrize(("name", "tree"), modules_that_offer().items(), ids=modules_that_offer())
def test_a_public_module_lists_what_it_defines(name, tree):
    """A name outside `__all__` has no page in the reference and no test of its docstring."""
    listed, defined = listed_and_defined(tree)
    assert listed
    assert defined - listed == SHARED_WITHIN.get(name, set())


def test_unlisted_names_are_found():
    assert listed_and_defined(ast.parse("def f(): pass")) == (None, {"f"})
    assert listed_and_defined(ast.parse("__all__ = ['f']\nclass G: pass")) == ({"f"}, {"G"})


def test_a_missing_docstring_of_a_method_is_found():
    errors = {code for code, _ in validate(f"{__name__}.Undocumented.method")["errors"]}
    assert errors - NOT_ASKED


class Undocumented:
    def method(self):
        pass


def test_a_metric_has_a_row_in_the_guide_to_choosing_one():
    text = (ROOT / "docs" / "choosing_a_metric.md").read_text("utf-8")
    rows = "".join(line for line in text.splitlines() if line.startswith("|"))
    assert [name for name in gazesal.METRICS if f"<gazesal.{name}>`" not in rows] == []
