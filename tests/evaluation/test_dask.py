"""Evaluations on a cluster that loses processes."""

import os
import signal
import threading
import time
from dataclasses import replace

import joblib
import numpy as np
import pytest

import gazesal
from tests.evaluation.large_study import SIGMA, calls, make_cases, run, table_bytes

distributed = pytest.importorskip("distributed")


@pytest.fixture
def cluster(tmp_path):
    """Three processes of one thread each, and a client."""
    with (
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=tmp_path / "dask",
            silence_logs=50,
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


def test_a_cluster_that_loses_a_worker_makes_the_same_table(cluster, tmp_path):
    log = tmp_path / "log"
    lost = []

    def kill_midway():
        while sum(calls(log).values()) < 20:
            time.sleep(0.01)
        worker, process = next(iter(cluster.run(os.getpid).items()))
        os.kill(process, signal.SIGKILL)
        lost.append(worker)

    killer = threading.Thread(target=kill_midway)
    killer.start()
    with joblib.parallel_config(backend="dask"):
        got = run(60, tmp_path / "kept", log, 0.05)
    killer.join()
    assert len(lost) == 1
    assert len(make_cases(60)) <= sum(calls(log).values()) < 60 + 20  # the worker was lost midway
    alone = run(60, None, None)
    assert table_bytes(got) == table_bytes(alone)
    np.testing.assert_array_equal(got.center_bias.density(), alone.center_bias.density())


def _die():
    os._exit(9)


@pytest.mark.slow
def test_image_that_kills_every_worker_ends_the_run(cluster):
    cases = make_cases(8)
    cases[3] = replace(cases[3], maps={"noise": _die})
    with (
        joblib.parallel_config(backend="dask"),
        pytest.raises(
            ChildProcessError,
            match=r"(?s)a worker process ended while scoring.*images in progress were .*\bi003\b",
        ),
    ):
        gazesal.evaluate(cases, sigma=SIGMA, bad_images="list")
