"""Evaluations and pages for the tests of reporting."""

import dataclasses

import pandas as pd
import pytest

import gazesal
from tests.plain_study import HEIGHT, WIDTH, write_plain_study

EVIL = {
    "<script>alert(1)</script>": "good",
    "\"'><img src=x onerror=alert(1)>": "noise",
    "a_name_without_any_space_" * 8: "noise",
    "методы 方法 \N{DIRECT HIT} {{ 7 * 7 }}": "other_image",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_plain_study(tmp_path_factory.mktemp("study"), n_images=8)


def cases_of(study, evil=False):
    maps = dict(gazesal.find_maps(study / "maps"))
    if evil:
        maps = {name: maps[method] for name, method in EVIL.items()}
    table = gazesal.read_fixations(study / "fixations.csv")
    cases = gazesal.cases_from_tables(table, maps, (HEIGHT, WIDTH))
    sites = ["north", "south <i>"]
    return [
        dataclasses.replace(
            case,
            groups={"site": sites[i % 2]},
            picture=study / "images" / f"{case.image}.npy",
        )
        for i, case in enumerate(cases)
    ]


@pytest.fixture(scope="module")
def evaluation(study):
    found = gazesal.evaluate(cases_of(study), sigma=4.0, resize="bilinear")
    bad = pd.DataFrame({"image": ["img <9>"], "reason": ["maps/good/img9.npy: is torn & bad"]})
    return dataclasses.replace(found, bad_images=bad)


@pytest.fixture(scope="module")
def evil(study):
    return gazesal.evaluate(
        cases_of(study, evil=True), sigma=4.0, resize="bilinear", metrics=["ncc", "sauc"]
    )


@pytest.fixture(scope="module")
def page(evaluation, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    assert gazesal.reporting.write_html_report(evaluation, path, note="Synthetic <data>.") == path
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def evil_page(evil, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    gazesal.reporting.write_html_report(
        evil, path, title="<b>&", settings={"<i>": "</dl>"}, n_extremes=1
    )
    return path.read_text(encoding="utf-8")


@pytest.fixture(params=["page", "evil_page"])
def any_page(request):
    return request.getfixturevalue(request.param)
