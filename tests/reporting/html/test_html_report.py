"""The HTML page is well formed, self-contained and safe, and shows the right numbers."""

import base64
import dataclasses
import io
import itertools
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

import gazesal
from gazesal.reporting.html.charts import Scale
from gazesal.reporting.labels import INTERVAL_LABELS, method_label
from tests.reporting.conftest import EVIL
from tests.reporting.html.html_page import parse, rows_of

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
pytest.importorskip("matplotlib", reason="the extra `report` is not installed")


def test_page_is_well_formed_with_unique_ids(any_page):
    root = parse(any_page)
    (html,) = root.all("html")
    assert html.attributes["lang"] == "en"
    ids = [each.attributes["id"] for each in root.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids)) > 5
    anchors = [each.attributes["href"].removeprefix("#") for each in root.all("a")]
    assert set(anchors) <= set(ids)


def test_page_loads_no_file_and_runs_no_script(any_page):
    root = parse(any_page)
    tags = {each.tag for each in root.all()}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "base", "audio"}
    for element in root.all():
        for name, value in element.attributes.items():
            assert not name.startswith("on"), name
            if name in {"src", "srcset", "href", "action", "data", "xlink:href"}:
                assert re.match(r"#|data:image/jpeg;base64,|https://doi\.org/", value), value
    (style,) = root.all("style")
    assert not re.search(r"@import|url\(|expression|http", style.text)
    policy = [each for each in root.all("meta") if "http-equiv" in each.attributes]
    assert policy[0].attributes["content"].startswith("default-src 'none'")


def test_means_equal_the_summary(evaluation, page):
    summary = evaluation.summary()
    header, *rows = rows_of(parse(page).by_id("means"))
    assert header == ["Map", "NCC", "AUC", "sNCC", "sAUC", "Residual NCC", "Images"]
    lines = gazesal.reporting.summary_text(summary).splitlines()[2:]
    expected = [re.split(r"  +", line) for line in lines]
    assert [[row[0].strip(), *row[1:-1]] for row in rows] == expected
    assert [row[-1] for row in rows] == ["8"] * 5
    best = [cell.text for cell in parse(page).by_id("means").all("b")]
    assert best == [f"{v:.3f}" for v in summary[summary["method"] == "good"]["estimate"]]


def test_charts_place_marks_at_the_numbers(evaluation, page):
    summary = evaluation.summary()
    sections = [e for e in parse(page).all("section") if e.attributes.get("class") == "metric"]
    for section, metric in zip(sections, evaluation.options.metrics, strict=True):
        rows = summary[summary["metric"] == metric]
        intervals, distributions = (
            [svg for svg in figure.all("svg") if svg.attributes.get("role") == "img"]
            for figure in section.all("figure")
        )
        scale = Scale(rows[["estimate", "low", "high"]].to_numpy())
        for svg, row in zip(intervals, rows.itertuples(), strict=True):
            (dot,) = svg.all("circle")
            assert float(dot.attributes["cx"]) == pytest.approx(scale.place(row.estimate), abs=0.06)
            (bar,) = svg.all("path")
            ends = re.match(r"M([\d.]+) [\d.]+H([\d.]+)", bar.attributes["d"]).groups()
            expected = [scale.place(row.low), scale.place(row.high)]
            assert [float(end) for end in ends] == pytest.approx(expected, abs=0.06)
            text = f"{method_label(row.method)}, .*: {row.estimate:.3f}".replace("-0.000", "0.000")
            assert re.match(text, svg.attributes["aria-label"])
        for svg, method in zip(distributions, rows["method"], strict=True):
            scores = evaluation.scores
            own = scores[(scores["method"] == method) & (scores["metric"] == metric)]
            half = own.groupby("image")["score"].mean().median()
            assert f"of 8 images, median {half:.3f}" in svg.attributes["aria-label"]
            assert len(list(svg.all("circle"))) == 8


