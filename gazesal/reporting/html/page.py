"""Load the templates of HTML pages, which share their head, colors and parts."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gazesal._text import printable

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["has_report_extra", "page_template"]


def page_template(package: str, name: str) -> Template:
    """Return a template of a package, which may extend and import the templates of this package."""
    if not has_report_extra():
        raise ImportError(
            "The HTML report needs jinja2 and matplotlib: pip install 'gazesal[report]'."
        )
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def source(wanted: str) -> str:
        holder = package if wanted == name else __package__
        return (files(holder) / wanted).read_text(encoding="utf-8")

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(source),
        finalize=_without_controls,
    )
    return environment.get_template(name)


def _without_controls(value: object) -> object:
    """Escape control characters in a text, which HTML forbids, and keep the type of the text."""
    if not isinstance(value, str):
        return value
    safe = printable(value, keep="\n\t")
    return value if safe == value else type(value)(safe)


def has_report_extra() -> bool:
    """Return whether the libraries of the extra ``report`` are installed."""
    return all(find_spec(name) is not None for name in ("jinja2", "matplotlib"))
