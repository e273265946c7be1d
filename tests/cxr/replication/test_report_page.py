"""Tests of the page of a replication: its numbers, and that it is self-contained."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
pytest.importorskip("matplotlib", reason="the extra `report` is not installed")

from gazesal.cxr.replication import tables
from gazesal.cxr.replication.report_page import _charts, write_page
from gazesal.cxr.replication.report_parts import Table
from gazesal.cxr.replication.report_sections import sections_of
from tests.reporting.html.html_page import parse, rows_of

METRICS = ("ncc", "auc_borji", "sncc", "sauc")


def scores_of(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (f"image{i}", reader, model, metric, method, rng.normal(0.5, 0.1), i % 2 == 0)
        for i in range(6)
        for reader in range(2)
        for model in range(2)
        for method in tables.ROWS
        for metric in METRICS
    ]
    names = ["image", "reader", "model", "metric", "method", "score", "abnormal"]
    return pd.DataFrame(rows, columns=names)


def write(folder, seed=0, *, compared=True):
    scores = scores_of(seed)
    Image.new("RGB", (80, 40), "white").save(folder / "figure.png")
    sections, made = sections_of(
        aucs=pd.DataFrame(), scores=scores, seed=0, figure="figure.png", compared=compared
    )
    write_page(
        folder / "report.html",
        title="A <title>",
        notes=["Synthetic <data>"],
        facts=["a & b"],
        sections=sections,
        tables=made,
        scores=scores,
        settings={"epochs": 75, "preset": "<paper>"},
        compared=compared,
    )
    return (folder / "report.html").read_text("utf-8"), sections


def test_page_has_every_table_with_its_numbers(tmp_path):
    page, sections = write(tmp_path)
    root = parse(page)
    wanted = [part for section in sections for part in section.parts if isinstance(part, Table)]
    found = list(root.all("table"))
    assert len(found) == len(wanted) == 8
    for table, part in zip(found, wanted, strict=True):
        header, *rows = rows_of(table)
        assert header == [part.corner, *part.columns]
        cells = [[name, *(str(row[c]) for c in part.columns)] for name, row in part.rows.items()]
        assert rows == cells
    assert "0.343 [0.311, 0.375]" in rows_of(found[0])[8]  # Table 1 of the paper
    (figure,) = [section for section in sections if section.name == "figure_1"]
    assert any(each.text == figure.parts[0] for each in root.all("p"))
    ids = [each.attributes["id"] for each in root.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    assert {each.attributes["href"][1:] for each in root.all("a")} <= set(ids)
    assert sum(svg.attributes.get("role") == "img" for svg in root.all("svg")) == 2 * 4 * 10


def test_page_is_self_contained_and_escaped(tmp_path):
    page, _ = write(tmp_path, compared=False)
    root = parse(page)
    assert not {each.tag for each in root.all()} & {"script", "link", "iframe", "object"}
    (image,) = root.all("img")
    assert re.match(r"data:image/png;base64,", image.attributes["src"])
    (note,) = [each for each in root.all("p") if each.attributes.get("class") == "note"]
    assert note.text.startswith("Synthetic <data>. The paper's numbers are not shown")
    assert ", paper" not in page
    (bibtex,) = root.all("pre")
    assert "@misc{gazesal" in bibtex.text
    assert "bigolin2021" in bibtex.text


def test_page_depends_on_the_scores(tmp_path):
    first, _ = write(tmp_path)
    assert write(tmp_path)[0] == first
    other, _ = write(tmp_path, seed=1)
    prints = [parse(page).by_id("made").text[-300:] for page in (first, other)]
    assert prints[0] != prints[1]


def test_zero_has_no_sign_beside_its_chart():
    table = pd.DataFrame(
        {"metric": "ncc", "method": "AM1", "estimate": [0.01], "low": [-0.0002], "high": [0.02]}
    )
    (chart,) = _charts(table)
    assert chart["rows"][0]["text"] == "0.010 [0.000, 0.020]"