def comparison_tables(text):
    tables = parse(text).all("table")
    return [each for each in tables if each.attributes.get("class") == "comparisons"]


def write_page(evaluation, folder, **options):
    path = gazesal.reporting.write_html_report(
        evaluation, folder / "r.html", n_extremes=0, **options
    )
    return path.read_text(encoding="utf-8")


def test_comparisons_hold_for_all_differences_of_a_table(evaluation, tmp_path):
    """Intervals, p-values and verdicts use one error, divided by the number of differences."""
    page = write_page(evaluation, tmp_path, summary=evaluation.summary(interval="t"))
    methods, metrics = evaluation.methods, evaluation.options.metrics
    against = [[(name, methods[0]) for name in methods[1:]]]
    against += [[(b, a) for a, b in itertools.combinations(methods[1:], 2)]]
    for table, pairs in zip(comparison_tables(page), against, strict=True):
        size = len(pairs) * len(metrics)
        words = f"95% intervals that hold for all {size} differences together (Student's t, "
        assert words in next(table.all("caption")).text
        confidence_level = 1 - 0.05 / size
        found = [
            row
            for pair in pairs
            for row in evaluation.compare(*pair, confidence_level=confidence_level)
        ]
        wanted = []
        for c in found:
            d, metric = c.difference, gazesal.METRICS[dict(c.group)["metric"]]
            p = min(1, size * 2 * stats.t.sf(abs(d.estimate) / d.standard_error, 7))
            stands_out = d.low > 0 or d.high < 0
            assert stands_out == (p < 0.05)
            better = method_label(c.method if d.estimate > 0 else c.reference)
            wanted.append(
                [
                    f"{method_label(c.method)} \N{MINUS SIGN} {method_label(c.reference)}",
                    metric.label,
                    f"{d.estimate:+.3f} [{d.low:+.3f}, {d.high:+.3f}]",
                    "<0.001" if p < 0.001 else f"{p:.3f}",
                    better if stands_out else "not distinguishable",
                    f"{c.effect_size:+.2f}",
                    f"{100 * c.share_higher:.0f}%",
                    "8",
                ]
            )
        assert sorted(rows_of(table)[1:]) == sorted(wanted)
        assert {row[4] for row in wanted} > {"not distinguishable"}


@pytest.mark.filterwarnings("ignore")  # eight images are few for some kinds
def test_page_uses_one_kind_of_interval(evaluation, tmp_path):
    options = dataclasses.replace(evaluation.options, metrics=("ncc",))
    scores = evaluation.scores[evaluation.scores["metric"] == "ncc"]
    evaluation = dataclasses.replace(evaluation, scores=scores, options=options)
    for kind in ("bootstrap", "bca", "basic", "studentized", "normal", "t"):
        summary = evaluation.summary(interval=kind, n_resamples=500)
        page = write_page(evaluation, tmp_path, summary=summary)
        named = {words for words in INTERVAL_LABELS.values() if f"({words}" in parse(page).text}
        assert named == {INTERVAL_LABELS[kind]}
        heads = [rows_of(table)[0] for table in comparison_tables(page)]
        assert all(("p, adjusted" in head) == (kind == "t") for head in heads)
    page = write_page(evaluation, tmp_path, summary=evaluation.summary(interval="study"))
    words = next(comparison_tables(page)[0].all("caption")).text
    assert "(Student's t, Bonferroni). The kind used for the means (pooled form of" in words
    assert "has no difference." in words


def test_comparisons_name_the_better_method_if_lower_is_better(evaluation, tmp_path):
    scores = evaluation.scores[evaluation.scores["metric"] == "ncc"].assign(metric="kl_divergence")
    better = scores["method"] == "noise"  # on every image
    scores.loc[better, "score"] -= 9
    options = dataclasses.replace(evaluation.options, metrics=("kl_divergence",))
    page = write_page(dataclasses.replace(evaluation, scores=scores, options=options), tmp_path)
    rows = rows_of(comparison_tables(page)[1])
    assert rows[0][-4:] == ["Better", "Effect", "First better on", "Images"]
    first = next(row for row in rows if row[0].startswith("noise "))
    second = next(row for row in rows if row[0].endswith(" noise"))
    assert (first[-4], first[-2]) == ("noise", "100%")
    assert (second[-4], second[-2]) == ("noise", "0%")
    assert "(lower is better), noise has the best mean of 3 maps" in parse(page).text
    assert "and is distinguishable from every other map." in parse(page).text


