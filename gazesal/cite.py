"""BibTeX for what was used: ``python -m gazesal.cite sncc nss``.

The keys come from the docstrings and from the registry of metrics, the entries from the one
bibliography that the documentation is built with. Sources are read and not imported, so that
functions which need an extra can be cited where it is absent.
"""

import ast
import difflib
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

import click

from gazesal.metrics.registry import METRICS

__all__ = ["citable", "cite"]

OWN_KEY = "gazesal"
# What users import from, beside the modules of `gazesal.adapters` and packages of `gazesal.cxr`;
# other `__all__` are internal.
PUBLIC_MODULES = {
    "gazesal",
    "gazesal.cite",
    "gazesal.compat",
    "gazesal.cxr",
    "gazesal.datasets",
    "gazesal.plots",
    "gazesal.reporting",
    "gazesal.stats",
}
ALIKE = 0.7  # share of letters in common; at difflib's 0.6 "nosuch" reads like "sauc"
CITED = re.compile(r":footcite:[a-z]+:`([^`]+)`")


def cite(*names: str) -> str:
    """Give the BibTeX entries of what functions and classes go back to.

    Parameters
    ----------
    *names : str
        Public functions, classes or methods, as ``"sncc"``, ``"gazesal.sncc"`` or
        ``"KdeCenterBias.fit"``. A class brings the sources of its methods, a method those of its
        class. ``"gazesal"`` is the library, whose entry is there in any case.

    Returns
    -------
    str
        BibTeX: first the entry of this library with the version that is installed, then those of
        the sources, each once and under a comment that says what it is for. Without a name, the
        entry of the library alone.

    Raises
    ------
    ValueError
        If a name is not public; the message names those that read alike.

    See Also
    --------
    citable : All names and the keys of their sources.

    Notes
    -----
    On the command line, ``python -m gazesal.cite sncc evaluate`` prints the same, and ``--all`` the
    whole bibliography.

    Examples
    --------
    >>> from gazesal.cite import cite
    >>> print(cite("snss").partition("% ")[2])  # doctest: +ELLIPSIS
    snss
    @article{gide2016,
      author = {Gide, Milind S. and Karam, Lina J.},
    ...
      doi = {10.1109/TIP.2016.2577498}
    }
    """
    wanted: dict[str, list[str]] = {}
    for name in names:
        for key in _keys_of(name):
            users = wanted.setdefault(key, [])
            if name not in users:
                users.append(name)
    entries = bibliography()
    cited = [f"% {', '.join(users)}\n{entries[key]}" for key, users in wanted.items()]
    return "\n\n".join([entries[OWN_KEY], *cited])


def citable() -> dict[str, tuple[str, ...]]:
    """List what can be cited, and the keys of its sources.

    Returns
    -------
    dict of str to tuple of str
        For each public function and class, and each method that names a source of its own, the
        keys in the order in which the docstring names them; empty where there is none beside this
        library.

    Examples
    --------
    >>> from gazesal.cite import citable
    >>> citable()["ncc"]
    ('bylinskii2019', 'bigolin2021')
    """
    return dict(_sources())


def bibliography() -> dict[str, str]:
    """Entries of the bibliography by key, this library's first and with its version."""
    text = (files("gazesal") / "references.bib").read_text(encoding="utf-8")
    entries = {}
    for entry in re.split(r"\n+(?=@)", text.strip()):
        found = re.match(r"@\w+\{([^,\s]+),\n", entry)
        if found is None:
            raise RuntimeError(f"references.bib has an entry without a key: {entry[:60]!r}.")
        if found[1] in entries:
            raise RuntimeError(f"references.bib has two entries {found[1]!r}.")
        if found[1] == OWN_KEY:
            line = f"  version = {{{version('gazesal')}}},\n"
            entry = entry[: found.end()] + line + entry[found.end() :]  # noqa: PLW2901
        entries[found[1]] = entry
    return entries


