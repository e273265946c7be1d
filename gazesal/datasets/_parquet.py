"""Read Parquet and Arrow tables as stored, completely or not at all."""

from pathlib import Path
from typing import Any

import pandas as pd

from gazesal.datasets._csv import clean_columns

MOST_ROWS = 2**23  # of a file with fewer bytes than rows, because equal rows take no space


def read_parquet(path: Path, most_rows: int = MOST_ROWS) -> pd.DataFrame:
    """Read a Parquet table as stored, indexed by 1-based row, with nested values as text."""
    pa = _pyarrow(path)
    try:
        with path.open("rb") as file:
            opened = pa.parquet.ParquetFile(file)
            n = opened.metadata.num_rows
            if n > max(most_rows, path.stat().st_size):
                raise ValueError(  # noqa: TRY301 (the handler below names the file)
                    f"it must have at most {most_rows} rows, or one per byte, got {n}"
                )
            table = opened.read()
        return _as_frame(table, path, pa)
    except FileNotFoundError:
        raise
    except Exception as error:  # pyarrow raises errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as a Parquet table: {error}") from error


def read_arrow(path: Path) -> pd.DataFrame:
    """Read an Arrow IPC file or stream, such as .feather, indexed by 1-based row."""
    pa = _pyarrow(path)
    try:
        with path.open("rb") as file:
            reader: Any
            try:
                reader = pa.ipc.open_file(file)
                batches = [reader.get_batch(at) for at in range(reader.num_record_batches)]
            except pa.ArrowInvalid:  # a stream has no footer
                file.seek(0)
                reader = pa.ipc.open_stream(file)
                batches = list(reader)
            table = pa.Table.from_batches(batches, schema=reader.schema)
        return _as_frame(table, path, pa)
    except FileNotFoundError:
        raise
    except Exception as error:  # pyarrow raises errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as an Arrow table: {error}") from error


def _pyarrow(path: Path) -> Any:
    """Import pyarrow, or raise with the extra that installs it."""
    try:
        import pyarrow as pa
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"{path}: reading Parquet and Arrow files needs pyarrow: pip install "
            "'gazesal[parquet]'."
        ) from error
    return pa


def _as_frame(table: Any, path: Path, pa: Any) -> pd.DataFrame:
    """Return an Arrow table as stored, with nested values as text."""
    if table.num_rows > max(MOST_ROWS, path.stat().st_size):
        raise ValueError(
            f"it must have at most {MOST_ROWS} rows, or one per byte, got {table.num_rows}"
        )
    table.validate(full=True)
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):  # nested values can be neither compared nor hashed
            texts = [None if each is None else repr(each) for each in table[place].to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
        elif pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table[place].cast(field.type.value_type))
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    frame.columns = pd.Index(clean_columns([str(name) for name in frame.columns], path))
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame
