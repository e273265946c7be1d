"""Cases whose maps log when they are computed, and runs of them in processes that can be killed."""

import os
import time
from collections import Counter
from pathlib import Path
from zlib import crc32

import numpy as np

import gazesal

SHAPE = (24, 32)
SIGMA = 2.5


class LoggedMap:
    """A random map seeded by its name, which adds a line to a file each time it is computed."""

    def __init__(self, image, log=None, delay=0.0, shape=SHAPE):
        self.image, self.log, self.delay, self.shape = image, log, delay, shape

    @property
    def fingerprint(self):
        return f"noise of {self.image}"

    def __call__(self):
        if self.log is not None:
            handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(
                handle, f"{self.image}\n".encode()
            )  # one write, so that lines of processes do not mix
            os.close(handle)
        time.sleep(self.delay)
        return np.random.default_rng(crc32(self.image.encode())).random(self.shape)


def make_cases(n, log=None, delay=0.0, readers=("ann", "bob", "cy")):
    """Return images with fixations, a group, and a map that is computed on use."""
    cases = []
    for number in range(n):
        rng = np.random.default_rng([n, number])
        gaze = {
            reader: gazesal.Gaze(
                points=rng.uniform(0, [SHAPE[1] - 1, SHAPE[0] - 1], (6, 2)),
                durations=rng.uniform(0.1, 1, 6),
            )
            for reader in readers
        }
        image = f"i{number:03}"
        maps = {"noise": LoggedMap(image, log, delay)}
        groups = {"half": "ab"[number % 2], "number": number}
        cases.append(gazesal.Case(image=image, shape=SHAPE, gaze=gaze, maps=maps, groups=groups))
    return cases


def run(n, checkpoint, log, delay=0.0, n_jobs=None, **options):
    """Evaluate the images; used as the main function of a process."""
    return gazesal.evaluate(
        make_cases(n, log, delay), sigma=SIGMA, checkpoint=checkpoint, n_jobs=n_jobs, **options
    )


def table_bytes(evaluation):
    """Return the table as sorted bytes."""
    table = evaluation.scores
    table = table.sort_values([c for c in table.columns if c != "score"], ignore_index=True)
    return table["score"].to_numpy().tobytes() + table.drop(columns="score").to_csv().encode()


def calls(log):
    """Count how often the map of each image was computed."""
    return Counter(Path(log).read_text().split()) if Path(log).exists() else Counter()
