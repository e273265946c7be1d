"""Read tables with one record per image from CSV, Parquet or JSON, as text."""

from pathlib import Path
from typing import Any

import pandas as pd

from gazesal.datasets._clean_names import name_as_text
from gazesal.datasets._csv import clean_columns, read_csv_text
from gazesal.datasets._json import parse_json
from gazesal.datasets._parquet import read_parquet

JSON_LINES = {".jsonl", ".ndjson"}


def read_records(path: Path) -> tuple[pd.DataFrame, str]:
    """Read a table with every value as text, missing values empty, and the unit of its index.

    The index is the line of a CSV or JSON Lines file, the row of a Parquet file and the record of a
    JSON file, counted from 1.
    """
    suffix = path.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return _as_text(read_parquet(path)), "row"
    if suffix in {".json", *JSON_LINES}:
        return _read_json(path, lines=suffix in JSON_LINES)
    return read_csv_text(path), "line"


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Convert every value of a table to text."""
    names = [str(name) for name in table.columns]
    texts = {
        name: [name_as_text(value) for value in table.iloc[:, place].tolist()]
        for place, name in enumerate(names)
    }
    return pd.DataFrame(texts, index=table.index, dtype=str)


def _read_json(path: Path, *, lines: bool) -> tuple[pd.DataFrame, str]:
    """Read a list of records, or one record per line."""
    row = "line" if lines else "record"
    try:
        text = path.read_text(encoding="utf-8-sig")
        if lines:
            parsed = [
                (number, _parse(line))
                for number, line in enumerate(text.split("\n"), 1)
                if line.strip()
            ]
        else:
            whole = _parse(text)
            if not isinstance(whole, list):
                raise ValueError(  # noqa: TRY301 (the handler below names the file)
                    "it must be a list of records, one for each image"
                )
            parsed = list(enumerate(whole, 1))
    except FileNotFoundError:
        raise
    except (ValueError, OSError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as JSON records: {error}") from error
    for number, record in parsed:
        if not isinstance(record, dict):
            raise ValueError(  # noqa: TRY004 (the content of a file)
                f"{path}, {row} {number}: must be an object, got {record!r:.60}."
            )
        nested = [name for name, value in record.items() if isinstance(value, (dict, list))]
        if nested:
            raise ValueError(
                f"{path}, {row} {number}, column {nested[0]!r}: must be text or a number, got "
                f"{record[nested[0]]!r:.60}."
            )
    names = list(dict.fromkeys(name for _, record in parsed for name in record))
    index = pd.Index([number for number, _ in parsed], name=row, dtype="int64")
    cleaned = dict(zip(names, clean_columns(names, path), strict=True))
    texts = {
        cleaned[name]: [name_as_text(record.get(name)) for _, record in parsed] for name in names
    }
    return pd.DataFrame(texts, index=index, dtype=str), row


def _parse(text: str) -> Any:
    return parse_json(text, constant=_no_constant)


def _no_constant(name: str) -> Any:
    """Raise for NaN and Infinity, which are extensions of Python."""
    raise ValueError(f"{name} is not valid JSON")
