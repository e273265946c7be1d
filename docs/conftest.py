"""Exclude files from collection by pytest. `--doctest-glob` runs the examples of the pages."""

collect_ignore = ["_build", "_ext", "changelog.d", "conf.py"]
