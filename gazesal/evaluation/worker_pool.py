"""Workers: one function is run over many images, on processes or a cluster of joblib."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from tqdm import tqdm

from gazesal._files import naming
from gazesal._validation import MOST_THREADS
from gazesal._warnings import ignoring

__all__ = ["SHARED", "Runner"]

PROCESSES = "LokyBackend"  # processes of this machine, which can share files
SHARED = ".shared-"  # prefix of the folders in which processes share arrays
CLUSTER = "DaskDistributedBackend"
ROUND = 4  # tasks per worker and round, for backends that return the results of a round together
WATCHED_EVERY = 1.0  # seconds between two checks by a worker that its parent is alive
FEEDER = "QueueFeederThread"  # the thread of multiprocessing that sends tasks to processes
FEEDERS_END = 2.0  # seconds to wait for these threads; some belong to other queues and stay


class Runner:
    """Workers of joblib: processes of this machine, or the backend of the caller's configuration.

    Parameters
    ----------
    n_jobs : int, optional
        Number of workers, -1 for one per core. By default the number of the caller's
        ``joblib.parallel_config``, or one.
    progress : bool
        True to show a bar with the rate and the time left for each call.
    """

    def __init__(self, n_jobs: int | None, progress: bool) -> None:
        integer = isinstance(n_jobs, (int, np.integer)) and not isinstance(n_jobs, bool)
        if n_jobs is not None and (not integer or not 0 < abs(n_jobs) <= MOST_THREADS):
            raise ValueError(
                f"`n_jobs` must be a non-zero integer of at most {MOST_THREADS}, got {n_jobs!r}."
            )
        self._jobs: dict[str, int] = {} if n_jobs is None else {"n_jobs": int(n_jobs)}
        self._progress: bool = progress

    def __call__(
        self,
        function: Callable[..., Any],
        arguments: Iterable[tuple[Any, ...]],
        total: int,
        label: str,
        *,
        unit: str = " images",
        done: int = 0,
        ordered: bool = False,
        shared: Sequence[np.ndarray] = (),
        folder: Path | None = None,
    ) -> Generator[Any, None, None]:
        """Yield the result of the function for each of the arguments, as it finishes or in order.

        Arguments are sent one by one, so that the workers hold all images that are computed and
        not yet yielded. Backends that cannot return results one by one, such as multiprocessing
        and Ray, get a few per worker at once. Worker processes of this machine end within seconds
        after this process is killed. If an error in the caller's loop or Ctrl-C ends the iteration
        early, the workers' tasks end too. Close the iterator (`contextlib.closing`) to end them at
        a known time.

        Parameters
        ----------
        function : callable
            A function of a module, so that other processes can import it.
        arguments : iterable of tuple
            Arguments of each call, taken as workers become free.
        total : int
            Number of calls, including those done by an earlier run.
        label, unit : str
            Texts of the progress bar.
        done : int, default 0
            Number of calls done by an earlier run.
        ordered : bool, default False
            Yield in the order of the arguments.
        shared : sequence of arrays
            Further arguments of every call, sent to each worker once and not with each task.
        folder : pathlib.Path, optional
            Folder for the files of shared arrays. By default a temporary folder.
        """
        backend, _ = get_active_backend()
        of_processes = type(backend).__name__ == PROCESSES
        if of_processes:
            function = partial(_watched, function, os.getpid())
        one_by_one = getattr(backend, "supports_return_generator", False)
        with ExitStack() as stack:
            arrays, config = stack.enter_context(self._shared(shared, folder))
            stack.enter_context(config)
            if of_processes and self._n_workers() != 1:
                stack.enter_context(_feeders_ended())
            way = "generator" if ordered else "generator_unordered"
            parallel = joblib.Parallel(
                **self._jobs,
                return_as=way if one_by_one else "list",
                batch_size=1,
                max_nbytes=None,  # no files for an image's arrays, which are used once
            )
            tasks = (joblib.delayed(function)(*argument, *arrays) for argument in arguments)
            with _signals_held() if of_processes else nullcontext():
                size = ROUND * self._n_workers()
                results = parallel(tasks) if one_by_one else _in_rounds(parallel, tasks, size)
                stack.enter_context(closing(_Quiet(results)))
            bar = tqdm(
                total=total,
                initial=done,
                desc=label,
                unit=unit,
                smoothing=0.05,  # images differ, so the rate is averaged over many
                disable=not self._progress,
            )
            with bar, _replaced_workers():
                try:
                    for result in results:
                        bar.update()
                        yield result
                except BaseException as error:
                    if not isinstance(error, BrokenExecutor) and not _is_of_cluster(error):
                        raise
                    raise ChildProcessError(
                        f"a worker process ended while {label}, most often because the memory was "
                        f"used up. Use fewer jobs, which need less memory. {error}"
                    ) from error

    def _n_workers(self) -> int:
        _, configured = get_active_backend()
        return int(joblib.effective_n_jobs(self._jobs.get("n_jobs", configured)))

    @contextmanager
    def _shared(
        self, arrays: Sequence[np.ndarray], folder: Path | None
    ) -> Iterator[tuple[list[np.ndarray], AbstractContextManager[Any]]]:
        """Yield the arrays in the form in which workers get them, and joblib's configuration."""
        backend, _ = get_active_backend()
        kind = type(backend).__name__
        if kind == CLUSTER:
            # Arrays go to every worker at once, so that they survive the loss of one. A new
            # backend is used even without arrays, because it releases its tasks at the end.
            config = joblib.parallel_config(
                backend="dask",
                client=backend.client,
                scatter=list(arrays),
                wait_for_workers_timeout=backend.wait_for_workers_timeout,
                **backend.submit_kwargs,
            )
            yield list(arrays), config
        elif arrays and kind == PROCESSES and self._n_workers() != 1:
            with tempfile.TemporaryDirectory(prefix=SHARED, dir=folder) as place:
                yield (
                    [_mapped(array, Path(place, str(i))) for i, array in enumerate(arrays)],
                    nullcontext(),
                )
        else:
            yield list(arrays), nullcontext()


