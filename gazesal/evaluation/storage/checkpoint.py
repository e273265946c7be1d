"""Finished images on disk, so that a run that ended early can go on."""

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from gazesal._files import naming, write_text
from gazesal._validation import as_count
from gazesal._warnings import warn
from gazesal.evaluation.score_one_image import AnyCenterBias
from gazesal.evaluation.score_rows import LABELS, ImageScores, Rows
from gazesal.evaluation.storage.center_bias_file import read_bias, write_bias
from gazesal.evaluation.storage.fingerprints import digest
from gazesal.evaluation.worker_pool import SHARED
from gazesal.exceptions import SkippedDataWarning

__all__ = ["Checkpoint", "arrow"]

MERGED = 512  # small parts that become one; so many images lie in a file of a large run
NAMED = 3  # differing images that a message names
# what a run writes; nothing else is ever removed
PART = re.compile(r"[0-9a-f]{32}\.parquet")
TORN_PART = re.compile(r"\.[0-9a-f]{32}\.parquet\.partial")
TORN_FILE = re.compile(r"\.[a-z0-9_]{8}\.partial\.(npz|json)")
SHARED_FOLDER = re.compile(re.escape(SHARED) + "[a-z0-9_]{8}")
ELSEWHERE = "move it elsewhere, or use another folder."
TORN = "the file is torn or was changed."
ADVICE = "finished images are kept, and the same call goes on once this is mended"


