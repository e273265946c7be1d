"""Digests of bytes, texts, facts and files, which decide whether stored work is still valid.

Checkpoints, saved evaluations and stored steps keep these digests on disk. If a function here
changes, all of them are made again.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["digest_of_bytes", "digest_of_facts", "digest_of_file", "digest_of_texts"]


def digest_of_bytes(*chunks: bytes | memoryview) -> str:
    """Return the digest of some bytes in order, 32 hexadecimal digits."""
    made = hashlib.blake2b(digest_size=16)
    for chunk in chunks:
        made.update(chunk)
    return made.hexdigest()


def digest_of_texts(texts: Iterable[str]) -> str:
    """Return one digest of several texts, which depends on their order and borders."""
    return digest_of_bytes(json.dumps(list(texts)).encode())


def digest_of_facts(facts: Any) -> str:
    """Return the digest of a value that JSON can hold, whatever the order of its keys."""
    return digest_of_bytes(json.dumps(facts, sort_keys=True).encode())


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 digest of a file, which programs such as ``sha256sum`` can verify."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
