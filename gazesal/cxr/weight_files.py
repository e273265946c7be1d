"""Files of weights, read without running code from them, and checked for damage."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["is_whole_archive", "load_tensors", "read_weights"]

ADVICE = "Copy it again from an intact file, or save it again."


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the state dict of a checkpoint, without running code from it."""
    if path.is_dir():
        raise ValueError(f"{path}: a checkpoint must be a file, got a folder.")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: must be a checkpoint, but does not exist.")
    safe = path.suffix.lower() == ".safetensors"
    content = _read_safetensors(path) if safe else load_tensors(path, ADVICE)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise ValueError(
            f"{path}: a checkpoint must hold weights by name, got {type(content).__name__}."
        )
    wrong = [key for key, value in content.items() if not isinstance(value, Tensor)]
    if wrong:
        raise ValueError(
            f"{path}: a checkpoint must hold weights by name, or have them under 'state_dict', "
            f"but {wrong[0]!r} is {type(content[wrong[0]]).__name__}."
        )
    for key, value in content.items():
        if value.layout != torch.strided or value.is_meta or value.is_quantized:
            raise ValueError(
                f"{path}: a checkpoint must hold plain tensors, but {key!r} has layout "
                f"{value.layout} and {value.dtype} on {value.device}."
            )
    prefix = "module." if all(str(key).startswith("module.") for key in content) else ""
    return {str(key).removeprefix(prefix): value for key, value in content.items()}


def load_tensors(path: Path, advice: str) -> Any:
    """Read a file of ``torch.save`` to the CPU, or raise a ValueError that ends with advice.

    Use this instead of ``torch.load``, which does not verify checksums. Code from the file is not
    run.
    """
    with path.open("rb") as file:
        start = file.read(2)
    try:
        # torch's format before 1.6 is not an archive and has no checksums
        if start == b"PK" and not is_whole_archive(path):
            raise zipfile.BadZipFile("it is truncated or a checksum does not match")  # noqa: TRY301 (as any other damage)
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch raises many types for damaged files
        is_pickle = start == b"PK" or start[:1] == b"\x80"
        refused = isinstance(error, pickle.UnpicklingError) and "weights_only" in str(error).lower()
        if is_pickle and refused:  # not a damaged file, but one with other objects
            raise ValueError(
                f"{path}: a checkpoint must hold only tensors and plain values, because reading "
                "other objects would run code from the file. Save the state dict alone."
            ) from error
        raise ValueError(
            f"{path}: cannot be read as a checkpoint ({_first_line(error)}). {advice}"
        ) from error


def is_whole_archive(path: Path) -> bool:
    """Return whether a file exists and is a zip archive whose checksums match."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except FileNotFoundError:
        return False
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - zipfile raises many types for damaged files
        return False


def _read_safetensors(path: Path) -> Any:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(
            f"{path}: reading it needs safetensors: pip install 'gazesal[torch]'."
        ) from error
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises many types for damaged files
        raise ValueError(
            f"{path}: cannot be read as safetensors ({_first_line(error)}). {ADVICE}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
