"""Scores of finished images in Parquet files, each named by the digest of its bytes."""

import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from gazesal._digests import digest_of_bytes
from gazesal._files import naming
from gazesal._validation import as_count
from gazesal._warnings import warn
from gazesal.evaluation.score_rows import LABELS, ImageScores, Rows
from gazesal.exceptions import SkippedDataWarning

__all__ = ["ADVICE", "ELSEWHERE", "ScoreParts", "require_pyarrow"]

# Images; this number of small parts is merged into one. In a large run, each file holds so many
# images, and a resumed run opens few files.
MERGED = 512
PART = re.compile(r"[0-9a-f]{32}\.parquet")
TORN_PART = re.compile(r"\.[0-9a-f]{32}\.parquet\.partial")
ELSEWHERE = "move it elsewhere, or use another folder."
TORN = "the file is torn or was changed."
ADVICE = "finished images are kept, and the same call resumes once this is mended"

ImageKey = tuple[str, str]  # name of an image and its fingerprint


def require_pyarrow(purpose: str) -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module, which are optional."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError(f"{purpose} needs pyarrow: pip install 'gazesal[parquet]'.") from error


class ScoreParts:
    """Files with the scores of finished images, one per image until they are merged.

    The metadata of a file list its images, each with the fingerprint of its input and its number
    of scores. Because a file is named by the digest of its bytes, a torn or changed file is
    detected.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the files, made if absent.
    merged : int, optional
        Number of small files that are merged into one.

    Raises
    ------
    ValueError
        If the folder holds a file that a run did not write, unless its name begins with a dot.
    ImportError
        If the extra ``parquet`` is not installed.
    """

    def __init__(self, folder: Path, merged: int = MERGED) -> None:
        self._merged = merged
        self._pa, self._parquet = require_pyarrow("a checkpoint")
        self._folder = folder
        self._found: dict[ImageKey, Path] = {}  # the file that holds the scores
        self._small: list[Path] = []
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.iterdir()):
            ours = PART.fullmatch(path.name) and path.is_file()
            if not ours and not path.name.startswith("."):
                raise ValueError(f"{path}: is not a file of a checkpoint: {ELSEWHERE}")

    def __contains__(self, key: ImageKey) -> bool:
        return key in self._found

    def any_files(self) -> bool:
        """Return whether there is any file."""
        return bool(self._listed())

    def read_index(self) -> None:
        """Read which images the files hold, and remove torn files."""
        for path in self._listed():
            content = path.read_bytes()
            if digest_of_bytes(content) != path.stem:
                warn(f"{path}: {TORN} Its images are scored again.", SkippedDataWarning)
                path.unlink()
                continue
            keys = [(image, mark) for image, mark, _ in _entries(self._table(path, content))]
            if all(key in self._found for key in keys):
                path.unlink()  # already merged into another file when the run was killed
                continue
            self._found |= dict.fromkeys(keys, path)
            if len(keys) < self._merged:
                self._small.append(path)

    def add(self, found: ImageScores, fingerprint: str) -> None:
        """Write the scores of an image at once."""
        columns = {"image": [found.image] * len(found.metric)}
        columns |= {name: list(of) for name, of in zip(LABELS, found.labels(), strict=True)}
        strings = {name: self._pa.array(each, self._pa.string()) for name, each in columns.items()}
        table = self._pa.table({**strings, "score": found.score})
        path = self._write(table, [(found.image, fingerprint, len(found.score))])
        self._found[found.image, fingerprint] = path
        self._small.append(path)
        if len(self._small) >= self._merged:
            self.merge()

    def collect(self, wanted: Mapping[str, str]) -> Rows:
        """Return the scores of finished images, given by name with their fingerprints."""
        rows = Rows()
        for path in sorted({self._found[key] for key in wanted.items()}):
            for found, mark in self._images(path):
                if wanted.get(found.image) == mark and self._found[found.image, mark] == path:
                    rows.add(found)
        return rows

    def merge(self, paths: Iterable[Path] | None = None) -> None:
        """Merge files, by default the small ones, into one."""
        small = self._small if paths is None else list(paths)
        tables, entries = [], []
        for path in small:
            start = 0
            table = self._table(path, self._verified(path))
            for image, mark, length in _entries(table):
                if self._found[image, mark] == path:
                    tables.append(table.slice(start, length))
                    entries.append((image, mark, length))
                start += length
        if tables:
            target = self._write(self._pa.concat_tables(tables), entries, durable=True)
            self._found |= {(image, mark): target for image, mark, _ in entries}
        for path in small:
            path.unlink()
        self._small = []
        del tables
        self._pa.default_memory_pool().release_unused()

    def remove_torn(self) -> None:
        """Remove temporary files of a run that was killed while it wrote."""
        for path in self._folder.iterdir():
            if TORN_PART.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)

    def _listed(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if PART.fullmatch(path.name))

    def _write(
        self, table: Any, entries: Sequence[tuple[str, str, int]], *, durable: bool = False
    ) -> Path:
        """Write a part under the digest of its bytes, and sync it to disk if it is durable.

        A small part is not synced. If a power cut tears it, the digest shows it, and its image is
        scored again.
        """
        table = table.replace_schema_metadata({"images": json.dumps(entries)})
        sink = io.BytesIO()
        self._parquet.write_table(table.combine_chunks(), sink)
        content = sink.getbuffer()
        path = self._folder / f"{digest_of_bytes(content)}.parquet"
        temporary = self._folder / f".{path.name}.partial"
        try:
            with naming(path, ADVICE):
                with temporary.open("wb") as file:
                    file.write(content)
                    if durable:
                        file.flush()
                        os.fsync(file.fileno())
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def _verified(self, path: Path) -> bytes:
        """Return the bytes of a part, or raise if they have changed since it was written."""
        content = path.read_bytes()
        if digest_of_bytes(content) != path.stem:
            raise ValueError(f"{path}: {TORN}")
        return content

    def _table(self, path: Path, content: bytes) -> Any:
        """Return the table of a part, or raise if it is not one, whatever its name.

        It is read as one file by one thread, because the functions of pyarrow for sets of files,
        and its threads, keep memory.
        """
        try:
            source = self._pa.BufferReader(content)
            table = self._parquet.ParquetFile(source).read(use_threads=False)
            for label in LABELS:
                text = table.schema.field(label).type == self._pa.string()
                if not text or table[label].null_count:
                    raise ValueError("its labels are not text")  # noqa: TRY301 (the handler below names the file)
            if table.schema.field("score").type != self._pa.float64() or table["score"].null_count:
                raise ValueError("its scores are not float64 numbers")  # noqa: TRY301 (the handler below names the file)
            if sum(length for _, _, length in _entries(table)) != len(table):
                raise ValueError("its rows do not match its images")  # noqa: TRY301 (the handler below names the file)
        except (self._pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: is not a part of a checkpoint: {ELSEWHERE}") from error
        return table

    def _images(self, path: Path) -> Iterator[tuple[ImageScores, str]]:
        """Yield the scores of each image of a part, with its fingerprint."""
        table = self._table(path, self._verified(path))
        columns = {label: _as_list(table[label]) for label in LABELS}
        scores = table["score"].to_numpy()
        start = 0
        for image, mark, length in _entries(table):
            rows = slice(start, start + length)
            observer, method, metric, region = (columns[label][rows] for label in LABELS)
            found = ImageScores(image, observer, method, metric, scores[rows], region=region)
            yield found, mark
            start += length


def _entries(table: Any) -> list[tuple[str, str, int]]:
    """Return the images of a part, each with its fingerprint and its number of scores."""
    found = json.loads(table.schema.metadata[b"images"])
    entries = [(image, mark, length) for image, mark, length in found]
    for image, mark, length in entries:
        if not (isinstance(image, str) and isinstance(mark, str)):
            raise TypeError(
                f"its images must have names and fingerprints, got {image!r} and {mark!r}"
            )
        as_count(length, name="scores of an image", least=0)
    return entries


def _as_list(column: Any) -> list[str]:
    """Return a column of few different names as a list that holds one object per name."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    return list(names[encoded.indices.to_numpy()])
