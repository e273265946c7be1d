"""Check that tests skip or fail if the folder of reference data is missing."""

import pytest

from tests.shared_data import REQUIRED, shared_or_skip


def test_folder_beside_the_project_is_found(tmp_path):
    (tmp_path / "shared").mkdir()
    project = tmp_path / "project"
    assert shared_or_skip(project, {}) == tmp_path / "shared"
    assert shared_or_skip(project, {REQUIRED: "1"}) == tmp_path / "shared"


@pytest.mark.parametrize("environ", [{}, {REQUIRED: "0"}, {REQUIRED: ""}])
def test_missing_folder_skips_with_the_reason(tmp_path, environ):
    with pytest.raises(pytest.skip.Exception, match=r"\.\./shared"):
        shared_or_skip(tmp_path / "project", environ)


def test_missing_folder_fails_if_required(tmp_path):
    with pytest.raises(pytest.fail.Exception, match=REQUIRED):
        shared_or_skip(tmp_path / "project", {REQUIRED: "1"})


def test_file_of_that_name_is_ignored(tmp_path):
    (tmp_path / "shared").write_text("")
    with pytest.raises(pytest.skip.Exception):
        shared_or_skip(tmp_path / "project", {})
