"""Directives that are filled from the options and examples of a command.

``command-options`` lists the options of a command by group, and ``command-examples`` a command line
for each source.
"""

import re
from typing import cast

import click
from docutils import nodes
from metric_table import list_table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gazesal.cli import main
from gazesal.cli.option_groups import GroupedCommand, GroupedOption

# words of the help that are typed: options, names with placeholders, values, columns of a table
TYPED = re.compile(r"(?<![\w`])(--[a-z][\w-]*|\S*[<>|={*]\S*[\w}]|[a-z]+(?:_[a-z]+)+|\w+:[A-Z]+)")


def command_named(name: str) -> GroupedCommand:
    """Return a command of the command line whose options have groups."""
    return cast("GroupedCommand", main.commands[name])


def cells(option: GroupedOption, context: click.Context) -> tuple[str, str, str]:
    """Return the cells of one row as reStructuredText."""
    names = "/".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {option.make_metavar(context)}"
    text = TYPED.sub(r"``\1``", (option.help or "").replace("\\", "\\\\"))
    default = option.get_default(context)
    if option.required:
        shown = "required"
    elif option.show_default and option.secondary_opts:
        shown = f"``{(option.opts if default else option.secondary_opts)[0]}``"
    else:
        shown = f"``{default}``" if option.show_default else ""
    return f"``{names}{value}``", text, shown


class CommandOptions(SphinxDirective):
    """Tables of the options of a command, one for each group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the tables as list-tables and parse them."""
        command = command_named(self.arguments[0])
        context = click.Context(command)
        groups: dict[str, list[tuple[str, str, str]]] = {}
        for option in command.params:
            if isinstance(option, GroupedOption):
                groups.setdefault(option.group, []).append(cells(option, context))
        found: list[nodes.Node] = []
        for title, rows in groups.items():
            table = list_table([("Option", "Meaning", "Default"), *rows])
            found += self.parse_text_to_nodes(f".. rubric:: {title}\n\n{table}")
        return found


class CommandExamples(SphinxDirective):
    """Command lines of a command, one for each source."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the examples as code blocks and parse them."""
        lines = []
        for title, words in command_named(self.arguments[0]).examples.items():
            code = "\n".join(f"   {line}" for line in f"$ {words}".split("\n"))
            lines.append(f"{title}:\n\n.. code-block:: console\n\n{code}\n")
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("command-options", CommandOptions)
    app.add_directive("command-examples", CommandExamples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
