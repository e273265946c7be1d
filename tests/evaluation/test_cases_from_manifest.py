"""A manifest in any format gives the same cases as tables and folders, or an error."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

import gazesal
from tests.plain_study import HEIGHT, METHODS, WIDTH, write_plain_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a study on disk with a file of fixations per reading, which tests must not change."""
    folder = write_plain_study(tmp_path_factory.mktemp("study"))
    table = pd.read_csv(folder / "fixations.csv")
    for (image, observer), rows in table.groupby(["image", "observer"]):
        path = folder / "readings" / f"{image}_{observer}.csv"
        path.parent.mkdir(exist_ok=True)
        rows[["x", "y", "duration"]].to_csv(path, index=False)
    return folder


def records(study, **more):
    """Return rows of a manifest of the study; further columns are functions of the image."""
    rows = []
    for i in range(4):
        image = f"img{i:03d}"
        row = {"image": image, "width": WIDTH, "height": HEIGHT}
        row |= {f"map:{name}": f"maps/{name}/{image}.npy" for name in METHODS}
        row |= {f"gaze:observer{k}": f"readings/{image}_observer{k}.csv" for k in range(3)}
        row |= {"picture": f"images/{image}.npy", "group:site": "north" if i < 2 else "south"}
        rows.append(row | {name: value(image) for name, value in more.items()})
    return pd.DataFrame(rows)


def write(table, path):
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        lines = [json.dumps(row) for row in table.astype(object).to_dict("records")]
        path.write_text("\n".join(lines) if path.suffix == ".jsonl" else f"[{','.join(lines)}]")
    return path


@pytest.fixture
def cases_of(study, tmp_path):
    """Return cases of a manifest in another folder, with the study as its root."""

    def make(table, suffix=".csv", **options):
        path = write(table, tmp_path / f"manifest{suffix}")
        return gazesal.cases_from_manifest(path, root=study, **options)

    return make


@pytest.fixture(scope="module")
def expected(study):
    table = gazesal.read_fixations(study / "fixations.csv")
    maps = gazesal.find_maps(study / "maps")
    return gazesal.cases_from_tables(table, maps, (HEIGHT, WIDTH))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ".jsonl"])
def test_every_format_gives_the_cases_of_tables_and_folders(study, cases_of, expected, suffix):
    cases = cases_of(records(study).sample(frac=1, random_state=1), suffix)
    assert [case.image for case in cases] == [case.image for case in expected]
    for case, other in zip(cases, expected, strict=True):
        assert (case.shape, dict(case.maps)) == (other.shape, dict(other.maps))
        assert case.picture == study / "images" / f"{case.image}.npy"
        assert list(case.gaze) == list(other.gaze)
        for observer, gaze in other.gaze.items():
            found = case.load_gaze(observer)
            np.testing.assert_array_equal(found.points, gaze.points)
            np.testing.assert_array_equal(found.durations, gaze.durations)
    assert [case.groups["site"] for case in cases] == ["north", "north", "south", "south"]


def test_scores_do_not_depend_on_n_jobs(study, cases_of, expected):
    options = {"sigma": 4.0, "resize": "bilinear", "metrics": ["ncc"]}
    from_tables = gazesal.evaluate(expected, **options).scores
    cases = cases_of(records(study))
    for n_jobs in (1, 2):
        found = gazesal.evaluate(cases, n_jobs=n_jobs, **options).scores
        pd.testing.assert_frame_equal(found[list(from_tables.columns)], from_tables)


def test_saved_evaluation_finds_its_files(study, cases_of, tmp_path):
    np.savez(study / "saved.npz", **{f"img{i:03d}": np.eye(4) for i in range(4)})
    table = records(study).assign(**{"map:stored": "saved.npz"})
    options = {"sigma": 4.0, "resize": "bilinear", "metrics": ["ncc"]}
    first = gazesal.evaluate(cases_of(table, columns={"x": "x"}), **options)
    first.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    assert loaded.cases == first.cases
    again = gazesal.evaluate(loaded.cases, **options)
    pd.testing.assert_frame_equal(again.scores, first.scores, check_exact=True)


def test_a_table_of_fixations_is_joined_by_image(study, cases_of, expected):
    table = records(study).drop(columns=[f"gaze:observer{k}" for k in (0, 1, 2)])
    for fixations in (study / "fixations.csv", gazesal.read_fixations(study / "fixations.csv")):
        cases = cases_of(table.head(3), fixations=fixations)
        assert [list(case.gaze) for case in cases] == [list(case.gaze) for case in expected[:3]]
    own = records(study).drop(columns=["gaze:observer1"])
    with pytest.raises(ValueError, match="observer 'observer0' of image 'img000' must have one"):
        cases_of(own, fixations=study / "fixations.csv")


def test_gaze_may_be_a_map_and_a_reader_absent(study, cases_of):
    table = records(study)
    table["gaze:observer1"] = table["map:good"]
    table.loc[2, "gaze:observer2"] = ""
    cases = cases_of(table)
    assert list(cases[2].gaze) == ["observer0", "observer1"]
    density = cases[2].load_gaze("observer1", resize="bilinear")
    assert density.shape == (HEIGHT, WIDTH)
    assert density.sum() == pytest.approx(1)


