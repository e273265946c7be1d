"""Workers get images one by one, and large arrays once."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend.queues import Queue

import gazesal
from gazesal.evaluation import worker_pool
from gazesal.evaluation.worker_pool import Runner
from tests.evaluation.large_study import SIGMA, make_cases

HELD = []  # keeps arrays alive, so that no address is used twice


def look(number, array):
    """Return the process and the address of the array that a worker got."""
    HELD.append(array)
    return number, os.getpid(), id(array), isinstance(array, np.memmap), float(array[-1])


def slow_start(number):
    """Sleep longest for the first argument."""
    time.sleep(0.5 if number == 0 else 0.0)
    return number


@pytest.fixture
def array():
    """Return an array of four megabytes."""
    return np.arange(500_000.0)


def test_processes_memory_map_a_shared_file(array, tmp_path):
    found = list(Runner(2, False)(look, ((i,) for i in range(8)), 8, "looking", shared=[array]))
    assert sorted(number for number, *_ in found) == list(range(8))
    assert {mapped for *_, mapped, _ in found} == {True}
    assert {last for *_, last in found} == {array[-1]}
    run = Runner(2, False)
    list(run(look, ((i,) for i in range(4)), 4, "looking", shared=[array], folder=tmp_path))
    assert not list(tmp_path.iterdir())  # the file is removed at the end


def test_one_process_needs_no_file(array, monkeypatch):
    def none(*_, **__):
        raise AssertionError("a folder was made")

    monkeypatch.setattr(worker_pool.tempfile, "TemporaryDirectory", none)
    list(Runner(None, False)(look, ((i,) for i in range(2)), 2, "looking", shared=[array]))
    with joblib.parallel_config(backend="loky", n_jobs=1):
        list(Runner(None, False)(look, ((i,) for i in range(2)), 2, "looking", shared=[array]))


def test_a_backend_without_a_generator_works_in_rounds(array):
    taken = []

    def arguments():
        for number in range(30):
            taken.append(number)
            yield (number,)

    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        run = Runner(None, False)
        results = run(look, arguments(), 30, "looking", shared=[array])
        next(results)
        assert len(taken) == 2 * worker_pool.ROUND
        found = [0, *(number for number, *_ in results)]
    assert found == list(range(30))


def test_full_disk_names_the_file(array, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("500000 requested and 12 written")  # a message of numpy

    monkeypatch.setattr(np, "save", full)
    results = Runner(2, False)(
        look, ((i,) for i in range(2)), 2, "looking", shared=[array], folder=tmp_path
    )
    with pytest.raises(OSError, match=r"12 written; large arrays are shared with.*0\.npy"):
        next(results)
    assert not list(tmp_path.iterdir())


ORPHANED = """
from gazesal.evaluation.worker_pool import Runner
from tests.evaluation.test_worker_pool import slow_start
for found in Runner(2, False)(slow_start, ((i,) for i in range(10**6)), 10**6, "x"):
    print(found, flush=True)
