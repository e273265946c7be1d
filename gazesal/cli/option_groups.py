"""Show the options of a command in groups in its help, with examples."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

__all__ = ["GroupedCommand", "GroupedOption", "with_options"]

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


class GroupedOption(click.Option):
    """An option with the title of its group and the sources of gaze that it goes with.

    Parameters
    ----------
    *args
        Arguments of `click.Option`.
    group : str
        Title of the group.
    sources : tuple of str, optional
        Names of the options that give the gaze, one of which this option needs. By default, the
        option goes with every source.
    **attributes
        Keyword arguments of `click.Option`.
    """

    def __init__(
        self, *args: Any, group: str, sources: tuple[str, ...] = (), **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.group = group
        self.sources = sources


class GroupedCommand(click.Command):
    """A command whose help lists options by group, in the order in which they are declared.

    Parameters
    ----------
    *args
        Arguments of `click.Command`.
    examples : mapping of str to str, optional
        Commands by what they show, listed below the options.
    **attributes
        Keyword arguments of `click.Command`.
    """

    def __init__(
        self, *args: Any, examples: Mapping[str, str] | None = None, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples = dict(examples or {})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options into the help, with a section for each group, then the examples."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups.setdefault(getattr(parameter, "group", "Other options"), []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)
        if self.examples:
            with formatter.section("Examples"):
                for title, words in self.examples.items():
                    formatter.write_text(f"{title}:")
                    with formatter.indentation():
                        # not wrapped, so that the command can be copied
                        indent = " " * formatter.current_indent
                        formatter.write("".join(f"{indent}{line}\n" for line in words.split("\n")))


def with_options(options: Sequence[Any]) -> Decorator:
    """Return a decorator that adds options to a command, in their order.

    Parameters
    ----------
    options : sequence of decorators
        Options as `click.option` returns them.

    Returns
    -------
    function
        The decorator.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
