"""The package imports with every optional library absent, and slow ones only when used."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import gazesal
from tests.public_api import NAMESPACES

OPTIONAL = [
    "torch",
    "torchmetrics",
    "lightning",
    "kornia",
    "tensorboard",
    "matplotlib",
    "pydicom",
    "pyarrow",
    "h5py",
    "zarr",
    "jinja2",
    "sklearn",
    "polars",
    "pymovements",
    "ot",
]
ON_USE = ["PIL", "numba", "numpy", "pandas", "scipy"]  # imported when a function is first used


def run(code: str) -> str:
    """Standard output of a fresh interpreter in which a warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_and_works_with_every_optional_library_blocked():
    """In a process of its own: pandas, too, must find none of them."""
    out = run(
        "import sys\n"
        f"for name in {OPTIONAL}: sys.modules[name] = None\n"
        "import gazesal\n"
        "gaze = gazesal.gaze_heatmap([(1, 1)], (4, 5), sigma=1)\n"
        "scores = [0, 1] * 20\n"
        "found = gazesal.stats.confidence_interval(scores)\n"
        "print(gazesal.ncc(gaze, gaze) > 0.999, found.estimate)\n"
    )
    assert out.split() == ["True", "0.5"]


def test_chest_x_rays_import_without_torch():
    """Hulls and images need none; the networks say what is missing."""
    out = run(
        "import sys\n"
        f"for name in {OPTIONAL}: sys.modules[name] = None\n"
        "import numpy as np\n"
        "import gazesal.cxr\n"
        "mask = gazesal.cxr.clean_lung_mask(np.eye(4))\n"
        "print(mask.any(), len(dir(gazesal.cxr)) > 10)\n"
        "try:\n"
        "    gazesal.cxr.load_model\n"
        "except ImportError as error:\n"
        "    print('torch' in str(error))\n"
    )
    assert out.split() == ["False", "True", "True"]


def test_imports_none_of_them_nor_what_only_files_need():
    out = run(
        "import json, sys\n"
        "import gazesal\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    loaded = set(json.loads(out))
    assert "gazesal" in loaded
    assert not loaded & {*OPTIONAL, *ON_USE}


def test_pyarrow_comes_from_pandas_alone():
    out = run(
        "import sys\n"
        "import pandas\n"
        "before = 'pyarrow' in sys.modules\n"
        "import gazesal\n"
        "print(before == ('pyarrow' in sys.modules))\n"
    )
    assert out.split() == ["True"]


@pytest.mark.parametrize("name", gazesal.__all__)
def test_public_names_exist(name):
    assert hasattr(gazesal, name)
    assert name == "__version__" or name in dir(gazesal)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_names_of_namespaces_exist(namespace):
    module = getattr(gazesal, namespace)
    if namespace in {"cxr", "adapters"}:
        pytest.importorskip("torch")
        pytest.importorskip("torchmetrics")
    assert all(hasattr(module, name) for name in module.__all__)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="other"):
        module.other  # noqa: B018


@pytest.mark.parametrize(
    ("name", "home"),
    [("compare", "stats"), ("plot_evaluation", "plots"), ("mit_nss", "compat"), ("iou", "regions")],
)
def test_name_of_a_namespace_is_refused_with_its_place(name, home):
    with pytest.raises(AttributeError, match=f"Use gazesal.{home}.{name}"):
        getattr(gazesal, name)
    assert not hasattr(gazesal, "no_such_name")


def test_each_public_name_is_in_one_place():
    listed = list(gazesal.__all__)
    for namespace in NAMESPACES:
        listed += getattr(gazesal, namespace).__all__
    listed.remove("cite")  # the module `gazesal.cite` has a function of its name
    assert [name for name, times in Counter(listed).items() if times > 1] == []


ACCESSES = [
    "stats.compare",
    "plots.plot_pairs",
    "compat.mit_nss",
    "datasets.Reflacx",
    "evaluate",
    "reporting.write_report",
    "adapters.PysaliencyArrays",
    "cxr.read_image",
    "cite.cite",
    "score",
]


@pytest.mark.parametrize("order", [1, -1])
def test_namespaces_work_after_the_first_import_in_any_order(order):
    """Each access is the first one in a process of its own order."""
    names = ACCESSES[::order]
    out = run(
        f"import gazesal\nfor each in ({', '.join(f'gazesal.{name}' for name in names)}): pass"
    )
    assert out == ""


def test_importing_a_module_does_not_hide_a_function_of_the_same_name():
    modules = [
        "evaluation.evaluate",
        "evaluation.evaluation",
        "metrics.score",
        "stats.design",
        "metrics.auc",
        "cite",
        "plots",
        "reporting.interval_plots",
    ]
    imports = "\n".join(f"import gazesal.{name}" for name in modules)
    out = run(
        f"{imports}\n"
        "print(*(type(each).__name__ for each in (gazesal.evaluate, gazesal.score, gazesal.auc, "
        "gazesal.stats.compare, gazesal.evaluation, gazesal.cite, gazesal.plots)))\n"
    )
    assert out.split() == ["function"] * 4 + ["module"] * 3


def test_eager_import_loads_every_name():
    pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    pytest.importorskip("lightning")
    out = run(
        "import os; os.environ['EAGER_IMPORT'] = '1'\n"
        "import gazesal\n"
        "print({*gazesal.__all__} <= {*vars(gazesal)}, 'compare' in vars(gazesal.stats))\n"
    )
    assert out.split() == ["True", "True"]


def test_the_stubs_lie_beside_their_packages():
    """The wheel holds every file of the package, and without a stub nothing can be imported."""
    package = Path(gazesal.__file__).parent
    lazy = [
        path for path in package.rglob("__init__.py") if "attach_stub" in path.read_text("utf-8")
    ]
    assert len(lazy) > 5
    assert [path for path in lazy if not path.with_suffix(".pyi").is_file()] == []
