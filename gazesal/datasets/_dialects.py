"""Decode text tables, and find out their delimiter and comments."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # by which Excel names it
COMMENT_MARKS = ("#", "%", "//")
SAMPLED_LINES = 200  # lines whose fields are counted to choose a delimiter
BYTE_ORDER_MARKS = (  # the longest first, because shorter marks are the beginning of longer ones
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # of .xlsx and .ods, and of .xls


@dataclass(frozen=True, slots=True)
class Dialect:
    """Layout of a CSV table, None for parts that are detected in the file.

    Attributes
    ----------
    delimiter : str, optional
        Character between two fields.
    encoding : str, optional
        Encoding of the text, as Python names it.
    """

    delimiter: str | None = None
    encoding: str | None = None


def decoded(data: bytes, encoding: str | None, *, arguments: bool) -> tuple[str, str]:
    """Return the text of a table and a doubt about its encoding, or raise with the probable one.

    For callers that offer arguments, UTF-16 without a mark is recognized, and a text that is not
    UTF-8 is read as Windows-1252, which the doubt says. Otherwise the doubt is an empty text.
    """
    if data.startswith(WORKBOOKS):
        raise ValueError("it is a workbook of a spreadsheet program. Save its sheet as CSV")
    for mark, named in BYTE_ORDER_MARKS:
        if encoding is None and data.startswith(mark):
            encoding = named
    if encoding is None and b"\0" in data[:2]:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
        if not arguments:
            raise ValueError("it looks like UTF-16 without a byte order mark. Save it as UTF-8")
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff"), ""
    except LookupError:
        raise ValueError(f"`encoding` must be one that Python knows, got {encoding!r}") from None
    except UnicodeError as error:
        if encoding is None and arguments:
            return _as_windows(data, error)
        advice = ", or give its encoding, such as encoding='cp1252'" if arguments else ""
        raise ValueError(
            f"its encoding is not {encoding or 'UTF-8'}: {error}. Save it as UTF-8{advice}"
        ) from None


def _as_windows(data: bytes, error: UnicodeError) -> tuple[str, str]:
    """Return a text that is not UTF-8 as Windows-1252, and a doubt that it is."""
    try:
        text = data.decode("cp1252")
    except UnicodeError:
        raise ValueError(
            f"its encoding is neither UTF-8 nor Windows-1252: {error}. Give the `encoding`"
        ) from None
    if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text[:4096]):
        raise ValueError(f"it must be text, got control characters, and not UTF-8: {error}")
    word = re.search(r"[^\W\d_]*[^\x00-\x7f][^\W\d_]*", text)
    return text, (
        f"read as Windows-1252, because it is not UTF-8, such as {word and word[0]!r}. Give "
        'encoding="cp1252" if this is right, or another encoding.'
    )


def without_comments(text: str) -> tuple[str, int]:
    """Return a text whose first line is the header, and the number of lines before it.

    Blank lines and comments before the header are removed. Further lines that begin with a mark
    and have fewer delimiters than the header become blank lines. If the row below the comments has
    only numbers, the last comment is the header, as numpy.savetxt writes it.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines) and (_is_comment(lines[at]) or not lines[at].strip()):
        at += 1
    if at == len(lines) or (at == 0 and not any(_is_comment(line) for line in lines)):
        return text, 0
    if at and _is_comment(lines[at - 1]) and _has_numbers_only(lines[at]):
        at -= 1
        lines[at] = lines[at].lstrip().lstrip("#%/").lstrip()
    fields = max((lines[at].count(each) for each in DELIMITERS), default=0)
    for place in range(at + 1, len(lines)):
        line = lines[place]
        if _is_comment(line) and '"' not in line and _most_delimiters(line) < fields:
            lines[place] = "\r" if line.endswith("\r") else ""
    return "\n".join(lines[at:]), at


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(COMMENT_MARKS)


def _most_delimiters(line: str) -> int:
    return max(line.count(each) for each in DELIMITERS)


def _has_numbers_only(line: str) -> bool:
    """Return whether most fields of a line are numbers, as no header has."""
    fields = [field for field in re.split(r"[;,\t| ]+", line.strip()) if field]
    numbers = [field for field in fields if re.fullmatch(r"[+-]?[\d.]+(?:e[+-]?\d+)?", field)]
    return len(fields) > 1 and 2 * len(numbers) > len(fields)


def delimiter_of(text: str, *, arguments: bool) -> str:
    """Return the delimiter of a table, or raise if several are possible.

    It is the only one in the header, or the only one that separates all first lines into the same
    number of fields. Blanks are delimiters if there is no other, and all lines have as many words.
    """
    header = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    counts = {each: header.count(each) for each in DELIMITERS if each in header}
    advice = "Give the `delimiter`" if arguments else "Save the table with commas"
    if not counts:
        words = {len(line.split()) for line in _first_lines(text)}
        if len(header.split()) < 3:
            return ","
        if arguments and len(words) == 1 and '"' not in text:
            return " "
        raise ValueError(f"its delimiter is not clear, got only blanks in the header. {advice}")
    best = max(counts, key=lambda each: counts[each])
    if len(counts) == 1:
        return best
    even = [each for each in counts if _separates_evenly(text, each)]
    if len(even) == 1:
        return even[0]
    if list(counts.values()).count(counts[best]) > 1 or (best != "," and "," in counts):
        shown = ", ".join(f"{DELIMITERS[each]} {n} times" for each, n in counts.items())
        raise ValueError(f"its delimiter is not clear, got {shown} in the header. {advice}")
    return best


def _separates_evenly(text: str, delimiter: str) -> bool:
    """Return whether the first lines have the same number of fields."""
    rows = csv.reader(io.StringIO("\n".join(_first_lines(text)), newline=""), delimiter=delimiter)
    try:
        return len({len(row) for row in rows if row}) == 1
    except csv.Error:
        return False


def _first_lines(text: str) -> Iterator[str]:
    """Yield the first lines that are not blank."""
    for line in text[: 2**20].split("\n", SAMPLED_LINES)[:SAMPLED_LINES]:
        if line.strip():
            yield line.rstrip("\r")