def _keys_of(name: str) -> tuple[str, ...]:
    """Keys of one name, which may be dotted."""
    sources = _sources()
    parts = name.strip().removesuffix("()").split(".")
    if parts == [OWN_KEY]:
        return ()
    for start in range(len(parts)):
        short = ".".join(parts[start:])
        if start and short.split(".")[0] not in _offered_by(".".join(parts[:start])):
            continue
        if short in sources:
            return sources[short]
        holder, _, method = short.rpartition(".")
        if holder in sources and method in _methods().get(holder, ()):
            return sources[holder]
    if parts[-1] in _public_names() and parts[-1] not in sources:
        raise ValueError(
            f"`names` must be public functions or classes, got {name!r}, which is neither; ask for "
            "those that you used."
        )
    lower = [each.lower() for each in sources]
    close = difflib.get_close_matches(parts[-1].lower(), lower, n=4, cutoff=ALIKE)
    alike = [each for each in sources if each.lower() in close]
    advice = f"; did you mean {' or '.join(map(repr, alike))}?" if alike else "."
    raise ValueError(f"`names` must be public functions or classes, got {name!r}{advice}")


@cache
def _sources() -> dict[str, tuple[str, ...]]:
    """Keys by name, of functions, classes and the methods that cite."""
    public = _public_names()
    found: dict[str, tuple[str, ...]] = {}
    for _, tree in _modules():
        own = _listed(tree)
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            if node.name not in public or node.name not in own:
                continue
            keys = [METRICS[node.name].citation] if node.name in METRICS else []
            keys += _cited(node)
            if isinstance(node, ast.ClassDef):
                for method in _public_methods(node):
                    of_method = _cited(method)
                    if of_method:
                        both = dict.fromkeys([*of_method, *_cited(node)])
                        found[f"{node.name}.{method.name}"] = tuple(both)
                    keys += of_method
            found[node.name] = tuple(dict.fromkeys(keys))
    return dict(sorted(found.items()))


@cache
def _offered_by(module: str) -> frozenset[str]:
    """Names that can be imported from a module of this library, none if it is not one."""
    trees = dict(_modules())
    if module not in trees:
        return frozenset()
    return frozenset(_listed(trees[module]))


@cache
def _methods() -> dict[str, tuple[str, ...]]:
    """Public methods of every class."""
    return {
        node.name: tuple(method.name for method in _public_methods(node))
        for _, tree in _modules()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _public_methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    functions = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    return [each for each in functions if not each.name.startswith("_")]


def _cited(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    """Keys that a docstring cites, in order."""
    text = ast.get_docstring(node) or ""
    return [key.strip() for group in CITED.findall(text) for key in group.split(",")]


@cache
def _public_names() -> frozenset[str]:
    """Names that users import, from the lists of the modules that they import from."""
    modules = dict(_modules())
    packages = {name.rpartition(".")[0] for name in modules}
    names: set[str] = set()
    for module, tree in modules.items():
        if (
            module in PUBLIC_MODULES
            or module.startswith("gazesal.adapters")
            or (module.startswith("gazesal.cxr.") and module in packages)
        ):
            names |= _listed(tree)
    return frozenset(names)


def _listed(tree: ast.Module) -> set[str]:
    """Return the names that a module lists in `__all__`, or that a stub imports."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {each.name for node in imports if node.level == 1 and node.module for each in node.names}


@cache
def _modules() -> tuple[tuple[str, ast.Module], ...]:
    """Name and syntax tree of every module that may define something public."""
    return tuple(
        (name, ast.parse(source.read_text(encoding="utf-8")))
        for name, source in _walk("gazesal", files("gazesal"))
        if not any(part.startswith("_") for part in name.split("."))
        and name.split(".")[1:2] not in (["cli"], ["kernels"])  # neither is imported by users
    )


def _walk(package: str, folder: Traversable) -> list[tuple[str, Traversable]]:
    """Modules below a package, in the order of their names."""
    found = []
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.is_dir() and (item / "__init__.py").is_file():
            found += _walk(f"{package}.{item.name}", item)
        elif item.name == "__init__.py":
            stub = folder / "__init__.pyi"
            found.append((package, stub if stub.is_file() else item))
        elif item.name.endswith(".py"):
            found.append((f"{package}.{item.name.removesuffix('.py')}", item))
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Print the whole bibliography.")
def main(names: tuple[str, ...], everything: bool) -> None:
    """Print the BibTeX of what NAMES go back to: functions, classes or methods that you used."""
    if everything and names:
        raise click.UsageError("--all prints every entry; give no names with it")
    try:
        click.echo("\n\n".join(bibliography().values()) if everything else cite(*names))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


if __name__ == "__main__":
    main(prog_name="python -m gazesal.cite")
