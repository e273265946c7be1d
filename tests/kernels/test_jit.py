"""The compile policy."""

import numba
import pytest

from gazesal.kernels._jit import kernel


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
def test_kernels_compile_where_nothing_can_be_cached(monkeypatch):
    """In a read-only container numba finds no place for its cache and refuses."""
    real = numba.njit

    def njit(*functions, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*functions, **options)

    monkeypatch.setattr(numba, "njit", njit)
    double = kernel(lambda x: x + x)
    assert double(2.5) == 5.0
    assert double.signatures


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
def test_kernels_divide_as_numpy_does():
    """By zero there is no exception: the wrappers decide what is undefined."""

    @kernel
    def ratio(x, y):
        return x / y

    assert ratio(1.0, 0.0) == float("inf")