def test_headlines_state_if_the_best_map_is_distinguishable(evaluation, tmp_path):
    scores = evaluation.scores.copy()
    for metric, lead in (("ncc", 1e-9), ("sauc", 0.4)):
        own = scores["metric"] == metric
        values = scores[own & (scores["method"] == "noise")].set_index(["image", "observer"])
        for method in ("good", "noise"):
            rows = own & (scores["method"] == method)
            keys = list(zip(scores.loc[rows, "image"], scores.loc[rows, "observer"], strict=True))
            base = values["score"].reindex(keys).to_numpy()
            wobble = 0.1 * np.sin(np.arange(len(base))) if method == "good" else 0
            scores.loc[rows, "score"] = base + (lead + wobble if method == "good" else 0)
    changed = dataclasses.replace(evaluation, scores=scores)
    text = parse(write_page(changed, tmp_path)).text
    assert re.search(r"By NCC, \w+ has the best mean of 3 maps, [\d.]+, and is not disting", text)
    assert "By sAUC, good has the best mean of 3 maps, " in text
    sncc = changed.summary().set_index(["metric", "method"])["estimate"]["sncc"]["center_bias"]
    assert f"the inverse of the center bias, which uses no image, scores {-sncc:.3f}." in text


def test_floors_are_not_headlined_as_maps(evaluation, tmp_path):
    scores = evaluation.scores.replace({"method": {"good": "segmentation"}})
    text = parse(write_page(dataclasses.replace(evaluation, scores=scores), tmp_path)).text
    assert "Segmentation has the best mean" not in text
    assert "has the best mean of 2 maps" in text


@pytest.mark.parametrize("metric", ["ncc", "kl_divergence"])
def test_many_methods_are_compared_with_the_best(evaluation, tmp_path, metric):
    own = evaluation.scores.query("metric == 'ncc'").assign(metric=metric)
    more = [own.query("method == 'noise'").assign(method=f"noise{i}") for i in range(4)]
    options = dataclasses.replace(evaluation.options, metrics=(metric,))
    many = dataclasses.replace(evaluation, scores=pd.concat([own, *more]), options=options)
    path = gazesal.reporting.write_html_report(many, tmp_path / "r.html", n_extremes=0)
    tables = list(parse(path.read_text(encoding="utf-8")).all("table"))
    (table,) = [e for e in tables if next(e.all("caption")).text.startswith("Against ")][1:]
    summary = many.summary().set_index("method")["estimate"].drop("interobserver")
    summary = summary.drop("center_bias")  # a baseline
    best = method_label(summary.idxmax() if metric == "ncc" else summary.idxmin())
    words = next(table.all("caption")).text
    assert words.startswith(
        "Against the map with the best mean. 95% intervals that hold for all 28"
    )
    pairs = [row[0].split(" \N{MINUS SIGN} ") for row in rows_of(table)[1:]]
    assert len(pairs) == 7
    assert {second for _, second in pairs} == {best}


def test_groups_are_summarized_separately(evaluation, page):
    (table,) = [e for e in parse(page).all("table") if e.attributes.get("class") == "groups"]
    rows = rows_of(table)
    assert rows[0][:3] == ["site", "Map", "NCC"]
    assert [row[0] for row in rows[1:] if len(row) == 7] == ["north4 images", "south <i>4 images"]
    south = evaluation.scores[evaluation.scores["site"] == "south <i>"]
    summary = dataclasses.replace(evaluation, scores=south).summary()
    by = evaluation.summary(by="site")
    assert by[by["site"] == "south <i>"]["estimate"].tolist() == summary["estimate"].tolist()
    cells = [row[-5:] for row in rows[6:]]
    first = summary.iloc[0]
    assert cells[0][0] == f"{first.estimate:.3f} [{first.low:.3f}, {first.high:.3f}]"
    assert len(cells) == 5


