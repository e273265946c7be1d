"""The type of an option that names a metric."""

import click

from gazesal.metrics.names import as_metrics

__all__ = ["MetricName"]


class MetricName(click.ParamType[str]):
    """A metric's name or alias, which becomes the name."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of the metric, or report an unknown one."""
        try:
            return as_metrics([value])[0].name
        except ValueError as error:
            self.fail(str(error), param, ctx)
