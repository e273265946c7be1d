"""Sphinx extension for names in docstrings, examples in pages, and the completeness of the API."""

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

import gazesal

logger = logging.getLogger(__name__)
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
MEMBERS = {"method", "attribute", "property"}
NAME_IN_BACKTICKS = re.compile(r"(?<![`:\w])`(\w+)`(?![`_])")


def parameter_names(thing: Any) -> set[str]:
    """Return the names of the parameters of a function, or of a class and its fields."""
    try:
        return set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return set()


def _class_of(method: str) -> Any:
    """Return the class of a method by the method's dotted name."""
    thing: Any = gazesal
    for part in method.split(".")[1:-1]:
        thing = getattr(thing, part)
    return thing


def show_parameters_as_code(
    _app: Sphinx, what: str, name: str, thing: Any, _options: Any, lines: list[str]
) -> None:
    """Write the names of an object's own parameters as code, and keep all other names as links."""
    own = parameter_names(thing)
    if what == "method":  # the docstring of a method also names attributes of its class
        own |= parameter_names(_class_of(name))
    for index, line in enumerate(lines):
        lines[index] = NAME_IN_BACKTICKS.sub(
            lambda match: f"``{match[1]}``" if match[1] in own else match[0], line
        )


def skip_tuple_fields(
    _app: Sphinx, _what: str, _name: str, thing: Any, _skip: bool, _options: Any
) -> bool | None:
    """Leave out fields of named tuples, which are documented under Attributes.

    Their own docstring is only "Alias for field number 0".
    """
    return True if type(thing).__name__ == "_tuplegetter" else None


def resolve_elsewhere(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Return a link to an object of any module, if only one documented object has the name."""
    if node.get("refdomain") != "py" or node.get("reftype") != "obj":
        return None
    python, target = env.domains.python_domain, node["reftarget"]
    found = [
        entry
        for entry in python.get_objects()
        if entry[0].endswith(f".{target}") and ("." in target or entry[2] not in MEMBERS)
    ]
    if len({entry[3:5] for entry in found}) != 1:  # an object may be listed under two names
        return None
    name, _, _, document, anchor, _ = found[0]
    return make_refnode(app.builder, node["refdoc"], document, anchor, content, name)


def require_whole_api(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each public name that no page documents. Warnings fail the build."""
    documented = {name for name, *_ in env.domains.python_domain.get_objects()}
    for module in (gazesal, *(getattr(gazesal, name) for name in NAMESPACES)):
        for name in module.__all__:
            if not inspect.ismodule(getattr(module, name)):
                dotted = f"{module.__name__}.{name}"
                if dotted not in documented:
                    logger.warning("%s is public and not in the reference", dotted)


def strip_examples(_app: Sphinx, document: nodes.document) -> None:
    """Remove the blank line after the output of an example, which only doctest needs."""
    for block in document.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.rawsource.rstrip()
            block[:] = [nodes.Text(block.rawsource)]


def name_pictures(_app: Sphinx, doctree: nodes.document) -> None:
    """Add an alternative text to each picture of a notebook, because its file name is a number."""
    for image in doctree.findall(nodes.image):
        section = image.parent
        while section is not None and not isinstance(section, nodes.section):
            section = section.parent
        if "alt" not in image and section is not None:
            title = section[section.first_child_matching_class(nodes.title)].astext()
            image["alt"] = f"Picture drawn by the code above, under “{title}”"


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the functions. Priority 400 comes before numpydoc, which rewrites docstrings."""
    app.connect("autodoc-process-docstring", show_parameters_as_code, priority=400)
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("missing-reference", resolve_elsewhere)
    app.connect("doctree-read", strip_examples)
    app.connect("doctree-read", name_pictures)
    app.connect("env-check-consistency", require_whole_api)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
