"""Cases of maps of the gaze: in memory, in folders as benchmarks publish them, and in manifests."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gazesal

SHAPES = {"i1": (24, 32), "i2": (32, 24), "i3": (20, 20)}
SIGMA = 2.5
OPTIONS = {"sigma": SIGMA, "ground_truth": "all", "resize": "bilinear"}
POINTS = ("ncc", "nss", "auc_judd", "auc_shuffled")


def points_on(image):
    """Return fixations at pixel centers."""
    height, width = SHAPES[image]
    rng = np.random.default_rng(int(image[1:]))
    return np.stack([rng.integers(0, width, 9), rng.integers(0, height, 9)], axis=1)


def marked(image):
    """Return the map of fixated pixels of an image."""
    counts = np.zeros(SHAPES[image], np.uint8)
    x, y = points_on(image).T
    counts[y, x] = 255
    return counts


def table():
    """Return the fixations of the maps as a table."""
    rows = [
        {"image": image, "observer": "all", "x": x, "y": y, "duration": 1.0}
        for image in SHAPES
        for y, x in np.argwhere(marked(image)).astype(float)
    ]
    return pd.DataFrame(rows)


def blurred(image):
    return gazesal.gaze_heatmap(np.argwhere(marked(image))[:, ::-1], SHAPES[image], sigma=4.0)


def maps():
    return {"noise": {i: np.random.default_rng(7).random(SHAPES[i]) for i in SHAPES}}


def saved(folder, values_of):
    """Save a picture of each image and return the open folder."""
    folder.mkdir()
    for image in SHAPES:
        Image.fromarray(values_of(image)).save(folder / f"{image}.png")
    return gazesal.open_maps(folder)


def scores(cases, **options):
    return gazesal.evaluate(cases, **{**OPTIONS, **options}).scores


class TestFixationMaps:
    def test_in_a_folder_have_the_scores_of_the_fixations(self, tmp_path):
        expected = scores(gazesal.cases_from_tables(table(), maps(), SHAPES), metrics=POINTS)
        pixels = saved(tmp_path / "FIXATIONLOCS", marked)
        for shape in (SHAPES, None):
            cases = gazesal.cases_from_tables(None, maps(), shape, fixation_maps=pixels)
            pd.testing.assert_frame_equal(scores(cases, metrics=POINTS), expected)

    def test_by_observer_are_read_apart(self):
        by_observer = {
            "bob": {"i1": marked("i1"), "i2": marked("i2"), "i3": marked("i3")},
            "ann": {"i2": marked("i2")},
        }
        cases = gazesal.cases_from_tables(None, maps(), SHAPES, fixation_maps=by_observer)
        assert [list(case.gaze) for case in cases] == [["bob"], ["ann", "bob"], ["bob"]]

    def test_lossy_pictures_take_a_threshold(self, tmp_path):
        saved(tmp_path / "png", marked)
        for image, shape in SHAPES.items():
            noise = np.random.default_rng(0).integers(0, 30, shape)
            noisy = np.where(marked(image) > 0, 230 + noise % 20, noise).astype(np.uint8)
            Image.fromarray(noisy).save(tmp_path / "png" / f"{image}.png")
        found = gazesal.cases_from_tables(
            None, maps(), fixation_maps=gazesal.open_maps(tmp_path / "png"), threshold=127
        )
        for case in found:
            rows, columns = np.nonzero(marked(case.image))
            expected = np.stack([columns, rows], axis=1)
            np.testing.assert_array_equal(case.load_gaze("all").points, expected)

    def test_threshold_without_maps_raises(self):
        with pytest.raises(ValueError, match="`threshold` is used only by `fixation_maps`"):
            gazesal.cases_from_tables(table(), maps(), SHAPES, threshold=127)

    def test_beside_fixations_of_the_same_observers_raise(self):
        pixels = {image: marked(image) for image in SHAPES}
        with pytest.raises(ValueError, match="of image 'i1' must have one source of gaze"):
            gazesal.cases_from_tables(table(), maps(), SHAPES, fixation_maps=pixels)
        others = table().assign(observer="ann")
        with pytest.raises(ValueError, match="'i1' must have one source of gaze"):
            gazesal.cases_from_tables(others, maps(), SHAPES, fixation_maps=pixels)

    @pytest.mark.parametrize("wrong", [{}, [np.eye(3)], "folder"])
    def test_that_are_no_mapping_raise(self, wrong):
        with pytest.raises(TypeError, match="`fixation_maps` must be a mapping"):
            gazesal.cases_from_tables(None, maps(), SHAPES, fixation_maps=wrong)


class TestGazeMaps:
    def test_of_all_observers_beside_fixations(self, tmp_path):
        def picture(image):
            values = blurred(image)
            return np.round(255 * values / values.max()).astype(np.uint8)

        finished = saved(tmp_path / "maps", picture)
        by_two = table().assign(observer=np.where(np.arange(len(table())) % 2, "ann", "bob"))
        cases = gazesal.cases_from_tables(by_two, maps(), SHAPES, gaze_maps=finished)
        found = scores(cases, sigma=None, metrics=("ncc", "nss"))
        found = found[found["method"] == "noise"].set_index(["image", "metric"])["score"]
        for image in SHAPES:
            noise, points = maps()["noise"][image], np.argwhere(marked(image))[:, ::-1]
            assert found[image, "nss"] == gazesal.nss(noise, points)
            assert found[image, "ncc"] == pytest.approx(
                gazesal.ncc(noise, picture(image)), abs=1e-12
            )

    def test_alone(self):
        finished = {image: blurred(image) for image in SHAPES}
        cases = gazesal.cases_from_tables(None, maps(), gaze_maps=finished)
        assert [case.shape for case in cases] == list(SHAPES.values())
        assert not scores(cases, sigma=None)["score"].isna().any()

    def test_by_observer(self):
        finished = {"ann": {i: blurred(i) for i in SHAPES}, "bob": {i: blurred(i) for i in SHAPES}}
        cases = gazesal.cases_from_tables(None, maps(), gaze_maps=finished)
        assert all(case.gaze_map is None for case in cases)
        assert [list(case.gaze) for case in cases] == [["ann", "bob"]] * 3

    def test_that_lack_an_image_raise(self):
        finished = {image: blurred(image) for image in ("i1", "i3")}
        with pytest.raises(ValueError, match=r"`gaze_maps` must have every image .* no 'i2'"):
            gazesal.cases_from_tables(table(), maps(), SHAPES, gaze_maps=finished)

    def test_shape_is_needed_without_maps_of_the_gaze(self):
        with pytest.raises(ValueError, match=r"`shape` .*must be given"):
            gazesal.cases_from_tables(table(), maps())


class TestManifest:
    def write(self, folder, header, rows):
        """Write a manifest with a map of a method for each image."""
        lines = [f"image,width,height,map:noise,{header}"]
        for image, row in rows.items():
            height, width = SHAPES[image]
            np.save(folder / f"{image}_noise.npy", maps()["noise"][image])
            lines.append(f"{image},{width},{height},{image}_noise.npy,{row}")
        path = folder / "manifest.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    def test_columns_of_all_observers(self, tmp_path):
        for image in SHAPES:
            Image.fromarray(marked(image)).save(tmp_path / f"{image}_fix.png")
            np.save(tmp_path / f"{image}_blur.npy", blurred(image))
        rows = {image: f"{image}_fix.png,{image}_blur.npy" for image in SHAPES}
        path = self.write(tmp_path, "fixation_map,gaze_map", rows)
        finished = {image: blurred(image) for image in SHAPES}
        expected = gazesal.cases_from_tables(table(), maps(), SHAPES, gaze_maps=finished)
        found = scores(gazesal.cases_from_manifest(path), sigma=None, metrics=POINTS)
        pd.testing.assert_frame_equal(found, scores(expected, sigma=None, metrics=POINTS))

    def test_columns_of_observers(self, tmp_path):
        for image in SHAPES:
            Image.fromarray(marked(image)).save(tmp_path / f"{image}.png")
        rows = {"i1": "i1.png,i1.png", "i2": ",i2.png", "i3": "i3.png,"}
        path = self.write(tmp_path, "fixation_map:ann,fixation_map:bob", rows)
        cases = gazesal.cases_from_manifest(path, threshold=200)
        assert [list(case.gaze) for case in cases] == [["ann", "bob"], ["bob"], ["ann"]]
        assert cases[0].gaze["ann"].threshold == 200

    def test_two_sources_of_an_observer_raise(self, tmp_path):
        (tmp_path / "ann.csv").write_text("x,y,duration\n1,2,3\n")
        np.save(tmp_path / "fix.npy", marked("i1"))
        for header in ("gaze:ann,fixation_map:ann", "gaze:ann,fixation_map"):
            path = self.write(tmp_path, header, {"i1": "ann.csv,fix.npy"})
            with pytest.raises(
                ValueError, match=r"line 2: observer .* of image 'i1' must have one"
            ):
                gazesal.cases_from_manifest(path)

    def test_threshold_without_a_column_raises(self, tmp_path):
        path = self.write(tmp_path, "group:a", {"i1": "b"})
        with pytest.raises(ValueError, match="`threshold` is used only by columns of fixation_map"):
            gazesal.cases_from_manifest(path, threshold=127)

    @pytest.mark.parametrize("name", ["Fixation_Map", "gaze map", "fixation-map"])
    def test_misspelled_columns_raise(self, tmp_path, name):
        with pytest.raises(ValueError, match=f"column '{name}' must be written"):
            gazesal.cases_from_manifest(self.write(tmp_path, name, {"i1": ""}))


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "formats" / "01_benchmark_maps"


class TestBenchmarkFolders:
    """Sets of maps as benchmarks publish them are scored from their files."""

    def test_scores_equal_those_of_the_fixations(self, folder):
        rng = np.random.default_rng(0)
        sizes = gazesal.read_sizes(folder / "sizes.csv")
        noise = {"noise": {image: rng.random(shape) for image, shape in sizes.items()}}
        truth = {
            kind: pd.read_csv(folder / f"truth_{kind}.csv").assign(duration=1.0)
            for kind in ("binary", "counts")
        }
        options = {**OPTIONS, "metrics": POINTS}
        for files, pattern, kind, threshold in (
            ("png", None, "binary", None),
            ("npy", None, "counts", None),
            ("ALLFIXATIONMAPS", "{image}_fixPts", "binary", 127),
        ):
            pixels = gazesal.open_maps(folder / files, pattern=pattern)
            cases = gazesal.cases_from_tables(
                None, noise, fixation_maps=pixels, threshold=threshold
            )
            assert {case.image: case.shape for case in cases} == sizes
            expected = gazesal.cases_from_tables(truth[kind], noise, sizes)
            pd.testing.assert_frame_equal(
                gazesal.evaluate(cases, **options).scores,
                gazesal.evaluate(expected, **options).scores,
            )

    def test_finished_maps_go_with_the_pixels(self, folder):
        sizes = gazesal.read_sizes(folder / "sizes.csv")
        noise = {"noise": {i: np.random.default_rng(0).random(s) for i, s in sizes.items()}}
        cases = gazesal.cases_from_tables(
            None,
            noise,
            fixation_maps=gazesal.open_maps(folder / "FIXATIONLOCS"),
            gaze_maps=gazesal.open_maps(folder / "FIXATIONMAPS"),
        )
        for case in cases:
            given = np.load(folder / f"truth_blur_{case.image}.npy")
            np.testing.assert_allclose(case.load_gaze_map(), given / given.sum(), rtol=1e-12)
        found = scores(cases, sigma=None, metrics=POINTS)
        assert not found["score"].isna().any()

    def test_salicon_layout(self, shared, tmp_path):
        fixations = gazesal.read_fixations(
            shared / "formats" / "04_salicon" / "train", format="salicon"
        )
        (tmp_path / "maps").mkdir()
        points = {
            str(image): rows[["x", "y"]].to_numpy() for image, rows in fixations.groupby("image")
        }
        for image, own in points.items():
            drawn = gazesal.gaze_heatmap(own, (480, 640), sigma=19.0)
            picture = np.round(255 * drawn / drawn.max()).astype(np.uint8)
            Image.fromarray(picture).save(tmp_path / "maps" / f"{image}.png")
        noise = {image: np.random.default_rng(0).random((480, 640)) for image in points}
        cases = gazesal.cases_from_tables(
            fixations, {"noise": noise}, gaze_maps=gazesal.open_maps(tmp_path / "maps")
        )
        found = scores(cases, sigma=None, metrics=("ncc", "nss"))
        found = found[found["method"] == "noise"].set_index(["image", "metric"])["score"]
        for image, own in points.items():
            assert found[image, "nss"] == gazesal.nss(noise[image], own)
            expected = gazesal.ncc(
                noise[image], gazesal.read_map(tmp_path / "maps" / f"{image}.png")
            )
            assert found[image, "ncc"] == pytest.approx(expected, abs=1e-12)
