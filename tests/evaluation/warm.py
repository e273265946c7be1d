"""Imports of the processes of a fork server, made once before it forks."""

from tests.evaluation.large_study import run

run(2, None, None)
