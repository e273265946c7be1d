"""Check that broken links inside the built documentation are found."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[1] / ".ci" / "check_links.py"


def check(folder):
    return subprocess.run(
        [sys.executable, CHECK, folder], capture_output=True, text=True, check=False
    )


@pytest.fixture
def site(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a b.html").write_text('<p id="here">é</p><a name="old"></a>', encoding="utf-8")
    (tmp_path / "sub" / "index.html").write_text('<img src="../picture.png">', encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"")
    return tmp_path


def write(site, *links):
    text = "\n".join(f'<a href="{link}">x</a>' for link in links)
    (site / "page.html").write_text(text, encoding="utf-8")


def test_working_links_pass(site):
    write(site, "a%20b.html#here", "a%20b.html#old", "sub/", "sub/index.html", "#", "picture.png#x")
    done = check(site)
    assert done.returncode == 0, done.stderr
    assert "3 pages" in done.stdout


def test_links_to_other_sites_are_not_followed(site):
    write(site, "https://example.org/nothing", "//example.org/x", "mailto:a@example.org", "data:,x")
    assert check(site).returncode == 0


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("#footcite-nobody", "no such anchor"),
        ("a%20b.html#there", "no such anchor"),
        ("missing.html", "no such file"),
        ("missing.html#here", "no such file"),
        ("../outside.html", "no such file"),
        ("/page.html", "no such file"),
    ],
)
def test_broken_link_fails_with_its_place(site, link, problem):
    write(site, "#", link)
    (site.parent / "outside.html").write_text("", encoding="utf-8")
    done = check(site)
    assert done.returncode == 1
    assert f"page.html, line 2: {link}: {problem}" in done.stderr
    assert "1 broken links" in done.stderr


def test_folder_without_pages_fails(tmp_path):
    assert check(tmp_path).returncode == 1
