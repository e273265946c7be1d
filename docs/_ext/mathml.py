"""Equations as MathML, which browsers render without scripts and without a network.

MathML needs a font with tables for mathematics. Because not every system has one, the site includes
the font of ziamath, which ``gazesal.css`` selects.
"""

import shutil
from html import escape
from importlib.resources import as_file, files
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)
FONT = "STIXTwoMath-Regular.ttf"


def to_mathml(node: nodes.Element, display: str) -> str:
    """Convert the LaTeX of a node. If that fails, warn, which fails the build."""
    latex = node.astext()
    try:
        mathml = convert(latex, display=display)
    except Exception as error:  # noqa: BLE001 (the converter's own errors have no common class)
        logger.warning("cannot convert the equation %r: %r", latex, error, location=node)
        return f"<code>{escape(latex)}</code>"
    if "\\" in mathml:  # the converter copies unknown commands
        logger.warning("unknown command in the equation %r", latex, location=node)
    # The converter writes plus-minus as an identifier, without the space around an operator.
    return mathml.replace("<mi>&#x000B1;</mi>", "<mo>&#x000B1;</mo>")


def visit_inline(self: HTML5Translator, node: nodes.Element) -> None:
    """Write an inline equation."""
    self.body.append(to_mathml(node, "inline"))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.Element) -> None:
    """Write a displayed equation, which scrolls if the page is too narrow."""
    self.body.append(f'<div class="math-block">{to_mathml(node, "block")}</div>\n')
    raise nodes.SkipNode


def copy_font(app: Sphinx, error: Exception | None) -> None:
    """Copy the font to the folder of the style sheet."""
    if error is None and app.builder.format == "html":
        with as_file(files("ziamath") / "fonts" / FONT) as font:
            shutil.copyfile(font, Path(app.outdir, "_static", FONT))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer, for ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("build-finished", copy_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
