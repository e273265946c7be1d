"""Sizes that reach every path of the kernels, compiled or not."""

import numba
import pytest

from gazesal.kernels.auc import partition, ranks, shared_order

JIT = not numba.config.DISABLE_JIT


@pytest.fixture
def bucket(monkeypatch):
    """Return the size of a bucket, which is reduced if loops run in the interpreter."""
    if not JIT:
        monkeypatch.setattr(partition, "BUCKET", 256)
        monkeypatch.setattr(partition, "STREAMS", 16)
        monkeypatch.setattr(ranks, "SMALL", 512)
        monkeypatch.setattr(shared_order, "SMALL", 512)
        monkeypatch.setattr(ranks, "SHORT_BUCKET", 64)
    return partition.BUCKET
