"""The package imports with every optional library absent, and slow ones only when used."""

import json
import subprocess
import sys

import pytest

import gazesal

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
ON_USE = ["PIL", "pandas"]  # always installed, and not needed for arrays


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
        "print(gazesal.ncc(gaze, gaze) > 0.999, gazesal.confidence_interval(scores).estimate)\n"
    )
    assert out.split() == ["True", "0.5"]


def test_chest_x_rays_without_torch():
    """Hulls and images need none; the networks say what is missing."""
    out = run(
        "import sys\n"
        f"for name in {OPTIONAL}: sys.modules[name] = None\n"
        "import numpy as np\n"
        "import gazesal.cxr\n"
        "mask = gazesal.cxr.clean_lung_mask(np.eye(4))\n"
        "print(mask.any(), len(gazesal.cxr.LABELS), len(dir(gazesal.cxr)) > 10)\n"
        "try:\n"
        "    gazesal.cxr.load_model\n"
        "except ImportError as error:\n"
        "    print('torch' in str(error))\n"
    )
    assert out.split() == ["False", "14", "True", "True"]


def test_imports_none_of_them_nor_what_only_files_need():
    out = run(
        "import json, sys\n"
        "import gazesal\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    loaded = set(json.loads(out))
    assert {"gazesal", "numpy"} <= loaded
    # pandas looks for pyarrow when it is imported; that is not ours to prevent
    assert loaded & {*OPTIONAL, *ON_USE} <= {"pyarrow"}


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


def test_public_names_for_chest_x_rays_exist():
    pytest.importorskip("torch")
    import gazesal.cxr

    assert all(hasattr(gazesal.cxr, name) for name in gazesal.cxr.__all__)
    with pytest.raises(AttributeError, match=r"module 'gazesal\.cxr' has no attribute 'other'"):
        gazesal.cxr.other  # noqa: B018


def test_public_names_are_listed_once():
    assert len(set(gazesal.__all__)) == len(gazesal.__all__)
