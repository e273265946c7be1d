"""Escaping of names from files, so that terminals, spreadsheets and pages do not act on them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_cell", "csv_text", "from_csv_cell", "markdown_text", "printable"]

UNPRINTABLE = frozenset(["Cc", "Cs", "Zl", "Zp"])  # controls, lone surrogates, line separators
# Characters that reverse the order of the letters around them, so that a name reads as another.
REORDERING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# A spreadsheet evaluates a cell that begins with one of these characters, also in the full-width
# forms of Japanese.
FORMULA = re.compile("\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MARK = "'"  # a spreadsheet reads a cell that begins with it as text
ESCAPED = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")
MARKDOWN = re.compile(r"[\\`*\[\]<>|~$]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)|^[#+=-]", re.MULTILINE)


def printable(text: str, *, keep: str = "") -> str:
    r"""Replace control characters by escapes such as ``\x1b``.

    Parameters
    ----------
    text : str
        Any text.
    keep : str, optional
        Characters to leave, such as line breaks.

    Returns
    -------
    str
        One line of text, unless `keep` has line breaks. Letters of all scripts stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter if letter in keep or not _acts(letter) else _escape(letter) for letter in text
    )


def csv_cell(text: str) -> str:
    r"""Mark a text that a spreadsheet would evaluate or that has control characters.

    Parameters
    ----------
    text : str
        Text of a cell.

    Returns
    -------
    str
        The text itself if it is harmless. Otherwise an apostrophe and the text with its
        backslashes doubled and its control characters as escapes, which `from_csv_cell` undoes.
    """
    formula = FORMULA.match(text) is not None and NUMBER.fullmatch(text) is None
    safe = printable(text)
    if not formula and safe == text and not text.startswith(MARK):
        return text
    return MARK + printable(text.replace("\\", "\\\\"))


def from_csv_cell(cell: str) -> str:
    """Return the text that `csv_cell` marked.

    Parameters
    ----------
    cell : str
        Cell of a table written by `csv_text`.

    Returns
    -------
    str
        Text without mark and escapes.
    """
    if not cell.startswith(MARK):
        return cell

    def letter(found: re.Match[str]) -> str:
        code = found[1]
        return code if code == "\\" else chr(int(code[1:], 16))

    return ESCAPED.sub(letter, cell.removeprefix(MARK))


def csv_text(table: pd.DataFrame) -> str:
    """Write a table as CSV, with its texts and headings marked by `csv_cell`.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table. Its index is not written.

    Returns
    -------
    str
        CSV with a header and with numbers in full precision.
    """
    safe = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if dtype.kind == "O":
            values = table.iloc[:, place]
            safe.isetitem(place, [csv_cell(v) if isinstance(v, str) else v for v in values])
    safe.columns = [csv_cell(str(name)) for name in table.columns]
    return str(safe.to_csv(index=False, lineterminator="\n"))


def markdown_text(text: str) -> str:
    """Escape characters that Markdown would read as markup.

    Parameters
    ----------
    text : str
        Any text. Line breaks are kept.

    Returns
    -------
    str
        Text that Markdown shows unchanged.
    """
    escaped = MARKDOWN.sub(r"\\\g<0>", printable(text, keep="\n"))
    return escaped.replace("\\<", "&lt;")  # also safe where a backslash is not an escape


def _acts(letter: str) -> bool:
    return unicodedata.category(letter) in UNPRINTABLE or letter in REORDERING


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
