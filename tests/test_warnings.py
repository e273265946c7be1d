"""Suppressing warnings does not change the filters that threads share."""

import re
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gazesal
from gazesal._warnings import collected, ignoring, muted, warn
from tests.evaluation.large_study import SIGMA, make_cases

PACKAGE = Path(gazesal.__file__).parent
# the command line has its process for itself
OWN_PROCESS = {"cli/run_contexts.py"}


def test_only_the_command_line_replaces_the_filters_of_the_process():
    using = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"(?<!`)warnings\.catch_warnings", path.read_text("utf-8"))
    }
    assert using <= OWN_PROCESS


@pytest.mark.parametrize("room", ["metrics", "maps", "stats", "evaluation"])
def test_rooms_that_are_muted_warn_by_the_helper(room):
    plain = [
        path.name
        for path in (PACKAGE / room).rglob("*.py")
        if "warnings.warn(" in path.read_text("utf-8")
    ]
    assert not plain


def test_muted_suppresses_the_category_in_this_thread_only():
    def undefined():
        warn("undefined", gazesal.UndefinedMetricWarning)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with muted(gazesal.UndefinedMetricWarning):
            undefined()
            warn("another", gazesal.OffImageWarning)
            other = threading.Thread(target=undefined)
            other.start()
            other.join()
        undefined()
    assert [str(each.message) for each in caught] == ["another", "undefined", "undefined"]


def test_collected_holds_the_messages_of_the_category_instead_of_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with collected(gazesal.IntervalWarning) as messages:
            warn("few units", gazesal.IntervalWarning)
            warn("another", gazesal.OffImageWarning)
        warn("after", gazesal.IntervalWarning)
    assert messages == ["few units"]
    assert [str(each.message) for each in caught] == ["another", "after"]


def test_muted_again_inside_adds_categories():
    with muted(gazesal.UndefinedMetricWarning), muted(gazesal.OffImageWarning):
        warn("undefined", gazesal.UndefinedMetricWarning)
        warn("off", gazesal.OffImageWarning)


def test_a_warning_names_the_line_of_the_caller():
    with pytest.warns(gazesal.UndefinedMetricWarning) as caught:
        gazesal.ncc(np.ones((3, 4)), np.eye(3, 4))
    assert caught[0].filename == __file__


@pytest.fixture(scope="module")
def few():
    """Eight images in two groups."""
    cases = [replace(case, groups={"half": case.groups["half"]}) for case in make_cases(8)]
    return gazesal.evaluate(cases, sigma=SIGMA, metrics=["ncc", "sauc"])


def test_a_warning_names_the_caller_of_a_method_that_calls_a_function(few):
    with pytest.warns(gazesal.IntervalWarning) as caught:
        few.compare("noise", "center_bias")
    assert {each.filename for each in caught} == {__file__}


def test_reports_state_caveats_without_a_warning(few, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", gazesal.IntervalWarning)
        gazesal.reporting.write_report(few, tmp_path)
        page = gazesal.reporting.write_html_report(few, tmp_path / "page.html")
    text = page.read_text("utf-8")
    assert "6 of 6 t intervals" in text  # of all images
    assert "12 of 12 t intervals" in text  # of the two groups


def test_ignoring_in_overlapping_threads_restores_the_filters():
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def first():
        with ignoring("of another library", module="gazesal"):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    with ignoring("of another library", module="gazesal"):
        warnings.filterwarnings("error", "set meanwhile")
        leave.set()
        thread.join()
        assert len(warnings.filters) == len(before) + 2
    assert list(warnings.filters[1:]) == before
    warnings.filters.pop(0)


def test_ignoring_keeps_other_warnings():
    with ignoring("this one", category=UserWarning):
        warnings.warn("this one and more", UserWarning, stacklevel=1)
        with pytest.warns(UserWarning, match="another"):
            warnings.warn("another", UserWarning, stacklevel=1)


def test_evaluate_in_threads_leaves_the_filters_and_the_warnings():
    rng = np.random.default_rng(0)
    cases = [
        gazesal.Case(
            image=str(k),
            shape=(24, 30),
            gaze={
                name: gazesal.Gaze(points=rng.uniform(0, 23, (6, 2)), durations=np.ones(6))
                for name in "ab"
            },
            maps={"flat": np.ones((24, 30))},
        )
        for k in range(6)
    ]
    before = list(warnings.filters)
    for _ in range(5):
        threads = [
            threading.Thread(target=gazesal.evaluate, args=(cases,), kwargs={"sigma": 2.0})
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(warnings.filters) == before
    with pytest.warns(gazesal.UndefinedMetricWarning):
        gazesal.ncc(np.ones((3, 4)), np.eye(3, 4))
