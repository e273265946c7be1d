"""Parts of the report of a replication: sections, tables and figures, and their Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gazesal._text import markdown_text

__all__ = ["Figure", "Section", "Table", "TableCell", "markdown_of", "shown"]


class TableCell(NamedTuple):
    """A number as text, and its interval, which may be empty."""

    text: str
    interval: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.interval}" if self.interval else self.text


class Table(NamedTuple):
    """Cells by row and column, with the heading of the column of row names."""

    corner: str
    rows: Mapping[str, Mapping[str, TableCell]]

    @property
    def columns(self) -> list[str]:
        """Names of the columns of all rows, in order."""
        return list(dict.fromkeys(name for cells in self.rows.values() for name in cells))


class Figure(NamedTuple):
    """A picture with its caption, by its path relative to the report."""

    path: str
    words: str


class Section(NamedTuple):
    """A part of the report: paragraphs, tables and figures under a heading."""

    name: str
    heading: str
    parts: Sequence[str | Table | Figure]


def shown(value: float, *, sign: bool = False) -> str:
    """Format a number with three decimals. A number that rounds to zero has no sign."""
    text = f"{value:+.3f}" if sign else f"{value:.3f}"
    return text if float(text) else f"{0:.3f}"


def markdown_of(title: str, facts: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the report as Markdown."""
    blocks = [f"# {title}", "\n".join(f"- {fact}" for fact in facts)]
    for section in sections:
        if section.heading:
            blocks.append(f"## {section.heading}")
        for part in section.parts:
            if isinstance(part, Table):
                blocks.append(_markdown(part))
            elif isinstance(part, Figure):
                blocks.append(f"![{part.words}]({part.path})")
            else:
                blocks.append(part)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _markdown(table: Table) -> str:
    columns = table.columns
    lines = [f"| {table.corner} | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    for name, cells in table.rows.items():
        shown_cells = " | ".join(str(cells.get(column, "")) for column in columns)
        lines.append(f"| {markdown_text(name)} | {shown_cells} |")
    return "\n".join(lines)