def test_page_by_patient_uses_the_patient_as_unit_everywhere(evaluation, tmp_path):
    """Means, differences and groups use the patient, and the text names it."""
    patient = evaluation.scores["image"].map(lambda name: f"p{int(name[-1]) // 2}")
    both = dataclasses.replace(evaluation, scores=evaluation.scores.assign(patient=patient))
    summary = both.summary(unit="patient")
    found = both.compare("noise", "good", "sauc", unit="patient")[0].difference
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = write_page(both, tmp_path, summary=summary)
    assert "the patient is the unit" in text
    assert "the patient as the unit" in text
    assert "the image is the unit" not in text
    assert "Mean over images" not in text
    rows = [row for table in comparison_tables(text) for row in rows_of(table)]
    assert {row[-1] for row in rows} == {"patient", str(found.n_clusters)}
    (own,) = [row for row in rows if row[:2] == ["noise \N{MINUS SIGN} good", "sAUC"]]
    assert own[2].startswith(f"{found.estimate:+.3f}")
    groups = [e for e in parse(text).all("table") if e.attributes.get("class") == "groups"]
    assert [rows_of(table)[0][0] for table in groups] == ["site"]


def test_page_shows_caveats_of_groups_without_argument_names(evaluation, tmp_path):
    text = write_page(evaluation, tmp_path)
    assert "(interval=" not in text
    (table,) = [t for t in parse(text).all("table") if t.attributes.get("class") == "groups"]
    assert "may cover the truth" in next(table.all("caption")).text


def test_overlays_show_the_best_and_worst_images(evaluation, page):
    images = list(parse(page).all("img"))
    # 3 methods, each with 3 best and 3 worst images, each with its contributions
    assert len(images) == 3 * 6 * 2
    kinds = [image.attributes["alt"].split()[0] for image in images]
    assert kinds == ["Map", "Contributions"] * 18
    assert "red pixels raise the score" in parse(page).text
    for image in images:
        data = base64.b64decode(image.attributes["src"].partition(",")[2])
        with Image.open(io.BytesIO(data)) as shown:
            size = (int(image.attributes["width"]), int(image.attributes["height"]))
            assert shown.size == size
            assert np.ptp(np.asarray(shown.convert("L"))) > 50
    means = evaluation.scores.query("method == 'good' and metric == 'sauc'")
    means = means.groupby("image")["score"].mean().sort_values(ascending=False)
    captions = [figure.text for figure in parse(page).all("figure")]
    best = f"Best: {means.index[0]}sAUC {means.iloc[0]:.3f}"
    worst = f"Worst: {means.index[-1]}sAUC {means.iloc[-1]:.3f}"
    assert captions.index(best) < captions.index(worst)


def test_bad_images_are_listed_with_their_reasons(page):
    (table,) = [e for e in parse(page).all("table") if e.attributes.get("class") == "bad"]
    assert rows_of(table)[1:] == [["img <9>", "maps/good/img9.npy: is torn & bad"]]
    assert "1 image could not be scored" in parse(page).text


def test_undefined_scores_are_counted(evaluation, tmp_path):
    scores = evaluation.scores.copy()
    hit = (
        (scores["method"] == "noise") & (scores["metric"] == "ncc") & (scores["image"] == "img000")
    )
    scores.loc[hit, "score"] = np.nan
    path = gazesal.reporting.write_html_report(
        dataclasses.replace(evaluation, scores=scores), tmp_path / "r.html", n_extremes=0
    )
    root = parse(path.read_text(encoding="utf-8"))
    header, *rows = rows_of(root.by_id("means"))
    assert header[-1] == "Undefined scores"
    assert {row[0]: row[-1] for row in rows if row[-1] != "0"} == {"noise": "3"}
    assert "3 of 24 NCC scores are undefined" in root.text


