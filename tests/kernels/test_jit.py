"""Compilation and caching of kernels."""

import pickle

import numba
import pytest

from gazesal.kernels import _jit
from gazesal.kernels._jit import kernel

pytestmark = pytest.mark.skipif(
    numba.config.DISABLE_JIT, reason="nothing is compiled with NUMBA_DISABLE_JIT=1"
)


def double(x):
    return x + x


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache directory that already holds `double`."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(_jit, "_reported", set())
    assert kernel(double)(2.5) == 5.0
    assert len(list(tmp_path.rglob("*.nb?"))) == 2
    return tmp_path


def hits():
    """Number of compiled functions that a new kernel takes from the cache."""
    again = kernel(double)
    assert again(2.5) == 5.0
    return sum(again.stats.cache_hits.values())


DAMAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:40]),
    "noise": lambda file: file.write_bytes(bytes(range(256))),
    "unknown module": lambda file: file.write_bytes(
        pickle.dumps(numba.__version__) + b"cno_such_module\nThing\n."
    ),
    "another object": lambda file: file.write_bytes(
        pickle.dumps(numba.__version__) + pickle.dumps(3)
    ),
    "missing": lambda file: file.unlink(),
}


def test_kernels_come_from_the_cache(cache):
    assert hits() == 1


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_replaced(cache, suffix, damage):
    (file,) = cache.rglob(f"*.{suffix}")
    DAMAGE[damage](file)
    assert hits() == 0
    assert hits() == 1


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_cache_that_cannot_be_written_is_reported_once(cache, suffix):
    (file,) = cache.rglob(f"*.{suffix}")
    file.unlink()
    file.mkdir()
    with pytest.warns(RuntimeWarning, match=r"compile cache in .*NUMBA_CACHE_DIR") as caught:
        assert hits() == 0
    assert str(file.parent) in str(caught[0].message)
    assert hits() == 0


def test_kernels_compile_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(_jit, "_reported", set())

    def full(self, name, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "_save_data", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        assert hits() == 0


def test_kernels_compile_if_no_directory_can_be_written(monkeypatch):
    """In a read-only container, numba finds no folder for its cache and raises an error."""
    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "_locator_classes", [])
    uncached = kernel(double)
    assert uncached(2.5) == 5.0
    assert uncached.signatures


def test_kernels_divide_as_numpy_does():
    """Division by zero raises no exception, because the wrappers detect undefined results."""

    @kernel
    def ratio(x, y):
        return x / y

    assert ratio(1.0, 0.0) == float("inf")