def arrow(why: str) -> tuple[Any, Any]:
    """pyarrow and its Parquet, which are optional."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError(f"{why} needs pyarrow: pip install 'gazesal[parquet]'.") from error


class Checkpoint:
    """A folder with the scores of finished images, and what they were made from.

    ``checkpoint.json`` says what the run was: options, versions, the gaze behind the center bias.
    ``center_bias.npz`` holds the center bias, also while it is made. ``parts/*.parquet`` hold the
    scores, each file named by a digest of its bytes, so that one that is torn or changed is known;
    a file's metadata name its images with a fingerprint of what each was made from. The center
    bias has a digest of ``checkpoint.json`` with it. Only files named as a run names its own are
    ever removed.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; made if absent.
    identity : dict
        What must be the same for a run to go on here, as JSON holds it.
    gaze : dict of str, optional
        Fingerprints of the gaze behind the center bias, by image.

    Raises
    ------
    ValueError
        If the folder holds a run that differs, naming in what, or a file that is none of a run's
        where only those may be.
    BlockingIOError
        If another run is at work in it.
    ImportError
        If the extra ``parquet`` is not installed.
    """

    def __init__(
        self, folder: Path, identity: Mapping[str, Any], gaze: Mapping[str, str] | None
    ) -> None:
        self._pa, self._parquet = arrow("a checkpoint")
        self.folder: Path = folder
        self._parts: Path = folder / "parts"
        self._bias: Path = folder / "center_bias.npz"
        whole = {**identity, "gaze": gaze}
        self._mark: str = digest([json.dumps(whole)])
        self._parts.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        try:
            self._require_ours()
            self._meet(whole)
            # by image and what it was made from: the file that holds its scores
            self._found: dict[tuple[str, str], Path] = {}
            self._small: list[Path] = []
            for path in self._listed():
                self._take(path)
            self._tidy()
        except BaseException:
            self.close()
            raise

    def _listed(self) -> list[Path]:
        return sorted(path for path in self._parts.iterdir() if PART.fullmatch(path.name))

    def _require_ours(self) -> None:
        """Raise if something lies where only a run's files may; hidden files are let be."""
        for path in sorted(self._parts.iterdir()):
            ours = PART.fullmatch(path.name) and path.is_file()
            if not ours and not path.name.startswith("."):
                raise ValueError(f"{path}: is none of a checkpoint's files; {ELSEWHERE}")
        for path in (self._bias, self.folder / "checkpoint.json"):
            if path.exists() and not path.is_file():
                raise ValueError(f"{path}: must be a file, but is a folder; {ELSEWHERE}")

    def _tidy(self) -> None:
        """Remove what a run left that was killed while it wrote, or while its workers shared.

        Without a lock they are let be, since they may be those of a run at work.
        """
        if self._lock is None:
            return
        for folder, names in ((self._parts, TORN_PART), (self.folder, TORN_FILE)):
            for path in folder.iterdir():
                if names.fullmatch(path.name) and path.is_file():
                    path.unlink(missing_ok=True)
        for path in self.folder.iterdir():
            if SHARED_FOLDER.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Let another run work here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def finished(self, wanted: Mapping[str, str]) -> set[str]:
        """Images that need not be scored again: those with the fingerprints wanted."""
        return {image for image, mark in wanted.items() if (image, mark) in self._found}

    def add(self, found: ImageScores, mark: str) -> None:
        """Keep the scores of an image, at once."""
        columns = {"image": [found.image] * len(found.metric)}
        columns |= {label: getattr(found, label) for label in LABELS}
        strings = {name: self._pa.array(each, self._pa.string()) for name, each in columns.items()}
        table = self._pa.table({**strings, "score": found.score})
        path = self._write(table, [(found.image, mark, len(found.score))])
        self._found[found.image, mark] = path
        self._small.append(path)
        if len(self._small) >= MERGED:
            self._merge()

    def collect(self, wanted: Mapping[str, str]) -> Rows:
        """The scores of images with these fingerprints, all of them finished."""
        rows = Rows()
        for path in sorted({self._found[key] for key in wanted.items()}):
            for found, mark in self._images(path):
                if wanted.get(found.image) == mark and self._found[found.image, mark] == path:
                    rows.add(found)
        return rows

    def load_bias(self) -> tuple[AnyCenterBias | None, dict[str, Any]] | None:
        """The center bias as far as it was made, and what was said of it.

        Nothing, and a warning, if the file is torn or was not made by a run as this one is.
        """
        try:
            bias, facts = read_bias(self._bias)
        except FileNotFoundError:
            return None
        except ValueError as error:
            _report(f"{error} It is made again.")
            return None
        if facts.pop("run", None) != self._mark:
            _report(
                f"{self._bias}: was made from other gaze or with other options. It is made again."
            )
            return None
        return bias, facts

    def report_bias(self, why: str) -> None:
        """Warn that the center bias that was kept is made again."""
        _report(f"{self._bias}: cannot be used: {why}. It is made again.")

    def save_bias(self, bias: AnyCenterBias | None, **facts: Any) -> None:
        """Keep the center bias as far as it is made."""
        with naming(self._bias, ADVICE):
            write_bias(self._bias, bias, run=self._mark, **facts)

    def _meet(self, identity: dict[str, Any]) -> None:
        """Begin a run here, or raise unless the one that began here was the same."""
        path = self.folder / "checkpoint.json"
        if not path.exists():
            found = {"parts": any(self._listed()), "a center bias": self._bias.exists()}
            if any(found.values()):
                what = " and ".join(name for name, is_there in found.items() if is_there)
                raise ValueError(
                    f"{self.folder}: there are {what} and no checkpoint.json, which says what "
                    "they were made with; use another folder."
                )
            self._begin(identity)
            return
        try:
            there = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: cannot be read as a checkpoint: {error}") from error
        if not isinstance(there, dict):
            raise ValueError(  # noqa: TRY004
                f"{path}: cannot be read as a checkpoint: it is no object of JSON."
            )
        differing = _differences(there, json.loads(json.dumps(identity)))
        if differing and not self._bias.exists() and not any(self._listed()):
            self._begin(identity)  # as where an option was wrong: nothing was made with it
        elif differing:
            raise ValueError(
                f"{self.folder}: holds a run that differs in {'; '.join(differing)}. Go on with "
                "what it was made with, or use another folder."
            )

    def _begin(self, identity: dict[str, Any]) -> None:
        """Write down what a run here is made with."""
        path = self.folder / "checkpoint.json"
        with naming(path, ADVICE):
            write_text(path, json.dumps(identity, indent=1) + "\n")

    def _take(self, path: Path) -> None:
        """Note what a part holds; one that is torn is removed, and its images scored again."""
        content = path.read_bytes()
        if _digest(content) != path.stem:
            _report(f"{path}: {TORN} Its images are scored again.")
            path.unlink()
            return
        keys = [(image, mark) for image, mark, _ in _marks(self._table(path, content))]
        if all(key in self._found for key in keys):
            path.unlink()  # in another part too: the run was killed after it had merged them
            return
        self._found |= dict.fromkeys(keys, path)
        if len(keys) < MERGED:
            self._small.append(path)

    def _merge(self) -> None:
        """Make one part of all small ones."""
        tables, marks = [], []
        for path in self._small:
            start = 0
            table = self._table(path, self._checked(path))
            for image, mark, length in _marks(table):
                if self._found[image, mark] == path:
                    tables.append(table.slice(start, length))
                    marks.append((image, mark, length))
                start += length
        if tables:
            target = self._write(self._pa.concat_tables(tables), marks, durable=True)
            self._found |= {(image, mark): target for image, mark, _ in marks}
        for path in self._small:
            path.unlink()
        self._small = []
        del tables
        self._pa.default_memory_pool().release_unused()

    def _write(
        self, table: Any, marks: Sequence[tuple[str, str, int]], *, durable: bool = False
    ) -> Path:
        """Write a part under the digest of its bytes; only a durable one is waited for.

        A small part that a power cut tears is found by its digest, and its image scored again.
        """
        table = table.replace_schema_metadata({"images": json.dumps(marks)})
        sink = io.BytesIO()
        self._parquet.write_table(table.combine_chunks(), sink)
        content = sink.getbuffer()
        path = self._parts / f"{_digest(content)}.parquet"
        temporary = self._parts / f".{path.name}.partial"
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

    def _checked(self, path: Path) -> bytes:
        """The bytes of a part; a ValueError if they have changed since."""
        content = path.read_bytes()
        if _digest(content) != path.stem:
            raise ValueError(f"{path}: {TORN}")
        return content

    def _table(self, path: Path, content: bytes) -> Any:
        """What a part holds; a ValueError if it is none, whatever its name.

        Read as one file by one thread: what reads sets of files, and its threads, take memory that
        they keep.
        """
        try:
            source = self._pa.BufferReader(content)
            table = self._parquet.ParquetFile(source).read(use_threads=False)
            for label in LABELS:
                text = table.schema.field(label).type == self._pa.string()
                if not text or table[label].null_count:
                    raise ValueError("its labels are not text")  # noqa: TRY301
            if table.schema.field("score").type != self._pa.float64() or table["score"].null_count:
                raise ValueError("its scores are no numbers of float64")  # noqa: TRY301
            if sum(length for _, _, length in _marks(table)) != len(table):
                raise ValueError("it has other rows than its images")  # noqa: TRY301
        except (self._pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: is no part of a checkpoint; {ELSEWHERE}") from error
        return table

    def _images(self, path: Path) -> Iterator[tuple[ImageScores, str]]:
        """The scores of a part's images, and what each was made from."""
        table = self._table(path, self._checked(path))
        columns = {label: _as_list(table[label]) for label in LABELS}
        scores = table["score"].to_numpy()
        start = 0
        for image, mark, length in _marks(table):
            rows = slice(start, start + length)
            observer, method, metric = (columns[label][rows] for label in LABELS)
            yield ImageScores(image, observer, method, metric, scores[rows]), mark
            start += length


def _marks(table: Any) -> list[tuple[str, str, int]]:
    """Return the images of a part: name, what it was made from, number of scores."""
    found = json.loads(table.schema.metadata[b"images"])
    marks = [(image, mark, length) for image, mark, length in found]
    for image, mark, length in marks:
        if not (isinstance(image, str) and isinstance(mark, str)):
            raise TypeError(f"its images must have names and marks, got {image!r} and {mark!r}")
        as_count(length, name="scores of an image")
    return marks


def _as_list(column: Any) -> list[str]:
    """A column of few different names, one object for each."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    return list(names[encoded.indices.to_numpy()])


def _digest(content: bytes | memoryview) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    """In what two runs differ, in words."""
    if name == "gaze" and isinstance(there, dict) and isinstance(here, dict):
        return _differing_gaze(there, here)
    if isinstance(there, dict) and isinstance(here, dict):
        keys = {**there, **here}
        found = [_differences(there.get(key), here.get(key), key) for key in keys]
        return [words for some in found for words in some]
    return [] if there == here else [f"{name} ({there!r} there, {here!r} here)"]


def _differing_gaze(there: dict[str, str], here: dict[str, str]) -> list[str]:
    if list(there.items()) == list(here.items()):
        return []
    images = [image for image in {**there, **here} if there.get(image) != here.get(image)]
    if not images:
        return ["the order of the images"]
    more = f" and {len(images) - NAMED} more" if len(images) > NAMED else ""
    return [
        f"the gaze on {', '.join(map(repr, images[:NAMED]))}{more}, which shapes the scores "
        f"of every image ({len(there)} images there, {len(here)} here)"
    ]


def _locked(folder: Path) -> int | None:
    """A lock on the folder, which ends with the process; none where the system has none."""
    try:
        fcntl: Any = import_module("fcntl")
    except ImportError:
        return None
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise BlockingIOError(f"{folder}: another run is at work here.") from error
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle


def _report(message: str) -> None:
    warn(message, SkippedDataWarning, stacklevel=5)