def test_page_shows_settings_versions_fingerprint_and_citations(evaluation, page, tmp_path):
    root = parse(page)
    pairs = dict(
        zip((e.text for e in root.all("dt")), (e.text for e in root.all("dd")), strict=True)
    )
    assert pairs["sigma"] == "4.0, 4.0"
    assert pairs["scores: gazesal"] == pairs["page: gazesal"] == gazesal.__version__
    assert pairs["scores: numpy"] == np.__version__
    (fingerprint,) = root.all("code")
    changed = evaluation.scores.copy()
    changed.loc[0, "score"] = np.nextafter(changed.loc[0, "score"], 1)
    other = gazesal.reporting.write_html_report(
        dataclasses.replace(evaluation, scores=changed), tmp_path / "r.html", n_extremes=0
    )
    (different,) = parse(other.read_text(encoding="utf-8")).all("code")
    assert re.fullmatch("[0-9a-f]{64}", fingerprint.text)
    assert different.text != fingerprint.text
    (bibtex,) = root.all("pre")
    assert "{gazesal" in bibtex.text


def test_hostile_names_are_shown_as_text(evil_page):
    root = parse(evil_page)
    names = [row[0] for row in rows_of(root.by_id("means"))]
    assert set(EVIL) <= set(names)
    assert [e.text for e in root.all("h1")] == ["<b>&"]
    assert {"<i>", "</dl>"} <= {e.text for e in root.all("dt", "dd")}
    assert "49" not in "".join(name for name in names if "方法" in name)
    labels = [e.attributes.get("aria-label", "") for e in root.all("svg")]
    assert all(any(name in label for label in labels) for name in EVIL)


