"""The fixture that finds the shared folder skips or fails, and never passes silently."""

import pytest

from tests.shared_data import REQUIRED, shared_or_skip


def test_folder_beside_the_project_is_found(tmp_path):
    (tmp_path / "shared").mkdir()
    project = tmp_path / "project"
    assert shared_or_skip(project, {}) == tmp_path / "shared"
    assert shared_or_skip(project, {REQUIRED: "1"}) == tmp_path / "shared"


@pytest.mark.parametrize("environ", [{}, {REQUIRED: "0"}, {REQUIRED: ""}])
def test_absent_folder_skips_with_the_reason(tmp_path, environ):
    with pytest.raises(pytest.skip.Exception, match=r"\.\./shared"):
        shared_or_skip(tmp_path / "project", environ)


def test_absent_folder_fails_where_it_is_required(tmp_path):
    with pytest.raises(pytest.fail.Exception, match=REQUIRED):
        shared_or_skip(tmp_path / "project", {REQUIRED: "1"})


def test_a_file_of_that_name_is_not_the_folder(tmp_path):
    (tmp_path / "shared").write_text("")
    with pytest.raises(pytest.skip.Exception):
        shared_or_skip(tmp_path / "project", {})
