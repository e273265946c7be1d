"""Configure Sphinx. The build, `make docs`, needs no network."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

import scipy.stats  # noqa: F401 (imported before torch is mocked, because SciPy uses classes of torch)

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from metric_lists import write_metric_lists

write_metric_lists(Path(__file__).parent / "reference" / "metrics.rst")

project = "gazesal"
author = "The gazesal developers"
copyright = author
version = release = installed_version("gazesal")
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",  # MyST pages and notebooks
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "api",  # this and the next four are in _ext/
    "command_options",
    "gaze_formats",
    "mathml",
    "metric_table",
]
exclude_patterns = ["_build", "_ext", "changelog.d", "reference/metrics.rst"]

# Names in single backticks link to objects, and the build fails if an object does not exist. Names
# of parameters are handled in _ext/api.py.
default_role = "py:obj"
nitpicky = True

# Signatures have no types, because the docstrings state the types in words.
autodoc_typehints = "none"
autosummary_generate = ["reference/index.rst", "reference/metrics.rst"]
# The documentation is built without these packages.
autodoc_mock_imports = ["torch", "torchmetrics", "lightning", "kornia"]
templates_path = ["_templates"]
numpydoc_show_class_members = False  # the class template lists methods in full
numpydoc_xref_param_type = False

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

# Every build runs the notebooks in temporary folders, and fails if a cell raises or writes to
# standard error.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 180
nb_output_stderr = "warn"
nb_merge_streams = True

# The copy button leaves out prompts and output, so that the copied text can be pasted and run.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

# The file is in the package because `gazesal.cite` reads it too.
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