def test_images_charts_and_tables_have_text_for_screen_readers(any_page):
    root = parse(any_page)
    for image in root.all("img"):
        assert len(image.attributes["alt"]) > 30
    for svg in root.all("svg"):
        assert svg.attributes.get("aria-hidden") == "true" or svg.attributes["aria-label"]
    for table in root.all("table"):
        assert next(table.all("caption")).text
        assert all("scope" in cell.attributes for cell in table.all("th"))
    levels = [int(e.tag[1]) for e in root.all("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_page_fits_a_phone(any_page):
    """Check without a browser that wide elements scroll, shrink or wrap."""
    root = parse(any_page)
    for table in root.all("table"):
        assert table.parent.attributes["class"] == "scroll"
        for cell in table.all("th"):
            if cell.attributes["scope"] != "col":
                assert next(cell.all("div")).attributes["class"] == "name"
    for svg in root.all("svg"):
        assert "viewbox" in svg.attributes
        assert "width" not in svg.attributes
    (style,) = root.all("style")
    for rule in (
        r"\.scroll \{ overflow-x: auto",
        r"svg \{[^}]*width: 100%",
        r"img \{[^}]*width: 100%",
    ):
        assert re.search(rule, style.text)
    for selector in (r"pre \{", r"\.name \{", r"dd, dt,[^{]*h3 \{", r"p \{", r"\.row \.label b \{"):
        assert re.search(selector + r"[^}]*overflow-wrap: anywhere", style.text), selector


def colors(style):
    """Return the colors of the light and the dark page by name."""
    blocks = re.findall(r":root \{([^}]*)\}", style)[:2]
    return [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in blocks]


def luminance(color):
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_colors_have_enough_contrast_in_light_and_dark(page):
    """Text has a contrast of at least 4.5 and marks of at least 3, as WCAG 2.1 AA requires."""
    (style,) = parse(page).all("style")
    light, dark = colors(style.text)
    assert light.keys() == dark.keys()
    for theme in (light, dark):
        grounds = [luminance(theme[name]) for name in ("ground", "panel", "best")]
        for name, least in (("ink", 4.5), ("quiet", 4.5), ("link", 4.5), ("mark", 3.0)):
            for ground in grounds:
                low, high = sorted([luminance(theme[name]), ground])
                assert (high + 0.05) / (low + 0.05) >= least, name


def test_page_is_reproducible(evil, evil_page, tmp_path):
    path = gazesal.reporting.write_html_report(
        evil, tmp_path / "again.html", title="<b>&", settings={"<i>": "</dl>"}, n_extremes=1
    )
    assert path.read_text(encoding="utf-8") == evil_page


def test_page_of_thousands_of_images_is_small(evaluation, tmp_path):
    n, rng = 4000, np.random.default_rng(0)
    table = pd.MultiIndex.from_product(
        [[f"image{i}" for i in range(n)], ["all"], ["interobserver", "a", "b"], ["ncc"]],
        names=["image", "observer", "method", "metric"],
    ).to_frame(index=False)
    table["score"] = rng.normal(0.4, 0.1, len(table))
    table["site"] = rng.integers(0, 500, len(table))
    bad = pd.DataFrame({"image": [f"bad{i}" for i in range(n)], "reason": "is not there"})
    options = dataclasses.replace(evaluation.options, metrics=("ncc",))
    large = dataclasses.replace(evaluation, scores=table, options=options, bad_images=bad, cases=[])
    path = gazesal.reporting.write_html_report(large, tmp_path / "large.html")
    assert path.stat().st_size < 200_000
    root = parse(path.read_text(encoding="utf-8"))
    assert "488 smaller groups are left out" in root.text
    assert "4000 in total. The first 200 are listed" in root.text
    assert "the evaluation was loaded without its images" in root.text


def test_write_html_report_refuses_invalid_arguments(evaluation, tmp_path):
    path = tmp_path / "report.html"
    with pytest.raises(ValueError, match=r"`metric` must be one of 'ncc', .* got 'nss'"):
        gazesal.reporting.write_html_report(evaluation, path, metric="nss")
    with pytest.raises(ValueError, match="`n_extremes` must be at least 0"):
        gazesal.reporting.write_html_report(evaluation, path, n_extremes=-1)
    assert not path.exists()


def test_loaded_evaluation_gives_the_same_page_and_missing_pictures_a_reason(
    evaluation, page, tmp_path
):
    path = gazesal.reporting.write_html_report(
        evaluation, tmp_path / "report.html", pictures=tmp_path
    )
    root = parse(path.read_text(encoding="utf-8"))
    assert not list(root.all("img"))
    assert root.text.count("there is no picture of image 'img00") == 18
    evaluation.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    again = gazesal.reporting.write_html_report(
        loaded, tmp_path / "again.html", note="Synthetic <data>."
    )
    assert again.read_text(encoding="utf-8") == page
    memory = dataclasses.replace(
        evaluation,
        cases=[
            dataclasses.replace(c, maps={name: c.load_map(name) for name in c.maps})
            for c in evaluation.cases
        ],
    )
    memory.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    again = gazesal.reporting.write_html_report(loaded, tmp_path / "again.html")
    assert "was an array in memory, which is not saved" in again.read_text(encoding="utf-8")


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_page_without_the_extra_names_it(evaluation, tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"needs jinja2 and matplotlib: pip install 'gazesal\[r"):
        gazesal.reporting.write_html_report(evaluation, tmp_path / "report.html")


def test_scale_has_round_ticks_inside_its_range():
    for values in (
        [0.0, 1.0],
        [-0.2, 0.9],
        [3.0],
        [1e-9, 2e-9],
        [-5e6, 5e6],
        [np.nan],
        [0, np.nan],
    ):
        scale = Scale(values)
        ticks = scale.ticks()
        assert 1 <= len(ticks) <= 6
        assert all(scale.low <= tick <= scale.high for tick in ticks)
        assert all(0 <= scale.place(tick) <= 320 for tick in ticks)
