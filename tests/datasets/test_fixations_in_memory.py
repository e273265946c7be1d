"""Fixations in data frames of all kinds and libraries."""

import datetime as dt
import importlib.util
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal import SkippedDataWarning, read_fixations

ROWS = {
    "image": ["a", "a", "b", "b"],
    "observer": ["ann", "bob", "ann", "bob"],
    "x": [1.5, 2.0, 3.25, 0.0],
    "y": [0.5, 7.0, 3.0, 4.0],
    "duration": [250, 125, 500, 100],
}


def frame(**dtypes):
    return pd.DataFrame(ROWS).astype(dtypes)


def arrow(pa):
    return pa.table(ROWS)


def with_points(pl):
    return pl.DataFrame(ROWS).select(
        "image", "observer", pl.concat_list("x", "y").alias("location"), "duration"
    )


PANDAS = {
    "plain": frame,
    "object": lambda: frame(image=object, x=object),
    "nullable": lambda: frame(image="string", x="Float64", duration="Int64"),
    "category": lambda: frame(image="category", observer="category"),
    "index": lambda: frame().set_index(["image", "observer"]),
    "other index": lambda: frame().set_index(pd.Index([7, 7, 3, 1])),
    "timedelta": lambda: frame().assign(duration=pd.to_timedelta(ROWS["duration"], unit="ms")),
    "timedelta objects": lambda: frame().assign(
        duration=pd.Series([dt.timedelta(milliseconds=t) for t in ROWS["duration"]], dtype=object)
    ),
    "decimal": lambda: frame().assign(x=pd.Series([Decimal(str(x)) for x in ROWS["x"]])),
    "text": lambda: frame(x=str, y=str, duration=str),
    "dict": lambda: ROWS,
    "records": lambda: frame().to_dict("records"),
    "record array": lambda: frame().to_records(index=False),
    "points": lambda: (
        frame().assign(point=list(zip(ROWS["x"], ROWS["y"], strict=True))).drop(columns=["x", "y"])
    ),
    "points as dicts": lambda: {
        **{name: ROWS[name] for name in ("image", "observer", "duration")},
        "location": [{"x": x, "y": y} for x, y in zip(ROWS["x"], ROWS["y"], strict=True)],
    },
}
POLARS = {
    "plain": lambda pl: pl.DataFrame(ROWS),
    "lazy": lambda pl: pl.DataFrame(ROWS).lazy(),
    "categorical": lambda pl: pl.DataFrame(ROWS).with_columns(pl.col("image").cast(pl.Categorical)),
    "duration": lambda pl: pl.DataFrame(ROWS).with_columns(
        pl.col("duration").cast(pl.Duration("ms"))
    ),
    "points": with_points,
}
ARROW = {
    "plain": arrow,
    "batch": lambda pa: arrow(pa).to_batches()[0],
    "chunks": lambda pa: pa.concat_tables([arrow(pa)[:1], arrow(pa)[1:]]),
    "dictionary": lambda pa: arrow(pa).set_column(
        0, "image", arrow(pa)["image"].dictionary_encode()
    ),
    "duration": lambda pa: arrow(pa).set_column(
        4, "duration", pa.array(ROWS["duration"], pa.duration("ms"))
    ),
}


def require_rows(table):
    assert {name: table[name].tolist() for name in ROWS} == ROWS
    assert table.index.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", PANDAS)
def test_reads_pandas_and_python(kind):
    require_rows(read_fixations(PANDAS[kind]()))


@pytest.mark.parametrize("kind", POLARS)
def test_reads_polars(kind):
    require_rows(read_fixations(POLARS[kind](pytest.importorskip("polars"))))


@pytest.mark.parametrize("kind", ARROW)
def test_reads_arrow(kind):
    require_rows(read_fixations(ARROW[kind](pytest.importorskip("pyarrow"))))


@pytest.mark.parametrize("suffix", ["feather", "arrow", "stream.arrow"])
def test_reads_arrow_files(tmp_path, suffix):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / f"table.{suffix}"
    new = pa.ipc.new_stream if suffix.startswith("stream") else pa.ipc.new_file
    with new(path, arrow(pa).schema) as writer:
        writer.write_table(arrow(pa))
    require_rows(read_fixations(path))


