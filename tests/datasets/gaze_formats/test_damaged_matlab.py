"""Structs and cells of damaged or hostile MATLAB files raise, and do not end Python."""

import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from gazesal import read_fixations, read_map
from tests.datasets.gaze_formats.test_matlab_benchmarks import cell
from tests.datasets.gaze_formats.test_matlab_benchmarks import struct as fields

HEADER = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
CELL, STRUCT, SPARSE, UINT8 = 1, 2, 5, 9
LOGICAL = 0x200


def part(kind, content):
    """Return an element of a file, with its type and padding."""
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(mclass, shape, content, name=b"", flags=0):
    """Return a variable, or a part of a struct or cell."""
    head = part(6, struct.pack("<II", mclass | flags, 0)) + part(
        5, np.array(shape, "<i4").tobytes()
    )
    return part(14, head + part(1, name) + content)


NUMBER = matrix(UINT8, (1, 1), part(2, b"a"))
WRONG_TYPE = matrix(UINT8, (1, 1), part(200, b"a"))
NO_TYPE = matrix(UINT8, (1, 1), part(8, b"a"))


def one_cell(content, shape=(1, 1)):
    return matrix(CELL, shape, content, b"fixations")


def nested(depth):
    """Return cells in cells, joined once instead of copied at each level."""
    head = matrix(CELL, (1, 1), b"")[8:]
    sizes = [len(NUMBER) + len(head) + i * (8 + len(head)) for i in range(depth)]
    parts = [struct.pack("<II", 14, size) + head for size in reversed(sizes)]
    return b"".join([*parts, NUMBER])


def sparse(rows, starts):
    parts = (np.array(rows, "<i4"), np.array(starts, "<i4"), np.ones(len(rows), "<f8"))
    numbers = b"".join(
        part(kind, each.tobytes()) for kind, each in zip((5, 5, 9), parts, strict=True)
    )
    return matrix(SPARSE, (3, 2), numbers)


def struct_of(width, names):
    return matrix(STRUCT, (1, 1), part(5, struct.pack("<i", width)) + part(1, names) + NUMBER)


@pytest.mark.parametrize(
    "content",
    {
        "type beyond the list": one_cell(WRONG_TYPE),
        "type that is no number": one_cell(NO_TYPE),
        "part that is no variable": one_cell(part(9, bytes(8))),
        "fewer parts than the shape": one_cell(NUMBER, (2**14, 2**14)),
        "more values than memory": one_cell(NUMBER, (2**30, 2**30)),
        "negative shape": one_cell(NUMBER, (-1, 1)),
        "deep": one_cell(nested(20_000)),
        "row beyond the sparse matrix": one_cell(sparse([0, 9], [0, 1, 2])),
        "more values than the sparse matrix has": one_cell(sparse([0, 1], [0, 1, 9])),
        "names of no length": one_cell(struct_of(0, b"abc\0")),
        "name without end": one_cell(struct_of(4, b"abcd")),
        "unknown class": one_cell(matrix(77, (1, 1), b"")),
        "truncated": one_cell(NUMBER)[:-16],
    }.items(),
    ids=lambda item: item[0],
)
def test_damaged_struct_raises(tmp_path, content):
    path = tmp_path / "a.mat"
    path.write_bytes(HEADER + content[1])
    with pytest.raises(ValueError, match=r"a\.mat: .*(damaged|truncated|at most|sparse|indices)"):
        read_fixations(path, "osie")


def test_struct_that_unpacks_to_much_more_than_its_size_raises(tmp_path, monkeypatch):
    monkeypatch.setattr("gazesal.datasets.matlab5_checks.UNPACKED", 2**16)
    packed = zlib.compress(one_cell(matrix(UINT8, (2**24, 1), part(2, bytes(2**24)))))
    path = tmp_path / "a.mat"
    path.write_bytes(HEADER + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(ValueError, match=r"a\.mat.*unpacks to more"):
        read_fixations(path, "osie")


def test_logical_sparse_matrix_of_matlab_is_read(tmp_path):
    """MATLAB stores its values as bytes, but with the type of doubles."""
    for n in (3, 8):
        rows, starts = np.arange(n, dtype="<i4"), np.array([0, n], "<i4")
        content = part(5, rows.tobytes()) + part(5, starts.tobytes()) + part(9, bytes([1]) * n)
        variable = matrix(SPARSE, (n + 2, 1), content, b"map", LOGICAL)
        (tmp_path / "a.mat").write_bytes(HEADER + variable)
        assert read_map(tmp_path / "a.mat").ravel().tolist() == [1.0] * n + [0.0, 0.0]


@pytest.mark.parametrize("form", [np.asarray, np.uint8, np.array])
def test_cat2000_pooled_maps_may_be_sparse_or_pictures(tmp_path, form):
    from scipy.sparse import csc_array

    marks = np.zeros((4, 6))
    marks[1, 4] = marks[3, 0] = 1
    folder = tmp_path / "FIXATIONLOCS" / "Art"
    folder.mkdir(parents=True)
    for stored in (csc_array(marks), csc_array(marks > 0), form(marks * 255), marks > 0):
        savemat(folder / "001.mat", {"fixLocs": stored})
        table = read_fixations(tmp_path, "cat2000")
        assert table[["x", "y"]].to_numpy().tolist() == [[4, 1], [0, 3]]


def test_cat2000_pooled_continuous_map_raises(tmp_path):
    (tmp_path / "Art").mkdir()
    savemat(tmp_path / "Art" / "001.mat", {"fixLocs": np.random.default_rng(1).random((9, 9))})
    with pytest.raises(ValueError, match=r"001\.mat.*must be counts"):
        read_fixations(tmp_path, "cat2000")


def test_missing_field_is_named(tmp_path):
    savemat(tmp_path / "a.mat", {"fixations": cell(fields(img="1.jpg"))})
    with pytest.raises(ValueError, match="it has no 'subjects'"):
        read_fixations(tmp_path / "a.mat", "osie")
