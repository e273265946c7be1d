"""Imported by a server of processes before it forks them: everything they need is there then."""

from tests.evaluation.large_study import run

run(2, None, None)
