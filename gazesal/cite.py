"""Print BibTeX entries for the functions and classes used: ``python -m gazesal.cite sncc nss``.

The field ``usedby`` of each entry in ``references.bib`` lists the public functions, classes and
methods that the entry is a source of. The entry of this library lists the names without another
source. A test compares the lists with the docstrings.
"""

import difflib
import re
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files

import click

__all__ = ["citable", "cite"]

OWN_KEY = "gazesal"
# modules in which methods can be looked up, because they need no extra
WITHOUT_EXTRAS = ("gazesal", "gazesal.stats", "gazesal.datasets")
ALIKE = 0.7  # share of common letters; with difflib's default of 0.6, "nosuch" resembles "sauc"
USED_BY = re.compile(r",\n  usedby = \{([^}]*)\}")


def cite(*names: str) -> str:
    """Return the BibTeX entries of the sources of functions and classes.

    Parameters
    ----------
    *names : str
        Public functions, classes or methods, such as ``"sncc"``, ``"gazesal.sncc"`` or
        ``"KdeCenterBias.fit"``. A class includes the sources of its methods, and a method the
        sources of its class. ``"gazesal"`` is the library, whose entry is always included.

    Returns
    -------
    str
        BibTeX. The entry of this library with the installed version comes first. The entry of each
        source follows once, under a comment with the names that it is for. Without names, only the
        entry of the library is returned.

    Raises
    ------
    ValueError
        If a name is not public. The message lists similar names.

    See Also
    --------
    citable : List all names and the keys of their sources.

    Notes
    -----
    On the command line, ``python -m gazesal.cite sncc evaluate`` prints the same text, and
    ``--all`` prints the whole bibliography.

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
    """List the names that can be cited and the keys of their sources.

    Returns
    -------
    dict of str to tuple of str
        The keys for each public function and class, and for each method with sources of its own,
        in the order of the bibliography. Empty if there is no source except this library.

    Examples
    --------
    >>> from gazesal.cite import citable
    >>> citable()["ncc"]
    ('bigolin2021', 'bylinskii2019')
    """
    found: dict[str, tuple[str, ...]] = {}
    for key, entry in _entries().items():
        listed = USED_BY.search(entry)
        for name in re.findall(r"[\w.]+", listed[1] if listed else ""):
            found[name] = (*found.get(name, ()), *(() if key == OWN_KEY else (key,)))
    return dict(sorted(found.items()))


def bibliography() -> dict[str, str]:
    """Return the BibTeX entries by key, the entry of this library first and with its version."""
    entries = {key: USED_BY.sub("", entry) for key, entry in _entries().items()}
    header, _, fields = entries[OWN_KEY].partition("\n")
    own = f"{header}\n  version = {{{version('gazesal')}}},\n{fields}"
    return {OWN_KEY: own, **{key: text for key, text in entries.items() if key != OWN_KEY}}


@cache
def _entries() -> dict[str, str]:
    """Return the entries of ``references.bib`` by key."""
    text = (files("gazesal") / "references.bib").read_text(encoding="utf-8")
    entries = re.split(r"\n+(?=@)", text.strip())
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in entries}


def _keys_of(name: str) -> tuple[str, ...]:
    """Return the keys of the sources of one name, which may be dotted."""
    short = _without_module(name.strip().removesuffix("()"))
    if short == OWN_KEY:
        return ()
    sources = citable()
    if short in sources:
        return sources[short]
    holder, _, method = short.rpartition(".")
    if holder in sources:
        modules = map(import_module, WITHOUT_EXTRAS)
        found = [getattr(module, holder) for module in modules if hasattr(module, holder)]
        if not found or hasattr(found[0], method):
            return sources[holder]
    lower = [each.lower() for each in sources]
    close = difflib.get_close_matches(short.lower(), lower, n=4, cutoff=ALIKE)
    alike = [each for each in sources if each.lower() in close]
    advice = f" Did you mean {' or '.join(map(repr, alike))}?" if alike else ""
    raise ValueError(f"`names` must be public functions or classes, got {name!r}.{advice}")


def _without_module(name: str) -> str:
    """Return a name without the module of this library before it, if the module has the name."""
    parts = name.split(".")
    if parts[0] != OWN_KEY or any(part.startswith("_") for part in parts):
        return name
    for n in range(len(parts) - 1, 0, -1):
        try:
            has_name = hasattr(import_module(".".join(parts[:n])), parts[n])
        except ImportError as error:
            if (error.name or "").startswith(OWN_KEY):
                continue  # not a module, but perhaps a class in one
            has_name = True  # the module exists and needs an extra that is not installed
        return ".".join(parts[n:]) if has_name else name
    return name


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    short_help="Print BibTeX of the functions used.",
)
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Print the whole bibliography.")
def main(names: tuple[str, ...], everything: bool) -> None:
    """Print BibTeX entries of the sources of NAMES, the functions or classes that you used."""
    if everything and names:
        raise click.UsageError("--all prints every entry. Remove the names or --all.")
    try:
        click.echo("\n\n".join(bibliography().values()) if everything else cite(*names))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


if __name__ == "__main__":
    main(prog_name="python -m gazesal.cite")
