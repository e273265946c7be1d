"""What users import: every public function and class, by the module it is imported from."""

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import gazesal.adapters
import gazesal.cxr

NAMESPACES = (
    "stats",
    "plots",
    "compat",
    "regions",
    "datasets",
    "reporting",
    "cxr",
    "adapters",
    "cite",
)
# a module that needs one of them is left out without it
OPTIONAL = {"torch", "torchmetrics", "lightning", "kornia", "tensorboard"}


@cache
def public_modules():
    """Names of the modules that users import from."""
    adapters = [
        f"gazesal.adapters.{found.name}"
        for found in pkgutil.iter_modules(gazesal.adapters.__path__)
        if not found.name.startswith("_")
    ]
    chest = [
        f"gazesal.cxr.{found.name}"
        for found in pkgutil.iter_modules(gazesal.cxr.__path__)
        if found.ispkg
    ]
    return ("gazesal", *(f"gazesal.{name}" for name in NAMESPACES), *chest, *adapters)


@cache
def public_objects():
    """Pairs of the name that is imported and the function or class; each object once."""
    found = {}
    for name in public_modules():
        module = _import(name)
        for short in getattr(module, "__all__", ()):
            thing = _get(module, short)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found.setdefault(thing, f"{name}.{short}")
    return tuple((name, thing) for thing, name in found.items())


def public(name):
    """Return a public function, class or method by its name without the module."""
    first, *rest = name.split(".")
    (thing,) = (each for dotted, each in public_objects() if dotted.endswith(f".{first}"))
    for part in rest:
        thing = getattr(thing, part)
    return thing


def _import(name):
    """The module, or ``None`` where an optional library that it needs is absent."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        return None


def _get(module, name):
    """Return an attribute of a module, or None if it needs an absent optional library."""
    try:
        return getattr(module, name)
    except ImportError as error:
        if not lacks_optional(error):
            raise
        return None


def lacks_optional(error):
    """Return whether an import failed because an optional library is absent."""
    return (error.__cause__ or error).name in OPTIONAL