def test_damaged_arrow_file_raises(tmp_path):
    path = tmp_path / "table.feather"
    frame().to_feather(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"table\.feather: cannot be read as an Arrow table"):
        read_fixations(path)


def test_reads_folder_of_parquet_files_with_names_in_folders(tmp_path):
    for observer, part in frame().groupby("observer"):
        folder = tmp_path / f"observer={observer}"
        folder.mkdir()
        part.drop(columns="observer").to_parquet(folder / "part-0.parquet")
    (tmp_path / "_SUCCESS").touch()
    table = read_fixations(tmp_path)
    assert table["observer"].tolist() == ["ann", "ann", "bob", "bob"]
    assert table["x"].tolist() == [1.5, 3.25, 2.0, 0.0]
    assert table.index[0] == "observer=ann/part-0.parquet:1"


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("dtype", [object, "Float64"])
def test_rows_without_a_position_are_omitted(missing, dtype):
    table = frame().astype({"x": dtype})
    table.loc[1, "x"] = missing
    with pytest.warns(SkippedDataWarning, match="omitted 1 of 4 rows"):
        assert read_fixations(table)["duration"].tolist() == [250, 500, 100]
    with pytest.raises(ValueError, match="row 2, column 'x'"):
        read_fixations(table, missing="raise")


@pytest.mark.parametrize("kind", ["plain", "index", "timedelta", "records"])
def test_cases_take_the_same_tables(kind):
    cases = gazesal.cases_from_tables(
        PANDAS[kind](), {"m": {"a": np.eye(9), "b": np.eye(9)}}, (9, 9)
    )
    assert cases[0].gaze["bob"].points.tolist() == [[2, 7]]
    assert cases[0].gaze["bob"].durations.tolist() == [125]


def test_table_is_not_modified():
    table = frame().set_index("image")
    before = table.copy()
    read_fixations(table, columns={"duration": ""}, origin="one_based")
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("source", [[1, 2], np.eye(3), object()])
def test_other_objects_raise(source):
    with pytest.raises((TypeError, ValueError), match=r"`source` must be a table|missing"):
        read_fixations(source)


def test_points_must_be_pairs():
    table = {**ROWS, "location": [[1, 2, 3]] * 4}
    del table["x"], table["y"]
    with pytest.raises(ValueError, match="column 'location': must be pairs"):
        read_fixations(table)


def shared_frames(folder):
    """Return the functions of the shared module that builds frames."""
    spec = importlib.util.spec_from_file_location("frames", folder / "frames.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_shared_frames_have_their_truth(shared):
    pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    folder = shared / "formats" / "12_in_memory"
    frames = shared_frames(folder)
    truths = {lost: pd.read_csv(folder / f"truth{'_missing' * lost}.csv") for lost in (False, True)}
    for name, build in frames.FRAMES.items():
        truth = truths[name in frames.MISSING]
        with gazesal._warnings.muted(SkippedDataWarning):
            table = read_fixations(build())
        tolerance = 1e-3 if name in frames.OTHER_UNIT else 1e-9
        numbers = ["x", "y", "duration"]
        np.testing.assert_allclose(table[numbers], truth[numbers], atol=tolerance, err_msg=name)
        assert table["image"].tolist() == truth["image"].tolist()
        if name not in frames.OTHER_NAMES:
            assert table["observer"].tolist() == truth["observer"].tolist()


@pytest.mark.parametrize("name", ["table.feather", "table.arrow", "indexed.parquet", "partitioned"])
def test_shared_files_have_their_truth(shared, name):
    pytest.importorskip("pyarrow")
    folder = shared / "formats" / "12_in_memory"
    truth = pd.read_csv(folder / "truth.csv")
    table = read_fixations(folder / name)
    order = ["observer", "image", "x"]
    columns = ["image", "observer", "x", "y", "duration"]
    pd.testing.assert_frame_equal(
        table[columns].sort_values(order).reset_index(drop=True),
        truth[columns].sort_values(order).reset_index(drop=True),
        check_dtype=False,
    )
