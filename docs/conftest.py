"""What pytest leaves alone here; the examples of the pages are run by `--doctest-glob`."""

collect_ignore = ["_build", "_ext", "conf.py"]
