"""Escaping of names from files in terminals, tables and pages."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal._text import csv_cell, csv_text, from_csv_cell, markdown_text, printable

CONTROLS = [chr(code) for code in (*range(32), *range(127, 160), 0x2028, 0x2029, 0x202E, 0xD800)]


@pytest.mark.parametrize("letter", CONTROLS, ids=ascii)
def test_control_characters_are_escaped(letter):
    shown = printable(f"a{letter}b")
    assert letter not in shown
    assert shown.startswith("a\\")
    assert letter not in csv_cell(f"a{letter}b")
    assert letter not in markdown_text(f"a{letter}b") or letter == "\n"


@pytest.mark.parametrize("name", ["plain", "методы 方法 \N{DIRECT HIT}", "a\u3000b\u00a0c", "a\\b"])
def test_letters_of_all_scripts_stay(name):
    assert printable(name) == csv_cell(name) == name


def test_kept_characters_stay():
    assert printable("a\n\x1bb\n", keep="\n") == "a\n\\x1bb\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "\r@", "\n-", "\uff1d"])
def test_formulas_are_marked(start):
    cell = csv_cell(f"{start}SUM(1)")
    assert cell.startswith("'")
    assert from_csv_cell(cell) == f"{start}SUM(1)"


@pytest.mark.parametrize("number", ["-1", "+2.5", "-.5e-3", "1e5"])
def test_numbers_are_not_formulas(number):
    assert csv_cell(number) == number


@given(st.text(st.characters(exclude_categories=()), max_size=12))
def test_every_name_is_recovered_from_its_cell(name):
    assert from_csv_cell(csv_cell(name)) == name


@given(st.text("=+-@'\\x1b\t\r\n\u202e,\"", max_size=8))
def test_names_of_dangerous_letters_are_recovered_and_safe(name):
    text = csv_text(pd.DataFrame({"image": [name], "n": [1.5]}))
    (row,) = list(csv.reader(io.StringIO(text)))[1:]
    assert from_csv_cell(row[0]) == name
    assert row[1] == "1.5"
    assert text.count("\n") == 2


def test_headings_and_categories_are_marked_and_numbers_stay():
    table = pd.DataFrame({"=a": pd.Categorical(["@b", "c"]), "n": [-0.1, 1e-300], "m": [-1, 2]})
    assert csv_text(table) == "'=a,n,m\n'@b,-0.1,-1\nc,1e-300,2\n"


def test_markdown_shows_markup_as_text():
    escaped = markdown_text("<b>|[x](y)*_a_*`c`&lt;$1$")
    assert escaped == r"&lt;b\>\|\[x\](y)\*\_a\_\*\`c\`\&lt;\$1\$"
    assert markdown_text("my_metric & a-b.c (1)") == "my_metric & a-b.c (1)"
    assert markdown_text("# a\n- b\n2. c") == "\\# a\n\\- b\n2. c"
