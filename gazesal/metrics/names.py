"""Look-up of metrics by name, alias and label, including the metrics of users."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from gazesal._validation import as_iterable
from gazesal._warnings import warn
from gazesal.exceptions import InputWarning
from gazesal.metrics.compat_registry import COMPAT_METRICS
from gazesal.metrics.metric import Metric
from gazesal.metrics.registry import METRICS
from gazesal.regions.registry import REGION_METRICS

__all__ = [
    "as_metrics",
    "find_metric",
    "higher_is_better",
    "metric_named",
    "name_among",
    "remember",
]

BUILT_IN: Mapping[str, Metric] = MappingProxyType({**METRICS, **COMPAT_METRICS, **REGION_METRICS})
# "AUC" means `auc_borji` in the tables of the study and `auc_judd` in benchmarks.
# "Shuffled AUC" is `sauc` in the study, and `auc_shuffled` in benchmarks.
AMBIGUOUS = {
    "auc": ("auc_borji", "auc", "auc_judd"),
    "shuffledauc": ("sauc", "auc_shuffled"),
}
# Metrics that users evaluated or loaded, so that tables know their label and direction.
_users: dict[str, Metric] = {}


def _plain(text: str) -> str:
    """Return a name in lower case, without hyphens, underscores, blanks and other marks."""
    return re.sub(r"[-_\s'()\u2019\u2013]", "", text).lower()


def _by_alias() -> dict[str, Metric]:
    """Return the metrics of the library by plain names and aliases; see `_plain`."""
    found: dict[str, Metric] = {}
    for metric in BUILT_IN.values():
        label = {_plain(metric.label)} - {*AMBIGUOUS}
        for alias in label | {_plain(each) for each in (metric.name, *metric.aliases)}:
            if found.setdefault(alias, metric) is not metric:
                raise AssertionError(f"two metrics have the alias {alias!r}")
    return found


ALIASES = MappingProxyType(_by_alias())
LABELS = MappingProxyType({metric.label: metric for metric in BUILT_IN.values()})


def as_metrics(metrics: Sequence[str | Metric]) -> tuple[Metric, ...]:
    """Return metrics given by name, alias or as objects, at least one and each once.

    Parameters
    ----------
    metrics : sequence of str or Metric
        Names and aliases, in any case, or a user's own metrics.

    Returns
    -------
    tuple of Metric
        The metrics in the order given.

    Raises
    ------
    ValueError
        If a name is unknown or ambiguous, a metric is given twice, no metric is given, or a user's
        metric has the name or the label of another one.
    """
    given = list(as_iterable(metrics, name="metrics", of="names or Metric objects"))
    found = tuple(_as_metric(each) for each in given)
    names = [metric.name for metric in found]
    if not found or len({*names}) < len(found):
        raise ValueError(f"`metrics` must name at least one metric, each once, got {names}.")
    labels = [metric.label for metric in found]
    if len({*labels}) < len(found):
        raise ValueError(
            f"`metrics` must have a different `label` each, which heads its column, got {labels}."
        )
    return found


def _as_metric(value: object) -> Metric:
    """Return one metric given by name, alias or as an object."""
    if isinstance(value, Metric):
        metric = value
        known = ALIASES.get(_plain(value.name)) or LABELS.get(value.label)
        if known is not None and _is_same(value, known):
            metric = known
        elif known is not None:
            raise ValueError(
                f"`metrics` must not hold another metric of the name {value.name!r} and the label "
                f"{value.label!r}, which mean the library's {known.name!r}. Give yours another "
                "`name` and `label`."
            )
    else:
        text = value if isinstance(value, str) else ""
        exact, plain = BUILT_IN.get(text), _plain(text)
        if exact is None and plain in AMBIGUOUS:
            candidates = " or ".join(
                f"{each!r} ({'gaze map' if BUILT_IN[each].ground_truth == 'map' else 'fixations'})"
                for each in AMBIGUOUS[plain]
            )
            raise ValueError(f"`metrics` must name one metric, got {value!r}. Write {candidates}.")
        metric = exact or ALIASES.get(plain) or _unknown(value)
    return metric


def _is_same(given: Metric, known: Metric) -> bool:
    """Return whether a metric is one of the library, possibly unpickled.

    An unpickled one is not equal, because its facts hold nan.
    """
    return given.function is known.function and given.facts() == known.facts()


def _unknown(value: object) -> Metric:
    """Raise for an unknown metric, with the closest known names."""
    close = difflib.get_close_matches(str(value).lower(), [*BUILT_IN], n=2, cutoff=0.7)
    advice = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    if callable(value):
        advice = " Write gazesal.Metric(function) for a function of your own."
    raise ValueError(
        f"`metrics` must be one of {', '.join(map(repr, (*METRICS, *REGION_METRICS)))}, an alias "
        "of one, or a Metric, "
        f"got {value!r}.{advice}"
    )


def remember(metrics: Iterable[Metric]) -> None:
    """Make a user's metrics available to tables and figures. A later one replaces an earlier one.

    Parameters
    ----------
    metrics : iterable of Metric
        Metrics of users.

    Warns
    -----
    InputWarning
        If an earlier metric had the same name and other facts. Tables of scores hold only the name.
    """
    for metric in metrics:
        earlier = _users.get(metric.name)
        if earlier is not None and earlier.facts() != metric.facts():
            warn(
                f"`metrics` holds another metric of the name {metric.name!r} than an earlier call. "
                "Tables and figures of earlier scores now use its label, direction and chance. "
                "Give one of them another `name` to keep both.",
                InputWarning,
            )
        _users[metric.name] = metric


def find_metric(name: object) -> Metric | None:
    """Return the metric of a name or label, or None if it is not known.

    Parameters
    ----------
    name : str
        Name or label of a metric of the library, or of a user's metric that was evaluated or loaded
        in this process.

    Returns
    -------
    Metric or None
        The facts about the metric.
    """
    text = str(name)
    labels = {metric.label: metric for metric in _users.values()}
    return BUILT_IN.get(text) or _users.get(text) or LABELS.get(text) or labels.get(text)


def higher_is_better(metric: object) -> bool | None:
    """Return the direction of a metric, or None if it is not known.

    Parameters
    ----------
    metric : str
        Name or label of a metric, such as ``"kl_divergence"``, ``"KL"`` or ``"mit_kl"``.

    Returns
    -------
    bool or None
        None for an unknown name. Callers then make no claim about which score is better.
    """
    found = find_metric(metric)
    return None if found is None else found.higher_is_better


def metric_named(name: str) -> Metric:
    """Return the metric of a name that an evaluation holds.

    Parameters
    ----------
    name : str
        Name of a metric of the library, or of a user's metric that was evaluated or loaded in this
        process.

    Returns
    -------
    Metric
        The facts about the metric.

    Raises
    ------
    KeyError
        If the name is not known.
    """
    metric = BUILT_IN.get(name) or _users.get(name)
    if metric is None:
        raise KeyError(name)
    return metric


def name_among(names: Sequence[str], metric: str) -> str:
    """Return the one of some metrics' names that a name, alias or label means.

    Parameters
    ----------
    names : sequence of str
        Names of the metrics of an evaluation.
    metric : str
        A name, or an alias such as ``"CC"``.

    Returns
    -------
    str
        One of `names`, or `metric` itself if it means no metric or an ambiguous one.
    """
    if not isinstance(metric, str) or metric in names or _plain(metric) in AMBIGUOUS:
        return metric
    found = ALIASES.get(_plain(metric)) or find_metric(metric)
    return metric if found is None else found.name
