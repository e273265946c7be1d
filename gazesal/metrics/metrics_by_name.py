"""A read-only mapping of metrics by name, which can be pickled."""

from collections.abc import Iterable, Iterator, Mapping

from gazesal.metrics.metric import Metric

__all__ = ["MetricsByName"]


class MetricsByName(Mapping[str, Metric]):
    """Metrics by name, in the order in which they are given.

    A `types.MappingProxyType` cannot be pickled, so a function that uses one cannot be sent to
    worker processes.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._by_name = {metric.name: metric for metric in metrics}

    def __getitem__(self, name: str) -> Metric:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"MetricsByName({', '.join(self)})"
