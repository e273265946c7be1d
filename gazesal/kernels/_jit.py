"""Compilation of all kernels, with one set of options."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import caching

P = ParamSpec("P")
R = TypeVar("R")

FunctionCache: Any = caching.FunctionCache  # numba has no types
_reported: set[str] = set()  # cache directories for which this process has warned


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile in nopython mode with strict IEEE math, numpy's error model and a cache on disk.

    Kernels release the GIL. Without fast-math flags, a kernel adds in the order in which it is
    written, whatever the machine and the number of workers. Only numpy's exponential, which gaze
    maps use, may differ in its last bit between processors. Kernels are fast because their loops
    can be vectorized without reordering; see `gazesal.kernels.moments`.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if hasattr(compiled, "enable_caching"):  # with NUMBA_DISABLE_JIT=1 it is the plain function
        # numba raises if no directory can be written to, as in a read-only container
        with suppress(RuntimeError, OSError):
            compiled._cache = _KernelCache(function)  # noqa: SLF001 (no public way to set it)
    return cast("Callable[P, R]", compiled)


class _KernelCache(FunctionCache):  # type: ignore[misc]
    """A cache whose errors never make a call fail.

    numba raises every error of its cache. After a kill during writing, on a full disk or with files
    of another program, every later call would fail (numba issues 9348 and 10434).
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function, or empty the cache of the function if it is unreadable."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  (a damaged pickle raises errors of any type)
            # Saving replaces an empty index, but reads a damaged one and fails again.
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save the compiled function, and warn once for each directory if that fails."""
        try:
            super().save_overload(sig, data)
        except Exception as error:  # noqa: BLE001  (as above, and whatever the disk raises)
            self.disable()
            if self.cache_path in _reported:
                return
            _reported.add(self.cache_path)
            # the line of a frame in the library or in numba would not help the user
            warnings.warn_explicit(
                f"The compile cache in {self.cache_path} cannot be used ({error!r}), so functions "
                "are compiled again in each process. Delete this directory, or set NUMBA_CACHE_DIR "
                "to one with free space that you can write to.",
                RuntimeWarning,
                filename="gazesal",
                lineno=1,
            )
