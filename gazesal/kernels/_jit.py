"""The one compile policy of the library."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import caching

P = ParamSpec("P")
R = TypeVar("R")

FunctionCache: Any = caching.FunctionCache  # without types
_reported: set[str] = set()  # cache directories that this process has warned about


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile in nopython mode: strict IEEE math, numpy error model, cached on disk, no lock held.

    No fast-math flag is set, so a kernel adds in the order in which it is written, whatever the
    machine and the number of workers; numpy's exponential, which gaze maps use, may differ in its
    last bit between processors. Speed comes from loops that the compiler can vectorize without
    reordering: see `gazesal.kernels.moments`.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if hasattr(compiled, "enable_caching"):  # else the plain function with NUMBA_DISABLE_JIT=1
        # numba finds no directory that can be written to, as in a read-only container
        with suppress(RuntimeError, OSError):
            compiled._cache = _KernelCache(function)
    return cast("Callable[P, R]", compiled)


class _KernelCache(FunctionCache):  # type: ignore[misc]
    """A cache that never makes a call fail.

    numba lets every error of its cache through, so that a run that was killed while it wrote, a
    full disk or files of another program would end every later call (numba issues 9348 and 10434).
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function, or empty the cache of the function if it is unreadable."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  (a damaged pickle raises errors of any type)
            # saving replaces an empty index, but would read a damaged one and fail again
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save the compiled function; warn once for each directory if that fails."""
        try:
            super().save_overload(sig, data)
        except Exception as error:  # noqa: BLE001  (as above, and whatever the disk raises)
            self.disable()
            if self.cache_path in _reported:
                return
            _reported.add(self.cache_path)
            # no frame of the library or of numba would tell the reader anything
            warnings.warn_explicit(
                f"The compile cache in {self.cache_path} cannot be used ({error!r}), so functions "
                "are compiled anew in each process. Delete this directory, or set NUMBA_CACHE_DIR "
                "to one with free space that you can write to.",
                RuntimeWarning,
                filename="gazesal",
                lineno=1,
            )
