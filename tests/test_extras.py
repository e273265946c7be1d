"""Check that tests of optional libraries fail if all libraries must be installed."""

import os

import pytest

from tests.extras import ELSEWHERE, REQUIRED, import_or

SKIP = import_or(pytest.importorskip, {})


@pytest.mark.parametrize("environ", [{}, {REQUIRED: "0"}, {REQUIRED: "1"}])
def test_installed_library_is_imported(environ):
    assert import_or(SKIP, environ)("os") is os
    assert import_or(SKIP, environ)("os.path", reason="unused") is os.path


@pytest.mark.parametrize("environ", [{}, {REQUIRED: "0"}, {REQUIRED: ""}])
def test_missing_library_skips_the_test(environ):
    skip = import_or(lambda name: pytest.skip(f"could not import {name!r}"), environ)
    with pytest.raises(pytest.skip.Exception, match="no_such_library"):
        skip("no_such_library")


def test_missing_library_fails_the_test_if_extras_are_required():
    skip = import_or(lambda name: pytest.skip(f"could not import {name!r}"), {REQUIRED: "1"})
    with pytest.raises(pytest.fail.Exception, match=f"{REQUIRED}.*no_such_library"):
        skip("no_such_library")
    for name in ELSEWHERE:
        with pytest.raises(pytest.skip.Exception, match=name):
            skip(name)


def test_all_test_modules_use_the_variant():
    expected = "import_or_fail" if os.environ.get(REQUIRED) == "1" else "importorskip"
    assert pytest.importorskip.__name__ == expected
