"""Display of figures in notebooks, without magics and without pyplot."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gazesal
from tests.stats.frames import two_methods

pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")

SUMMARY = pd.DataFrame(
    {"method": ["mine"], "metric": "sauc", "estimate": 0.61, "low": 0.6, "high": 0.625}
)


def figures():
    table = two_methods(5)
    design = gazesal.stats.Design("image")
    scores = table.assign(metric="ncc")
    return {
        "plot_intervals": gazesal.plots.plot_intervals(SUMMARY),
        "plot_differences": gazesal.plots.plot_differences(gazesal.stats.compare(table, design)),
        "plot_pairs": gazesal.plots.plot_pairs(table, design, method="b", reference="a"),
        "plot_distributions": gazesal.plots.plot_distributions(scores),
    }


def test_figures_have_a_png_for_notebooks():
    for name, figure in figures().items():
        with Image.open(io.BytesIO(figure._repr_png_())) as image:
            pixels = np.asarray(image.convert("L"))
        assert np.ptp(pixels) > 100, name


def test_figures_of_an_evaluation_have_a_png_for_notebooks(evaluation):
    image = evaluation.scores["image"].iloc[0]
    for figure in (
        evaluation.plot_intervals(interval="t"),
        evaluation.plot_maps(image),
        gazesal.plots.plot_extremes(evaluation, "good", "ncc", n=1),
    ):
        assert figure._repr_png_().startswith(b"\x89PNG")


def test_drawing_does_not_import_pyplot():
    code = (
        "import sys, gazesal, pandas as pd\n"
        "table = pd.DataFrame({'method': ['a'], 'metric': 'sauc', 'estimate': 0.6, 'low': 0.5, "
        "'high': 0.7})\n"
        "assert gazesal.plots.plot_intervals(table)._repr_png_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
