"""Files of saved evaluations and checkpoints that are torn, exchanged or hostile."""

import copy
import hashlib
import io
import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal._digests import digest_of_file
from gazesal.evaluation.storage.center_bias_file import read_bias, write_bias
from tests.evaluation.test_gaze_checks import SHAPE, SIGMA, make_cases
from tests.evaluation.test_groups import of_patients

pytest.importorskip("pyarrow")

ODD = (None, True, -1, 10**6, 1.5, float("nan"), "x", "../..", [], [1, 2], {}, {"a": 1})
# arrays of another shape or type
CUT = {
    "cut": lambda array: array[:1, :1],
    "empty": lambda array: array[:0],
    "of one axis": np.ravel,
    "of three axes": lambda array: array[None],
    "transposed": np.transpose,
    "larger": lambda array: np.tile(array, (3, 3)),
    "a number": lambda _: np.array(1.0),
    "float32": lambda array: array.astype(np.float32),
    "of the other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "complex": lambda array: array.astype(complex),
    "text": lambda array: array.astype(str),
}
# arrays of other values
CHANGED = {
    "nan": lambda array: np.where(array == array.max(), np.nan, array),
    "infinite": lambda array: np.where(array == array.max(), np.inf, array),
    "negative": np.negative,
    "zero": lambda array: array * 0,
    "doubled": lambda array: array * 2,
}


def leaves(value, path=()):
    """Yield the paths to a JSON value and to all values in it."""
    yield path
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, (*path, key))
    if isinstance(value, list):
        for position, inside in enumerate(value):
            yield from leaves(inside, (*path, position))


def replaced(value, path, other):
    """Return a copy with the value at a path replaced."""
    if not path:
        return other
    changed = copy.deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = other
    return changed


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "registered"])
def sound(request, tmp_path_factory):
    """Return a folder with maps, a saved evaluation and a checkpoint, and the cases."""
    folder = tmp_path_factory.mktemp("sound")
    cases = []
    for k, case in enumerate(of_patients(4)):
        np.save(folder / f"{case.image}.npy", case.maps["noise"])
        fields = {"box": (2, 2, 25 + k, 20)} if request.param else {}
        maps = {"noise": folder / f"{case.image}.npy"}
        cases.append(replace(case, maps=maps, **fields))
    options = {"sigma": SIGMA, "leave_out": "patient"}
    evaluation = gazesal.evaluate(cases, **options, checkpoint=folder / "kept")
    evaluation.save(folder / "evaluation")
    return folder, cases, options, evaluation


@pytest.fixture
def folder(sound, tmp_path):
    """Return a copy of the folder that may be changed."""
    shutil.copytree(sound[0], tmp_path / "copy")
    return tmp_path / "copy"


def load(folder):
    """Load the evaluation and use it. Only errors of the input are accepted."""
    try:
        evaluation = gazesal.Evaluation.load(folder / "evaluation")
    except (ValueError, FileNotFoundError) as error:
        assert str(folder) in str(error)  # noqa: PT017
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for use in (lambda: evaluation.maps_of("i1"), lambda: evaluation.summary(n_resamples=20)):
            try:
                use()
            except (ValueError, TypeError, OSError, MemoryError):
                continue
    return evaluation


def write_arrays(path, arrays):
    """Write an archive as numpy does."""
    np.savez(path, **arrays)


def read_arrays(path):
    """Return all arrays of an archive."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


class TestCenterBias:
    """Arrays are checked before they reach a kernel, which does not check bounds."""

    @pytest.mark.parametrize("change", [*CUT, *CHANGED])
    @pytest.mark.parametrize("which", ["each", "all"])
    def test_of_other_arrays_raises(self, folder, change, which):
        path = folder / "evaluation" / "center_bias.npz"
        arrays = read_arrays(path)
        parts = [name for name in arrays if name != "facts"]
        function = {**CUT, **CHANGED}[change]
        for changed in [[parts[0]], [parts[-1]]] if which == "each" else [parts]:
            if change in CHANGED and changed == ["part1"]:
                continue  # rounding errors, which may have any sign
            write_arrays(path, {k: function(v) if k in changed else v for k, v in arrays.items()})
            with pytest.raises(ValueError, match=r"center_bias\.npz"):
                gazesal.Evaluation.load(folder / "evaluation")

    def test_of_another_memory_layout_is_used(self, sound, folder):
        path = folder / "evaluation" / "center_bias.npz"
        arrays = read_arrays(path)
        write_arrays(path, {k: np.asfortranarray(v) if v.ndim else v for k, v in arrays.items()})
        expected = sound[3].maps_of("i1")["center_bias"]
        np.testing.assert_array_equal(load(folder).maps_of("i1")["center_bias"], expected)

    @pytest.mark.parametrize("n_maps", [0, 7, 9, 8.0, True, "8", None])
    def test_of_another_number_of_maps_raises(self, folder, n_maps):
        path = folder / "evaluation" / "center_bias.npz"
        arrays = read_arrays(path)
        facts = json.loads(str(arrays["facts"]))
        facts["bias"]["n_maps"] = n_maps
        write_arrays(path, {**arrays, "facts": np.array(json.dumps(facts))})
        with pytest.raises(ValueError, match=r"number of maps|its sums must be those of"):
            gazesal.Evaluation.load(folder / "evaluation")

    def test_center_bias_of_another_run_raises(self, folder):
        other = gazesal.evaluate(make_cases(4, shape=(48, 64)), sigma=SIGMA)
        write_bias(folder / "evaluation" / "center_bias.npz", other.center_bias)
        with pytest.raises(ValueError, match="its frame must be"):
            gazesal.Evaluation.load(folder / "evaluation")

    def test_torn_is_named(self, folder):
        path = folder / "evaluation" / "center_bias.npz"
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(ValueError, match=r"center_bias\.npz: cannot be read"):
            read_bias(path)

    def test_of_objects_raises(self, folder):
        path = folder / "evaluation" / "center_bias.npz"
        arrays = read_arrays(path)
        write_arrays(path, {**arrays, "part0": arrays["part0"].astype(object)})
        with pytest.raises(ValueError, match=r"center_bias\.npz: cannot be read"):
            read_bias(path)

    @pytest.mark.parametrize("change", [*CUT, *CHANGED])
    def test_of_a_checkpoint_is_computed_again(self, sound, folder, change):
        _, cases, options, evaluation = sound
        shutil.rmtree(folder / "kept" / "parts")
        path = folder / "kept" / "center_bias.npz"
        arrays = read_arrays(path)
        function = {**CUT, **CHANGED}[change]
        write_arrays(path, {k: function(v) if k == "part0" else v for k, v in arrays.items()})
        with pytest.warns(gazesal.SkippedDataWarning, match=r"center_bias\.npz.*computed again"):
            again = gazesal.evaluate(cases, **options, checkpoint=folder / "kept")
        assert again.scores.equals(evaluation.scores)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("chunks", value) for value in (0, 2, -1, "1", None)),
            *(("left_out", value) for value in ([["i0", "why"]], [["x", "why"]], [3], "ab", None)),
        ],
    )
    def test_center_bias_of_another_state_is_computed_again(self, sound, folder, name, value):
        _, cases, options, evaluation = sound
        shutil.rmtree(folder / "kept" / "parts")
        path = folder / "kept" / "center_bias.npz"
        arrays = read_arrays(path)
        facts = {**json.loads(str(arrays["facts"])), name: value}
        write_arrays(path, {**arrays, "facts": np.array(json.dumps(facts))})
        with pytest.warns(gazesal.SkippedDataWarning, match=r"center_bias\.npz.*computed again"):
            again = gazesal.evaluate(cases, **options, checkpoint=folder / "kept")
        assert again.scores.equals(evaluation.scores)


class TestFields:
    """For any value of any field, loading names the file or gives a usable evaluation."""

    def test_changed_options_and_facts_load_or_raise(self, folder):
        path = folder / "evaluation" / "evaluation.json"
        facts = json.loads(path.read_text())
        for place in leaves(facts):
            for odd in ODD:
                path.write_text(json.dumps(replaced(facts, place, odd)))
                load(folder)

    def test_changed_cases_load_or_raise(self, folder):
        path = folder / "evaluation" / "cases.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for place in leaves(lines[1]):
            for odd in ODD:
                changed = [lines[0], replaced(lines[1], place, odd), *lines[2:]]
                path.write_text("".join(json.dumps(line) + "\n" for line in changed))
                load(folder)

    @pytest.mark.parametrize("name", ["scores.parquet", "fixations.parquet"])
    def test_changed_tables_load_or_raise(self, folder, name):
        path, head = folder / "evaluation" / name, folder / "evaluation" / "evaluation.json"
        table, facts = pd.read_parquet(path), json.loads(head.read_text())
        n = len(table)
        columns = [["q"] * n, np.arange(n) - 3, np.full(n, np.nan), [None] * n, [[1]] * n]
        changed = [table.drop(columns=name) for name in table]
        changed += [table.assign(**{name: column}) for name in table for column in columns]
        for other in changed:
            other.to_parquet(path, index=False)
            facts["tables"][name] = digest_of_file(path)
            head.write_text(json.dumps(facts))
            load(folder)

    def test_changed_parts_of_a_checkpoint_load_or_raise(self, sound, folder):
        import pyarrow as pa
        from pyarrow import parquet

        _, cases, options, evaluation = sound
        first = sorted((folder / "kept" / "parts").iterdir())[0]
        table = parquet.read_table(first)
        images = json.loads(table.schema.metadata[b"images"])
        metadata = {"images": json.dumps(images)}
        tables = [
            table.replace_schema_metadata({"images": json.dumps(replaced(images, place, odd))})
            for place in leaves(images)
            for odd in ODD
        ]
        n = len(table)
        for position, name in enumerate(table.column_names):
            kind = table.schema.field(name).type
            tables.append(table.remove_column(position).replace_schema_metadata(metadata))
            tables += [
                table.set_column(position, name, column).replace_schema_metadata(metadata)
                for column in (pa.array(range(n)), pa.array([None] * n, kind), pa.array([b"q"] * n))
            ]
        first.unlink()
        for number, other in enumerate(tables):
            copied = folder / f"kept{number}"
            shutil.copytree(folder / "kept", copied)
            sink = io.BytesIO()
            parquet.write_table(other, sink)
            name = hashlib.blake2b(sink.getvalue(), digest_size=16).hexdigest()
            (copied / "parts" / f"{name}.parquet").write_bytes(sink.getvalue())
            try:
                again = gazesal.evaluate(cases, **options, checkpoint=copied)
            except ValueError as error:
                assert name in str(error)  # noqa: PT017
            else:
                assert again.scores.equals(evaluation.scores)
            shutil.rmtree(copied)


class TestPaths:
    """Paths lead to files below the folder of the evaluation, or are absolute."""

    def changed(self, folder, change):
        path = folder / "evaluation" / "cases.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        change(lines[0])
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    @pytest.mark.parametrize("text", ["../secret.npy", "evaluation/../../secret.npy", "..", 3])
    @pytest.mark.parametrize("field", ["map", "gaze", "center_bias", "picture", "store"])
    def test_that_lead_out_raise(self, folder, text, field):
        np.save(folder.parent / "secret.npy", np.ones(SHAPE))

        def change(line):
            if field == "picture":
                line["picture"] = text
            elif field == "center_bias":
                line["center_bias"] = {"file": text}
            elif field == "gaze":
                facts = {"path": text, "image": "i0", "observer": "ann", "shape": [24, 32]}
                line["gaze"]["ann"] = {"fixations": {**facts, "columns": []}}
            elif field == "store":
                line["maps"]["noise"] = {"file": text, "key": "a", "row": None}
            else:
                line["maps"]["noise"] = {"file": text}

        self.changed(folder, change)
        with pytest.raises(ValueError, match=r"cases\.jsonl.*path"):
            gazesal.Evaluation.load(folder / "evaluation")

    def test_of_functions_that_lead_out_raise(self, folder):
        saved = {"function": "gazesal.cxr.lung_hull:read_hull", "files": ["../secret.npy"]}
        self.changed(folder, lambda line: line["maps"].update(noise=saved))
        with pytest.raises(ValueError, match=r"cases\.jsonl.*path"):
            gazesal.Evaluation.load(folder / "evaluation")

    def test_absolute_with_dots_raise(self, folder):
        text = f"{folder}/evaluation/../../secret.npy"
        self.changed(folder, lambda line: line["maps"]["noise"].update(file=text))
        with pytest.raises(ValueError, match=r"cases\.jsonl.*'\.\.'"):
            gazesal.Evaluation.load(folder / "evaluation")

    @pytest.mark.parametrize("of", ["file", "folder"])
    def test_through_links_that_lead_out_raise(self, folder, of):
        outside = folder.parent / "outside"
        outside.mkdir()
        np.save(outside / "secret.npy", np.ones(SHAPE))
        if of == "file":
            (folder / "link.npy").symlink_to(outside / "secret.npy")
            text = "link.npy"
        else:
            (folder / "link").symlink_to(outside)
            text = "link/secret.npy"
        self.changed(folder, lambda line: line["maps"]["noise"].update(file=text))
        with pytest.raises(ValueError, match=r"cases\.jsonl.*link"):
            gazesal.Evaluation.load(folder / "evaluation")

    def test_of_maps_in_a_linked_folder_are_saved_absolute(self, tmp_path):
        (tmp_path / "disk").mkdir()
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "maps").symlink_to(tmp_path / "disk")
        cases = []
        for case in make_cases(2):
            path = tmp_path / "project" / "maps" / f"{case.image}.npy"
            np.save(path, case.maps["noise"])
            cases.append(replace(case, maps={"noise": path}))
        evaluation = gazesal.evaluate(cases, sigma=SIGMA)
        evaluation.save(tmp_path / "project" / "evaluation")
        loaded = gazesal.Evaluation.load(tmp_path / "project" / "evaluation")
        assert loaded.cases[0].load_map("noise").shape == SHAPE

    def test_below_and_absolute_are_read(self, sound, folder):
        loaded = load(folder)
        assert loaded.cases[0].maps["noise"] == folder / "i0.npy"
        absolute = str(sound[0] / "i0.npy")
        self.changed(folder, lambda line: line["maps"]["noise"].update(file=absolute))
        assert load(folder).cases[0].load_map("noise").shape == SHAPE