def test_maps_in_stores_are_found_by_image_or_key(study, cases_of):
    values = {f"img{i:03d}": np.full((3, 4), float(i)) for i in range(4)}
    np.savez(study / "all.npz", **values)
    np.savez(study / "one.npz", np.full((3, 4), 9.0))
    table = records(study)
    table["map:stored"] = "all.npz"
    table["map:keyed"] = "all.npz#img003"
    table["map:one"] = "one.npz"
    for i, case in enumerate(cases_of(table)):
        assert case.load_map("stored")[0, 0] == i
        assert case.load_map("keyed")[0, 0] == 3
        assert case.load_map("one")[0, 0] == 9
        assert pickle.loads(pickle.dumps(case)).load_map("stored")[0, 0] == i  # noqa: S301
    table["map:keyed"] = "all.npz#none"
    with pytest.raises(ValueError, match=r"column 'map:keyed': .*must have the array 'none'"):
        cases_of(table)


def test_boxes_biases_and_images_that_are_not_scored(study, cases_of):
    table = records(study, center_bias=lambda image: f"maps/noise/{image}.npy")
    for name, value in zip(("x_min", "y_min", "x_max", "y_max"), (1, 2.5, 30, 40), strict=True):
        table[name] = value
    table["scored"] = [True, False, True, True]
    cases = cases_of(table)
    assert cases[0].box == (1, 2.5, 30, 40)
    assert cases[0].center_bias == study / "maps" / "noise" / "img000.npy"
    assert [case.scored for case in cases] == [True, False, True, True]


def test_missing_map_raises_or_gives_gaze_only(study, cases_of):
    table = records(study)
    table.loc[1, "map:noise"] = None
    with pytest.raises(ValueError, match="method 'noise' has no map of image 'img001'"):
        cases_of(table)
    cases = cases_of(table, unmapped="gaze_only")
    assert [case.scored for case in cases] == [True, False, True, True]


def test_missing_files_raise_at_once_or_when_read(study, cases_of):
    table = records(study)
    table.loc[2, "map:good"] = "maps/good/other.npy"
    with pytest.raises(ValueError, match=r"line 4, column 'map:good': .*other\.npy must exist"):
        cases_of(table)
    case = cases_of(table, absent="keep")[2]
    with pytest.raises(FileNotFoundError, match=r"other\.npy"):
        case.load_map("good")


def test_file_of_fixations_is_read_with_the_options(study, tmp_path):
    (tmp_path / "a.csv").write_text("image,observer,X,y\nimg,ann,2,1\nimg,ann,99,1\n")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("image,width,height,gaze:ann\nimg,9,9,a.csv\n")
    options = {"columns": {"x": "X", "duration": ""}, "origin": "one_based"}
    with pytest.warns(gazesal.OffImageWarning, match="in 1 files .* without being counted"):
        case = gazesal.cases_from_manifest(manifest, outside="drop", **options)[0]
    assert case.load_gaze("ann").points.tolist() == [[1.0, 0.0]]
    case = gazesal.cases_from_manifest(manifest, **options)[0]
    with pytest.raises(ValueError, match=r"a\.csv, line 3: \(98, 0\) of observer ann lies outside"):
        case.load_gaze("ann")
    assert "a.csv" in case.gaze["ann"].fingerprint
    manifest.write_text("image,width,height,gaze:bob\nimg,9,9,a.csv\n")
    case = gazesal.cases_from_manifest(manifest, **options)[0]
    message = r"a\.csv, line 2, column 'observer': must be 'bob', whose file this is, got 'ann'"
    with pytest.raises(ValueError, match=message):
        case.load_gaze("bob")


CLIMBING = [
    "../secret.npy",
    "maps/../../secret.npy",
    "/etc/secret.npy",
    "C:\\secret.npy",
    "..\\a.npy",
]


@pytest.mark.parametrize("path", CLIMBING)
@pytest.mark.parametrize("column", ["map:good", "gaze:observer0", "picture"])
def test_no_path_leads_out_of_the_root(study, cases_of, path, column):
    table = records(study)
    table.loc[0, column] = path
    with pytest.raises(ValueError, match=f"line 2, column '{column}': must be a path inside"):
        cases_of(table, absent="keep")


BAD = {
    "size": ({"width": "12.5"}, "line 3, column 'width': must be a whole number of pixels"),
    "zero": ({"height": "0"}, "line 3, column 'height': must be a whole number of pixels"),
    "image": ({"image": " "}, "line 3, column 'image': must be the name of an image"),
    "twice": ({"image": "img000"}, "line 3, column 'image': img000 is named a second time, after"),
    "kind": ({"map:good": "a.gif"}, r"line 3, column 'map:good': must be a map \(\.npy, \.npz"),
    "box": ({"x_min": "a"}, "line 3, column 'x_min': must be a finite number"),
    "box order": ({"x_max": "0"}, "line 3, column 'x_max': must be more than x_min, got 0 and 1"),
    "box part": ({"y_max": ""}, "line 3, column 'y_max': must be a number like the other"),
    "scored": ({"scored": "perhaps"}, "line 3, column 'scored': must be True or False"),
}


