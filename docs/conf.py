"""Sphinx configuration. The build needs no network: `make docs`."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

import scipy.stats  # noqa: F401 (before torch is mocked: SciPy asks a torch that it finds for classes)

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "gazesal"
author = "The gazesal developers"
copyright = author
version = release = installed_version("gazesal")
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",  # MyST pages, and those among them that are notebooks
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "api",  # the last three are in _ext/
    "mathml",
    "metric_table",
]
exclude_patterns = ["_build", "_ext"]

# Names in single backticks are links to objects, and the build fails where there is no such object;
# see _ext/api.py for the names of parameters.
default_role = "py:obj"
nitpicky = True

# Types stand in the docstrings, in words; in signatures they would only repeat them.
autodoc_typehints = "none"
autosummary_generate = True
# The documentation is built without these; what is made on them is only read.
autodoc_mock_imports = ["torch", "torchmetrics", "lightning", "kornia"]
templates_path = ["_templates"]
numpydoc_show_class_members = False  # the class template lists methods in full
numpydoc_xref_param_type = False

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

# Notebooks are run anew by every build, in a folder of their own; an error in a cell, or anything
# that it writes to standard error, fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 180
nb_output_stderr = "warn"
nb_merge_streams = True

# What is copied is what can be pasted: without prompts, and without the output of a session.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

# One file for these pages and for `gazesal.cite`, so it lies in the package.
bibtex_bibfiles = ["../gazesal/references.bib"]
bibtex_default_style = "plain"

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["gazesal.css"]
html_title = f"gazesal {version}"
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    page: []
    for page in (
        "index",
        "getting_started",
        "choosing_a_metric",
        "gallery",
        "replication",
        "performance",
        "citing",
        "contributing",
        "changelog",
    )
}
html_theme_options = {
    "logo": {"text": f"gazesal {version}"},
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
