"""Define the command line, which calls the public functions."""

import click

import gazesal
from gazesal.cite import main as cite
from gazesal.cli.audit import audit
from gazesal.cli.demo import demo
from gazesal.cli.evaluate import evaluate
from gazesal.cli.replicate import replicate, train
from gazesal.cli.report import report
from gazesal.cli.streams import Commands
from gazesal.cli.synthesize import synthesize

__all__ = ["main"]


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(gazesal.__version__, prog_name="gazesal")
def main() -> None:
    """Score saliency maps against human gaze, with intervals and reports."""


main.add_command(evaluate)
main.add_command(audit)
main.add_command(report)
main.add_command(demo)
main.add_command(synthesize)
main.add_command(train)
main.add_command(replicate)
main.add_command(cite, name="cite")
