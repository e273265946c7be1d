"""Warnings in tests and examples."""

import pytest


def pytest_collection_modifyitems(items):
    """Ignore `IntervalWarning`: tests and examples of other things have few images on purpose.

    The tests of the warning itself catch it or make it an error.
    """
    for item in items:
        ignore = "ignore::gazesal.exceptions.IntervalWarning"
        item.add_marker(pytest.mark.filterwarnings(ignore), append=False)
