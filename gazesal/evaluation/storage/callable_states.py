"""State of functions, models and tables, as values of which fingerprints can be made.

`joblib.hash` does not replace this module. It hashes an importable function by its name, so an
edit of its code, of a global that it reads or of a model behind that global goes unnoticed, and a
resumed run would return the scores of the old maps. It raises an error for lambdas, closures and
functions defined in functions, which are the usual way to give a model to a case. Pickling
functions by value does not help, because the bytes differ between processes.
"""

import dis
import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["as_values", "is_model", "state_of_class", "state_of_function", "state_of_model"]

# Folders of code that counts as unchanged in every run: installed packages, and this one.
LIBRARIES = (
    *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib")),
    str(Path(__file__).resolve().parents[2]) + os.sep,
    "<frozen",
)
KEPT_BY_TORCH = {"_parameters", "_buffers", "_modules", "_compiled_call_impl"}
HOOKS_THAT_CHANGE_OUTPUT = {"_forward_hooks", "_forward_pre_hooks"}


def state_of_function(function: FunctionType) -> Iterator[Any]:
    """Yield the values that a function uses: variables around it, defaults, code and globals."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # the variable has no value yet
            yield "empty cell"
    yield from function.__defaults__ or ()
    for name, value in (function.__kwdefaults__ or {}).items():
        yield name
        yield value
    code = function.__code__
    if code.co_filename.startswith(LIBRARIES):
        return
    constants, names, attributes = _facts_of_code(code)
    yield from constants
    for name in names:
        value = function.__globals__.get(name)
        if not isinstance(value, ModuleType):
            yield name
            yield value
        elif not _is_of_library(value):  # a module of the user, such as models.net
            for attribute in attributes:
                if attribute in vars(value):
                    yield f"{name}.{attribute}"
                    yield vars(value)[attribute]


def state_of_class(of: type) -> Iterator[Any]:
    """Yield functions and values of a class and its bases, except bases in libraries."""
    for base in of.__mro__:
        module = sys.modules.get(base.__module__)
        if module is not None and _is_of_library(module):
            continue
        for name, value in vars(base).items():
            plain = getattr(value, "__func__", getattr(value, "fget", value))
            # Names with two underscores are set by Python, unless they are methods like __call__.
            if isinstance(plain, FunctionType) or not name.startswith(("__", "_abc_")):
                yield name
                yield plain


def _is_of_library(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None) or ""
    return module.__name__ in sys.builtin_module_names or file.startswith(LIBRARIES)


@lru_cache(maxsize=4096)
def _facts_of_code(code: CodeType) -> tuple[tuple[Any, ...], tuple[str, ...], tuple[str, ...]]:
    """Return instructions and constants, names of globals and names of attributes.

    Functions defined within the code are included.
    """
    facts: list[Any] = [code.co_code, " ".join(code.co_names + code.co_varnames)]
    used = list(dis.get_instructions(code))
    names = {each.argval for each in used if each.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    attributes = set(code.co_names) - names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = _facts_of_code(constant)
            facts += inner[0]
            names |= set(inner[1])
            attributes |= set(inner[2])
        else:
            facts.append(constant)
    return tuple(facts), tuple(sorted(names)), tuple(sorted(attributes))


def is_model(value: Any) -> bool:
    """Return whether a value is a module of torch, without importing torch."""
    return all(
        callable(getattr(value, name, None))
        for name in ("named_modules", "named_parameters", "named_buffers")
    ) and not isinstance(value, type)


def state_of_model(model: Any) -> Iterator[Any]:
    """Yield the values that a module of torch uses: weights, statistics, modes, attributes."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        yield name
        yield tensor
    for name, module in model.named_modules():
        yield name
        yield type(module)
        for attribute, value in sorted(vars(module).items()):
            if attribute in HOOKS_THAT_CHANGE_OUTPUT:  # their keys differ between runs
                yield from value.values()
            elif attribute not in KEPT_BY_TORCH and "hook" not in attribute:
                yield attribute
                yield value


def as_values(value: Any) -> tuple[Any, ...] | None:
    """Return a tensor or table as plain values and arrays, None if it has no such form."""
    try:
        if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
            hashed = pd.util.hash_pandas_object(value, index=True)
            labels = list(value.columns) if isinstance(value, pd.DataFrame) else [value.name]
            return type(value), str(labels), np.asarray(hashed)
        if hasattr(value, "detach"):
            plain = value.detach().cpu()
            try:
                array = plain.numpy()
            except TypeError:  # a type such as bfloat16, which float32 holds exactly
                array = plain.float().numpy()
            return str(value.dtype), array
        array = np.asarray(value)
    except (AttributeError, RuntimeError, TypeError, ValueError):  # as several libraries raise
        return None
    return None if array.dtype.hasobject else (type(value), array)