"""


def _runs(process):
    """Return whether a process is alive and not a zombie."""
    psutil = pytest.importorskip("psutil")
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_workers_end_when_their_parent_was_killed():
    psutil = pytest.importorskip("psutil")
    process = subprocess.Popen([sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline()
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) >= 2
        process.kill()
    alive = workers
    deadline = time.monotonic() + 60  # joblib's workers wait 300 s for work
    while alive and time.monotonic() < deadline:
        time.sleep(0.2)
        alive = [worker for worker in alive if _runs(worker)]
    for worker in alive:
        worker.kill()
    assert not alive


def test_one_worker_and_threads_get_the_array_itself(array):
    for n_jobs, backend in ((1, "loky"), (2, "threading")):
        with joblib.parallel_config(backend=backend, n_jobs=n_jobs):
            found = list(
                Runner(None, False)(look, ((i,) for i in range(6)), 6, "looking", shared=[array])
            )
        assert {(where, address) for _, where, address, *_ in found} == {(os.getpid(), id(array))}


def test_cluster_gets_an_array_once_per_worker(array, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=tmp_path,
            silence_logs=50,
        ) as made,
        distributed.Client(made),
        joblib.parallel_config(backend="dask"),
    ):
        found = list(Runner(None, False)(look, ((i,) for i in range(12)), 12, "x", shared=[array]))
    seen = {(where, address) for _, where, address, *_ in found}
    assert os.getpid() not in {where for where, _ in seen}
    assert len(seen) == len({where for where, _ in seen})


def test_results_are_yielded_when_ready_or_in_order():
    run = Runner(2, False)
    assert list(run(slow_start, ((i,) for i in range(6)), 6, "x", ordered=True)) == list(range(6))
    assert next(iter(run(slow_start, ((i,) for i in range(6)), 6, "x"))) != 0


def test_arguments_are_taken_as_workers_become_free():
    taken = []

    def arguments():
        for number in range(100):
            taken.append(number)
            yield (number,)

    results = Runner(1, False)(slow_start, arguments(), 100, "x")
    next(results)
    next(results)
    results.close()
    assert len(taken) == 2


def test_bar_counts_the_finished_images(capsys):
    list(Runner(1, True)(slow_start, ((i,) for i in range(1, 4)), 10, "scoring", done=7))
    shown = capsys.readouterr().err
    assert "scoring:" in shown
    assert "10/10" in shown
    assert "images/s" in shown


def test_bar_of_a_resumed_run_starts_at_the_finished_images(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    gazesal.evaluate(make_cases(8), sigma=SIGMA, checkpoint=tmp_path)
    for path in sorted((tmp_path / "parts").iterdir())[:3]:
        path.unlink()
    started = []
    real = worker_pool.tqdm

    def noted(**options):
        started.append((options["desc"], options["initial"], options["total"]))
        return real(**options)

    monkeypatch.setattr(worker_pool, "tqdm", noted)
    gazesal.evaluate(make_cases(8), sigma=SIGMA, checkpoint=tmp_path, progress=True)
    assert ("scoring", 5, 8) in started
    assert "8/8" in capsys.readouterr().err


GROWN = """
import time
import numpy as np
import gazesal
from tests.evaluation.large_study import SHAPE, SIGMA, make_cases
from dataclasses import replace

class Grows:
    kept = []

    def __init__(self, number):
        self.fingerprint = str(number)

    def __call__(self):
        Grows.kept.append(np.ones(4 * 10**7))  # 320 MB, about the size of large packages
        time.sleep(1.2)  # joblib checks the memory once a second
        return np.random.default_rng(int(self.fingerprint)).random(SHAPE)

if __name__ == "__main__":
    cases = [replace(c, maps={"mine": Grows(i)}) for i, c in enumerate(make_cases(6))]
    print(len(gazesal.evaluate(cases, sigma=SIGMA, n_jobs=2).scores))
"""


def test_grown_workers_are_replaced_if_warnings_are_errors(tmp_path):
    pytest.importorskip("psutil")  # joblib checks the memory only with it
    script = tmp_path / "grows.py"
    script.write_text(GROWN)
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 6 * 9 * 5


def test_feeder_thread_has_ended_after_an_early_end(monkeypatch):
    feed, ended = Queue._feed, []

    def slow_to_end(*arguments):
        feed(*arguments)
        time.sleep(0.3)
        ended.append(True)

    get_reusable_executor().shutdown(wait=True)  # other tests have used it
    monkeypatch.setattr(Queue, "_feed", staticmethod(slow_to_end))
    results = Runner(2, False)(slow_start, ((i,) for i in range(9)), 9, "working")
    with closing(results):
        next(results)
    # It holds semaphores, and the program must not end while it releases them.
    assert ended == [True]
    assert worker_pool.FEEDER not in {thread.name for thread in threading.enumerate()}


class Ended(KeyboardInterrupt):
    """Raised by a handler of a signal."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_wait_while_processes_are_started(number):
    def end(_number, _frame):
        raise Ended

    def start():
        with worker_pool._signals_held():
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append(True)

    before = signal.signal(number, end)
    done = []
    try:
        with pytest.raises(Ended):
            start()
        assert done
        assert signal.getsignal(number) is end
        with worker_pool._signals_held():
            assert signal.getsignal(number) is not end
        signal.signal(number, signal.SIG_IGN)  # without a handler in Python
        with worker_pool._signals_held():
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_signals_are_unchanged_outside_the_main_thread():
    seen = []

    def look_there():
        with worker_pool._signals_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look_there)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_workers_do_not_import_large_libraries():
    code = (
        "import sys, gazesal.evaluation.worker, gazesal.evaluation.worker_pool\n"
        "print({'pandas', 'pyarrow', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
