"""Read Parquet tables as stored, completely or not at all."""

from pathlib import Path

import pandas as pd

from gazesal.datasets._csv import clean_columns

MOST_ROWS = 2**23  # of a file with fewer bytes than rows, because equal rows take no space


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet table as stored, indexed by 1-based row, with nested values as text."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(
            f"{path}: reading Parquet needs pyarrow: pip install 'gazesal[parquet]'."
        ) from error
    try:
        with path.open("rb") as file:
            opened = pq.ParquetFile(file)
            n = opened.metadata.num_rows
            if n > max(MOST_ROWS, path.stat().st_size):
                raise ValueError(  # noqa: TRY301 (the handler below names the file)
                    f"it must have at most {MOST_ROWS} rows, or one per byte, got {n}"
                )
            table = opened.read()
        table.validate(full=True)
        for place, field in enumerate(table.schema):
            if pa.types.is_nested(field.type):  # nested values can be neither compared nor hashed
                texts = [None if each is None else repr(each) for each in table[place].to_pylist()]
                table = table.set_column(place, field.name, pa.array(texts, pa.string()))
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # pyarrow raises errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as a Parquet table: {error}") from error
    frame.columns = pd.Index(clean_columns([str(name) for name in frame.columns], path))
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame
