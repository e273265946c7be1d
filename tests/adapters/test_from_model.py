"""Maps and scores from image files and a model."""

import functools
import inspect
import pickle

import numpy as np
import pandas as pd
import pytest

import gazesal

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.from_model import saliency_from_model
from gazesal.adapters.gradcam import grad_cam
from gazesal.adapters.mixing import mix_classes
from gazesal.cxr import load_model, preprocess
from gazesal.evaluation.storage import fingerprints
from gazesal.evaluation.storage.fingerprints import Notes, fingerprint
from gazesal.maps.input_geometry import InputGeometry
from tests.adapters import networks

WIDTHS = (2, 3, 4, 5)
SHAPES = {"image0": (40, 50), "image1": (50, 40), "image2": (45, 45)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    paths = []
    for name, shape in SHAPES.items():
        paths.append(folder / f"{name}.png")
        Image.fromarray(rng.integers(0, 255, shape, np.uint8)).save(paths[-1])
    return paths


def model_of(name="ag_sononet"):
    torch.manual_seed(3)
    return load_model(name, n_classes=4, widths=WIDTHS)


def test_maps_equal_the_single_steps(files):
    model = model_of()
    maps = saliency_from_model(model, files, scheme="weighted", classes=[0, 2])
    gates = saliency_from_model(model, files, "attention", gate=1, inverse="study")
    assert list(maps) == list(gates) == ["image0", "image1", "image2"]
    for path in files:
        tensor, geometry = preprocess(path)
        cam = grad_cam(model, tensor, classes=[0, 2])
        expected = mix_classes(cam.on_image(geometry), cam.logits[0, [0, 2]], "weighted")
        actual = maps[path.stem]()
        assert actual.dtype == np.float32
        assert actual.shape == SHAPES[path.stem]
        np.testing.assert_array_equal(actual, expected.numpy())
        expected = attention_maps(model, tensor).on_image(geometry, inverse="study")[1]
        np.testing.assert_array_equal(gates[path.stem](), expected.numpy())


class Scaled:
    """Preprocessing with a state."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, image):
        tensor, geometry = preprocess(image)
        return tensor * self.factor, geometry


def known(model=None, images=None, notes=None, **options):
    images = {"a": np.zeros((40, 50), np.uint8)} if images is None else images
    (lazy,) = saliency_from_model(model or model_of(), images, **options).values()
    return fingerprint(lazy, notes)


def test_fingerprints_change_with_every_option(files, tmp_path):
    notes, first = Notes(), known()
    assert known(notes=notes) == first
    assert not notes.unclear
    model = model_of()
    relus = [name for name, each in model.named_modules() if isinstance(each, torch.nn.ReLU)]
    path = tmp_path / "image.png"
    path.write_bytes(files[0].read_bytes())
    found = [
        first,
        known(layers="pooled"),
        known(layers=["pooled", "gated1"]),
        known(model, layers=model.get_submodule(relus[2])),  # two layers with equal state
        known(model, layers=model.get_submodule(relus[3])),
        known(method="attention"),
        known(method="attention", gate=1),
        known(scheme="weighted"),
        known(scheme=[1.0, 2.0, 3.0, 4.0]),
        known(scheme="thresholded"),
        known(scheme="thresholded", no_finding=1),
        known(classes=(1, 2)),
        known(order="textbook"),
        known(inverse="study"),
        known(output=0),
        known(output="logits"),
        known(output=lambda result: result[0]),
        known(output=lambda result: result[1]),
        known(preprocess=Scaled(1)),
        known(preprocess=Scaled(2)),
        known(preprocess=functools.partial(preprocess, short_side=64)),
        known(images={"a": np.ones((40, 50), np.uint8)}),
        known(images=[path]),
        known(images=files[1:2]),
        known(images=[tmp_path / "none.png"]),
    ]
    path.write_bytes(files[1].read_bytes() + b"1")
    found.append(known(images=[path]))
    assert known(images={"a": str(path)}) == found[-1]
    path.write_bytes(files[2].read_bytes())
    found.append(known(images={"a": str(path)}))
    assert len(set(found)) == len(found)
    signature = set(inspect.signature(saliency_from_model).parameters)
    assert signature == {
        *("model", "images", "method", "preprocess", "layers", "classes", "scheme"),
        *("no_finding", "gate", "order", "inverse", "output"),
    }


def trained(model):
    next(iter(model.parameters())).data.mul_(1.001)  # `.data` does not count as a version


def statistics(model):
    with torch.no_grad():
        model.get_buffer("features1.0.conv1.1.running_mean").add_(0.1)


def negated(_module, *given):
    return -given[-1][0]


CHANGES = {
    "a step of training": trained,
    "statistics of a batch norm": statistics,
    "another mode": lambda model: model.train(),
    "another precision": lambda model: model.double(),
    "another attribute": lambda model: setattr(model, "cam_layers", ("pooled",)),
    "another module": lambda model: setattr(model, "pooled", torch.nn.ReLU()),
    "a hook on the output": lambda model: model.register_forward_hook(negated),
    "a hook on the input": lambda model: model.register_forward_pre_hook(negated),
}


@pytest.mark.parametrize("change", CHANGES)
def test_fingerprints_change_with_the_model(change):
    model = model_of()
    (lazy,) = saliency_from_model(model, {"a": np.zeros((40, 50), np.uint8)}).values()

    def explain():
        return model(torch.zeros(1, 3, 32, 32))

    before = fingerprint(lazy), fingerprint(explain)
    assert before == (fingerprint(lazy), fingerprint(explain))
    CHANGES[change](model)
    assert fingerprint(lazy) != before[0]
    assert fingerprint(explain) != before[1]


def test_compiled_model_has_the_fingerprint_of_the_model_inside():
    """Counters of the compiler differ between processes, and would change the fingerprint."""
    model = model_of()
    compiled = torch.compile(model, backend="eager")
    assert fingerprint(functools.partial(compiled, 1)) == fingerprint(functools.partial(model, 1))


def test_fingerprint_ignores_the_numbers_of_hooks():
    model, known_as = model_of(), set()
    for _ in range(2):
        handle = model.register_forward_hook(negated)
        known_as.add(fingerprint(functools.partial(model, 1)))
        handle.remove()
    assert len(known_as) == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_fingerprints_distinguish_weights_in_half_precision(dtype):
    model, notes = model_of().to(dtype), Notes()
    first = known(model, notes=notes)
    assert not notes.unclear
    next(iter(model.parameters())).data[0, 0, 0, 0] += 1
    assert known(model) != first


def test_a_model_is_hashed_once_per_run(monkeypatch):
    hashed, real = [], fingerprints._of_array
    monkeypatch.setattr(fingerprints, "_of_array", lambda v: hashed.append(1) or real(v))
    images = {str(n): np.full((4, 4), n, np.uint8) for n in range(5)}
    model, notes = model_of(), Notes()
    for lazy in saliency_from_model(model, images).values():
        fingerprint(lazy, notes)
    state = len(list(model.parameters())) + len(list(model.buffers()))
    assert len(hashed) == state + len(images)


def test_a_checkpoint_scores_again_after_training(files, tmp_path):
    pytest.importorskip("pyarrow")
    model = model_of()
    rows = [(p.stem, who, 9.0, 9.0, 1.0) for p in files for who in ("ann", "bob")]
    fixations = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    maps = {"cam": saliency_from_model(model, files)}
    cases = gazesal.cases_from_tables(fixations, maps, SHAPES)

    def scores(checkpoint=None):
        options = {"sigma": 3.0, "metrics": ["ncc"], "resize": "bilinear"}
        options["checkpoint"] = checkpoint
        return gazesal.evaluate(cases, **options).scores.query("method == 'cam'").score.tolist()

    first = scores(tmp_path)
    assert scores(tmp_path) == first
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    second = scores(tmp_path)
    assert second != first
    assert second == scores()


def test_files_are_read_when_maps_are_called(tmp_path):
    maps = saliency_from_model(model_of(), [tmp_path / "none.png"])
    assert repr(maps["none"]).endswith("none.png, grad_cam)")
    with pytest.raises(FileNotFoundError):
        maps["none"]()


def test_maps_can_be_sent_to_workers(files):
    maps = saliency_from_model(model_of(), files)
    sent = pickle.loads(pickle.dumps(maps["image1"]))  # noqa: S301
    np.testing.assert_array_equal(sent(), maps["image1"]())


def test_without_geometry_maps_stay_on_the_input():
    model, images = networks.make(networks.ResNet), networks.batch()
    named = {str(i): image for i, image in enumerate(images)}
    maps = saliency_from_model(
        model, named, preprocess=lambda image: image, layers="layer4", scheme="thresholded"
    )
    cam = grad_cam(model, images[1], "layer4")
    expected = mix_classes(cam.maps[0], cam.logits[0], "thresholded").numpy()
    np.testing.assert_allclose(maps["1"](), expected, rtol=1e-6)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_from_files_to_scores(files, n_jobs):
    rng = np.random.default_rng(0)
    fixations = pd.DataFrame(
        [
            (path.stem, observer, *rng.uniform(5, 35, 2), 1.0)
            for path in files
            for observer in ("ann", "bob")
            for _ in range(5)
        ],
        columns=["image", "observer", "x", "y", "duration"],
    )
    model = model_of()
    maps = {
        "Grad-CAM": saliency_from_model(model, files),
        "AM1": saliency_from_model(model, files, "attention"),
    }
    cases = gazesal.cases_from_tables(fixations, maps, SHAPES)
    scores = gazesal.evaluate(cases, sigma=3.0, resize="bilinear", n_jobs=n_jobs).scores
    table = scores.pivot_table(index="image", columns=["method", "metric"], values="score")
    by_observer = {
        observer: gazesal.gaze_heatmap(
            part.query("image == 'image1'")[["x", "y"]], SHAPES["image1"], sigma=3.0
        )
        for observer, part in fixations.groupby("observer")
    }
    for method, of_image in maps.items():
        expected = np.mean([gazesal.ncc(of_image["image1"](), g) for g in by_observer.values()])
        assert table[method, "ncc"]["image1"] == pytest.approx(expected, abs=1e-6)


def test_error_about_map_size_names_the_geometry(files):
    maps = {"cam": saliency_from_model(model_of(), files)}
    rows = [(path.stem, observer, 9.0, 9.0, 1.0) for path in files for observer in ("ann", "bob")]
    fixations = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    cases = gazesal.cases_from_tables(fixations, maps, dict.fromkeys(SHAPES, (50, 60)))
    with pytest.raises(ValueError, match=r"If `preprocess` crops or pads, .* its InputGeometry"):
        gazesal.evaluate(cases, sigma=3.0, metrics=["ncc"])


def test_threads_can_share_a_model(files):
    """Modes and `requires_grad` belong to the model, so runs take turns."""
    from concurrent.futures import ThreadPoolExecutor

    model = model_of().train()
    maps = list(saliency_from_model(model, files * 1).values())
    expected = [one() for one in maps]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda i: maps[i % 3](), range(24)))
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[i % 3])
    assert all(module.training for module in model.modules())
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "other"}, ValueError, "`method` must be one of"),
        ({"scheme": "other"}, ValueError, "`scheme` must be one of"),
        ({"inverse": "other"}, ValueError, "`inverse` must be one of"),
        ({"order": "other"}, ValueError, "`order` must be one of"),
        ({"gate": -1}, ValueError, "`gate` must be at least 0"),
        ({"images": []}, ValueError, "`images` must have at least one"),
        ({"images": "a.png"}, TypeError, "`images` must be a mapping or several files"),
        ({"images": ["a/1.png", "b/1.png"]}, ValueError, "`images` must have different names"),
        ({"model": networks.ResNet()}, ValueError, "`preprocess` must be given, because ResNet"),
        ({"model": 3}, TypeError, "`model` must be"),
    ],
)
def test_invalid_options_raise(options, error, message):
    good = {"model": model_of("sononet"), "images": {"1": np.zeros((20, 20), np.uint8)}}
    with pytest.raises(error, match=message):
        saliency_from_model(**{**good, **options})


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (torch.zeros(1, 3, 8, 8), ValueError, r"must return a tensor \(C, H, W\).* of shape"),
        (np.zeros((3, 8, 8)), ValueError, "must return a tensor .* got ndarray"),
        ((torch.zeros(3, 8, 8), (8, 8)), TypeError, "must return an InputGeometry second"),
        (
            (torch.zeros(3, 8, 8), InputGeometry.stretched((4, 4), (9, 9))),
            ValueError,
            "`geometry` must belong to an input of",
        ),
    ],
)
def test_invalid_preprocessing_raises(made, error, message):
    maps = saliency_from_model(
        networks.make(networks.ResNet), {"1": None}, preprocess=lambda _: made, layers="layer4"
    )
    with pytest.raises(error, match=message):
        maps["1"]()


def test_missing_gate_raises(files):
    with pytest.raises(ValueError, match="`gate` must be less than 2, got 2"):
        saliency_from_model(model_of(), files, "attention", gate=2)["image0"]()