def _is_of_cluster(error: BaseException) -> bool:
    """Return whether Dask gave up a task, as it does after losing several workers.

    Some of its errors are cancellations, which are not an `Exception`.
    """
    return type(error).__module__.partition(".")[0] == "distributed"


def _mapped(array: np.ndarray, path: Path) -> np.ndarray:
    """Return the array in a file, of which joblib sends only the name."""
    file = path.with_suffix(".npy")
    with naming(file, "large arrays are shared with the worker processes in this folder"):
        np.save(file, array)
    # Copy on write, because kernels are compiled for writable arrays.
    mapped: np.ndarray = np.load(file, mmap_mode="c")
    return mapped


def _in_rounds(parallel: Any, tasks: Iterator[Any], size: int) -> Generator[Any, None, None]:
    """Yield results in order, after rounds of a number of tasks."""
    with parallel:  # one set of workers for all rounds
        while some := list(islice(tasks, size)):
            yield from parallel(some)


_watching: list[threading.Thread] = []  # the thread of this process, if it is a worker


def _watched(function: Callable[..., Any], parent: int, *arguments: Any) -> Any:
    """Call a function in a worker that ends with its parent, even if the parent is killed."""
    if not _watching and _started_by(parent):
        watch = threading.Thread(target=_end_with, args=(parent,), daemon=True)
        _watching.append(watch)
        watch.start()
    return function(*arguments)


def _started_by(parent: int) -> bool:
    """Return whether a process is the direct parent, and exit if it has ended."""
    if os.getppid() == parent:
        return True
    if os.name == "posix":
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os._exit(1)  # the parent was killed before this worker had its first task
        except PermissionError:
            pass
    return False


def _end_with(parent: int) -> None:
    """Exit when the parent has ended, after which another process is the parent."""
    while os.getppid() == parent:
        time.sleep(WATCHED_EVERY)
    os._exit(1)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back signals with a handler in Python while processes are started.

    An exception after a process is started and before joblib records it would leave a process
    that nobody ends, and a program that waits for it.
    """
    if (
        threading.current_thread() is not threading.main_thread()
    ):  # only the main thread handles signals
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    taken = [(number, handler) for number, handler in handlers.items() if callable(handler)]
    try:
        for number, _ in taken:
            signal.signal(number, note)
        yield
    finally:
        for number, handler in taken:
            signal.signal(number, handler)
        for first in came[:1]:
            signal.raise_signal(first)


@contextmanager
def _feeders_ended() -> Iterator[None]:
    """Wait for the thread that sent the tasks of a run that ends early, as joblib does not.

    That thread releases the last semaphores. If the program ends after it has removed one and
    before it has reported so, joblib's resource tracker prints that the semaphore was leaked.
    """
    try:
        yield
    except BaseException:
        until = time.monotonic() + FEEDERS_END
        for thread in threading.enumerate():
            if thread.name == FEEDER:
                thread.join(max(0.0, until - time.monotonic()))
        raise


def _replaced_workers() -> AbstractContextManager[None]:
    """Ignore joblib's warning that it replaced workers whose memory had grown, as by torch.

    The warning is raised in the thread that replaces them. If warnings are errors, that thread
    would end and the run would wait forever.
    """
    return ignoring("A worker stopped while some jobs", category=UserWarning)


class _Quiet:
    """Close a generator of joblib without its warning that tasks were canceled, as intended."""

    def __init__(self, results: Any) -> None:
        self._results = results

    def close(self) -> None:
        """Close the generator."""
        with ignoring(".*tasks", category=UserWarning, module="joblib"):
            self._results.close()
