"""Tests of findings about the values, files and names of maps."""

import numpy as np
import pytest
from PIL import Image

import gazesal
from tests.auditing.studies import SHAPE, cases_of, checks, places_and_maps


@pytest.fixture(scope="module")
def study():
    """Return fixations and maps of 10 images."""
    return places_and_maps(n_images=10)


def found_in(study, maps, **options):
    """Return the names of the findings about the method."""
    cases = cases_of(study[0], {"mine": maps})
    audit = gazesal.audit(cases, **options)
    return {each.check for each in audit.findings if each.subject == "mine"}


def changed(study, change):
    """Return the maps after a change, except the first."""
    maps = {name: change(values) for name, values in study[1].items()}
    return {**maps, "image0": study[1]["image0"]}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda m: np.full_like(m, 0.3), "constant_map"),
        (lambda m: np.minimum(m, np.quantile(m, 0.9)), "clipped"),
        (lambda m: np.maximum(m, np.quantile(m, 0.7)), "ties"),
        (lambda m: np.rint(255 * m / m.max()), "steps"),
        (lambda m: np.rint(255 * m / m.max()) / 255, "steps"),
        (lambda m: (m > np.quantile(m, 0.9)).astype(float), "two_values"),
        (lambda m: m[:, :40], "proportions"),
        (lambda m: m.T, "transposed_map"),
    ],
)
def test_property_of_some_maps_is_found(study, change, check):
    assert check in found_in(study, changed(study, change))


def test_usual_maps_have_no_finding(study):
    assert found_in(study, study[1]) == set()


def test_normalization_of_every_map_is_found(study):
    assert "normalized" in found_in(study, {n: m / m.max() for n, m in study[1].items()})


def test_map_of_several_images_is_found(study):
    assert "same_map" in found_in(study, {**study[1], "image4": study[1]["image5"]})
    cases = cases_of(study[0], {"one": study[1], "two": study[1]})
    assert ("same_method", "two") in checks(gazesal.audit(cases))


def enlarged(values, shape, *, edges):
    """Enlarge a map by linear interpolation along each axis, from the definition."""
    for axis, length in enumerate(shape):
        cells = values.shape[axis]
        pixels = np.arange(length)
        places = (
            pixels * (cells - 1) / (length - 1) if edges else (pixels + 0.5) * cells / length - 0.5
        )
        values = np.apply_along_axis(
            lambda line, p=places, c=cells: np.interp(p, np.arange(c), line), axis, values
        )
    return values


@pytest.mark.parametrize("bits", [None, 8])
@pytest.mark.parametrize("cells", [(7, 7), (8, 10), (14, 14)])
def test_grid_that_was_stretched_to_the_edges_is_found(study, cells, bits):
    rng = np.random.default_rng(0)
    for edges in (True, False):
        maps = {
            name: enlarged(rng.random(cells), SHAPE, edges=edges).astype(np.float32)
            for name in study[1]
        }
        if bits:
            maps = {name: np.rint(255 * m / m.max()) for name, m in maps.items()}
        assert ("stretched_grid" in found_in(study, maps)) == edges


def test_resampled_map_is_not_a_stretched_grid(study):
    rng = np.random.default_rng(0)
    maps = {name: gazesal.resample(rng.random((7, 7)), SHAPE) for name in study[1]}
    assert "stretched_grid" not in found_in(study, maps)


def test_lossy_and_unreadable_files_are_found(study, tmp_path):
    maps = {}
    for name, values in study[1].items():
        maps[name] = tmp_path / f"{name}.jpg"
        Image.fromarray(np.uint8(255 * values / values.max())).save(maps[name])
    maps["image0"] = tmp_path / "image0.png"
    maps["image0"].write_bytes(b"no picture")
    cases = cases_of(study[0], {"mine": maps})
    found = checks(gazesal.audit(cases))
    assert ("unreadable", "mine") in found
    assert ("lossy_file", "mine") in found


def test_names_without_partner_are_found(study):
    points, maps = study
    table = [
        {"image": name, "observer": "ann", "x": x, "y": y, "duration": 200.0 + x}
        for name, own in points.items()
        for x, y in own
    ]
    given = {"mine": {("image10" if n == "image3" else n): m for n, m in maps.items()}}
    columns = {key: [row[key] for row in table] for key in table[0]}
    cases = gazesal.cases_from_tables(columns, given, SHAPE, unmapped="gaze_only")
    audit = gazesal.audit(cases, maps=given)
    assert checks(audit) == [("without_gaze", "mine"), ("without_map", "names")]
    messages = " ".join(each.message for each in audit.findings)
    assert "'image10'" in messages
    assert "'image3'" in messages


def test_tables_of_the_result(study):
    audit = gazesal.audit(cases_of(study[0], {"mine": study[1]}))
    frame = audit.to_frame()
    assert list(frame.columns) == [
        "level", "check", "subject", "message", "remedy", "p_value", "evidence",
    ]  # fmt: skip
    assert len(frame) == len(audit.findings)
    fits = audit.fits_frame()
    assert set(fits["verdict"]) <= {"given", "corrected", "cannot tell"}
    assert fits["p_value"].between(0, 1).all()
