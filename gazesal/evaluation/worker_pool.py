"""Run one function over many images, on the workers that joblib finds."""

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

PROCESSES = "LokyBackend"  # of this machine, which share its files
SHARED = ".shared-"  # how the names of folders begin in which processes share arrays
CLUSTER = "DaskDistributedBackend"
ROUND = 4  # tasks for each worker at once, of backends that only give back many together
WATCHED_EVERY = 1.0  # seconds between a worker's looks at whether its parent is there
FEEDER = "QueueFeederThread"  # of multiprocessing: sends tasks to processes
FEEDERS_END = 2.0  # seconds that they are waited for; those of other queues do not end


class Runner:
    """Workers of joblib: processes of this machine, or what the caller's configuration names.

    Parameters
    ----------
    n_jobs : int, optional
        Number of workers, -1 for one a core; by default that of the caller's
        ``joblib.parallel_config``, or one.
    progress : bool
        Show a bar with the rate and the time left for each call.
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
        what: str,
        *,
        unit: str = " images",
        done: int = 0,
        ordered: bool = False,
        shared: Sequence[np.ndarray] = (),
        folder: Path | None = None,
    ) -> Generator[Any, None, None]:
        """Yield what the function makes of each of the arguments, as it is finished or in order.

        Arguments go out one by one, so that what is computed and not yet yielded is what the
        workers have in hand; to a backend that cannot give results one by one, as those of
        multiprocessing and Ray, a few for each worker at once. Processes of this machine end
        within seconds after this one was killed. Whatever ends the iteration early, an error in
        the caller's loop or Ctrl-C, ends the workers' tasks too; close the iterator
        (`contextlib.closing`) to be sure of when.

        Parameters
        ----------
        function : callable
            Of a module, so that other processes find it.
        arguments : iterable of tuple
            Taken as workers become free.
        total : int
            How many there are, with those that were done before.
        what, unit : str
            For the progress bar.
        done : int, default 0
            How many were done before.
        ordered : bool, default False
            Yield in the order of the arguments.
        shared : sequence of arrays
            Further arguments of every call, which go to each worker once and not with each task.
        folder : pathlib.Path, optional
            Where the shared arrays may lie meanwhile; by default a temporary folder.
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
                max_nbytes=None,  # an image's own arrays are used once: no file for each of them
            )
            tasks = (joblib.delayed(function)(*argument, *arrays) for argument in arguments)
            with _signals_held() if of_processes else nullcontext():
                results = parallel(tasks) if one_by_one else _in_rounds(parallel, tasks)
                stack.enter_context(closing(_Quiet(results)))
            bar = tqdm(
                total=total,
                initial=done,
                desc=what,
                unit=unit,
                smoothing=0.05,  # images differ: a long memory for the rate
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
                        f"a worker process ended while {what}, most often because the memory was "
                        f"used up; fewer jobs need less. {error}"
                    ) from error

    def _n_workers(self) -> int:
        _, configured = get_active_backend()
        return int(joblib.effective_n_jobs(self._jobs.get("n_jobs", configured)))

    @contextmanager
    def _shared(
        self, arrays: Sequence[np.ndarray], folder: Path | None
    ) -> Iterator[tuple[list[np.ndarray], AbstractContextManager[Any]]]:
        """The arrays as the workers are best sent them, and the configuration for it."""
        backend, _ = get_active_backend()
        kind = type(backend).__name__
        if kind == CLUSTER:
            # to every worker at once, so that the loss of one takes nothing away; also without
            # arrays the backend is a new one, which lets go of its tasks when it is left
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
    """Whether Dask gave up a task, as when it has lost several workers over it.

    Some of its errors are cancellations, which are no `Exception`.
    """
    return type(error).__module__.partition(".")[0] == "distributed"


def _mapped(array: np.ndarray, path: Path) -> np.ndarray:
    """The array in a file, of which joblib sends the name alone."""
    file = path.with_suffix(".npy")
    with naming(file, "large arrays are shared there with the worker processes"):
        np.save(file, array)
    # copy on write: kernels are compiled for arrays that can be written to
    mapped: np.ndarray = np.load(file, mmap_mode="c")
    return mapped


def _in_rounds(parallel: Any, tasks: Iterator[Any]) -> Generator[Any, None, None]:
    """Results in order, of a few tasks for each worker after the other."""
    with parallel:  # one set of workers for all rounds
        size = ROUND * parallel._effective_n_jobs()
        while some := list(islice(tasks, size)):
            yield from parallel(some)


_watching: list[threading.Thread] = []  # of this process, which is a worker


def _watched(function: Callable[..., Any], parent: int, *arguments: Any) -> Any:
    """Call a function in a worker that ends with its parent, also where that is killed."""
    if not _watching and _started_by(parent):
        watch = threading.Thread(target=_end_with, args=(parent,), daemon=True)
        _watching.append(watch)
        watch.start()
    return function(*arguments)


def _started_by(parent: int) -> bool:
    """Whether that is the parent, with no other in between; end at once if it is gone already."""
    if os.getppid() == parent:
        return True
    if os.name == "posix":
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os._exit(1)  # it was killed before this worker had its first task
        except PermissionError:
            pass
    return False


def _end_with(parent: int) -> None:
    """End this process when its parent has ended: another process is its parent then."""
    while os.getppid() == parent:
        time.sleep(WATCHED_EVERY)
    os._exit(1)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals that Python takes wait while processes are started.

    An exception between the start of one and joblib's note of it would leave a process that nobody
    ends, and a program that waits for it.
    """
    if threading.current_thread() is not threading.main_thread():  # no signal is taken in another
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
    """Where a run ends early, wait for the thread that sent its tasks, as joblib does not.

    That thread lets go of the last semaphores: if the program ends while it is between removing
    one and saying so, joblib's tracker of such things writes that it was leaked.
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
    """Let joblib replace workers that have grown, as by importing torch, without a warning.

    It is raised in the thread that replaces them. If warnings are errors, that thread would end and
    the run would wait forever.
    """
    return ignoring("A worker stopped while some jobs", category=UserWarning)


class _Quiet:
    """Close a generator of joblib without its warning that tasks were canceled, which is meant."""

    def __init__(self, results: Any) -> None:
        self._results = results

    def close(self) -> None:
        with ignoring(".*tasks", category=UserWarning, module="joblib"):
            self._results.close()