@pytest.mark.parametrize("case", BAD)
def test_invalid_value_names_line_and_column(study, cases_of, case):
    changes, message = BAD[case]
    more = {name: lambda _: "1" for name in ("x_min", "y_min")}
    more |= {name: lambda _: "5" for name in ("x_max", "y_max")}
    table = records(study, **more, scored=lambda _: "True").astype(object)
    for name, value in changes.items():
        table.loc[1, name] = value
    with pytest.raises(ValueError, match=rf"manifest\.csv, {message}"):
        cases_of(table)


def test_invalid_columns_are_named(study, cases_of):
    table = records(study)
    for wrong in ("maps:good", "map:", ":good"):
        with pytest.raises(ValueError, match=f"column '{wrong}' must be one of map:NAME"):
            cases_of(table.rename(columns={"map:good": wrong}))
    for wrong in ("Center bias", "centre_bias"):  # codespell:ignore centre
        with pytest.raises(ValueError, match="must be written 'center_bias'"):
            cases_of(table.assign(**{wrong: ""}))
    with pytest.raises(ValueError, match="column 'height' is missing"):
        cases_of(table.drop(columns="height"))
    with pytest.raises(ValueError, match="column 'x_max' is missing"):
        cases_of(table.assign(x_min=1, y_min=1, y_max=2))
    with pytest.raises(ValueError, match="must not name a method like a baseline"):
        cases_of(table.rename(columns={"map:good": "map:center_bias"}))
    with pytest.raises(ValueError, match="must have a row"):
        cases_of(table.head(0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "must be a list of records"),
        ("[1]", "record 1: must be an object, got 1"),
        ('[{"image": "a", "image": "b"}]', "must differ, got 'image' 2 times"),
        ('[{"image": ["a"]}]', "record 1, column 'image': must be text or a number"),
        ('[{"width": NaN}]', "NaN is not valid JSON"),
        ("[", "cannot be read as JSON records"),
        ("[" * 100_000, "cannot be read as JSON records"),
    ],
)
def test_invalid_json_is_named(tmp_path, text, message):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"manifest\.json.*{message}"):
        gazesal.cases_from_manifest(path)


def test_integer_names_remain_integers_with_missing_rows(tmp_path):
    """Parquet stores them as floats, which would name an image 7.0 instead of 7."""
    table = pd.DataFrame(
        {"image": [7, 8], "width": [5.0, 6.0], "height": 4, "group:age": [61, None]}
    )
    table.to_parquet(tmp_path / "manifest.parquet")
    cases = gazesal.cases_from_manifest(tmp_path / "manifest.parquet")
    assert [(case.image, case.shape) for case in cases] == [("7", (4, 5)), ("8", (4, 6))]
    assert [case.groups["age"] for case in cases] == ["61", ""]


SCREENS = {
    "rectangle": "screen_x_min,screen_y_min,screen_x_max,screen_y_max",
    "display": "screen_width,screen_height",
}


@pytest.mark.parametrize(
    ("kind", "values", "options", "point"),
    [
        ("rectangle", "10,20,18,26", {}, (10, 20)),
        ("display", "8,6", {}, (0, 0)),
        ("display", "8,6", {"unit": "shares", "y_axis": "up"}, (0.0625, 0.9166666666666666)),
        ("display", "8,6", {"origin": "screen_center"}, (-3.5, -2.5)),
    ],
)
@pytest.mark.parametrize("single", [True, False])
def test_positions_on_the_screen_of_each_image(tmp_path, kind, values, options, point, single):
    """The center of the first pixel of the screen, and of images with as many pixels."""
    row = f"ann,{point[0]},{point[1]},9\n"
    (tmp_path / "gaze.csv").write_text(f"observer,x,y,duration\n{row}" if single else
                                       f"image,observer,x,y,duration\na,{row}b,{row}")  # fmt: skip
    gaze = ("gaze:ann,", "gaze.csv,") if single else ("", "")
    (tmp_path / "manifest.csv").write_text(
        f"image,width,height,{gaze[0]}{SCREENS[kind]}\n"
        + "".join(f"{image},8,6,{gaze[1]}{values}\n" for image in "ab")
    )
    table = None if single else tmp_path / "gaze.csv"
    cases = gazesal.cases_from_manifest(tmp_path / "manifest.csv", fixations=table, **options)
    for case in cases:
        np.testing.assert_allclose(case.load_gaze("ann").points, [[0, 0]], atol=1e-9)


@pytest.mark.parametrize("values", ["1,2,x,4", "1,2,,4", "5,2,1,4"])
def test_invalid_edges_on_the_screen_raise(tmp_path, values):
    path = tmp_path / "manifest.csv"
    path.write_text(f"image,width,height,{SCREENS['rectangle']}\na,8,6,{values}\n")
    with pytest.raises(ValueError, match=r"line 2, column 'screen_x_min'"):
        gazesal.cases_from_manifest(path)
