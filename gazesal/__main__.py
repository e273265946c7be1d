"""Run the command line with ``python -m gazesal``."""

from gazesal.cli import main

main(prog_name="gazesal")
