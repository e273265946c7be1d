"""Configure warnings in tests and examples."""

import pytest


def pytest_collection_modifyitems(items):
    """Ignore `IntervalWarning`, because tests and examples of other things have few images.

    The tests of the warning itself catch it or turn it into an error.
    """
    for item in items:
        ignore = "ignore::gazesal.exceptions.IntervalWarning"
        item.add_marker(pytest.mark.filterwarnings(ignore), append=False)
