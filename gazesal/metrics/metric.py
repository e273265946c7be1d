"""The facts about one metric, of the library or of a user."""

import inspect
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from gazesal._validation import as_choice, as_flag

__all__ = ["Metric", "MissingFunction"]

GazeKind = Literal["map", "points", "region"]
GAZE_ARGUMENTS = {"map": "gaze_map", "points": "fixations", "region": "region"}
Need = Literal["center_bias", "other_fixations", "baseline"]
SAMPLED_WITH = {None, "center_bias"}
NUMBERS = ("low", "high", "chance", "constant_map")
KNOWN_OPTIONS = ("shrink", "k")  # options without a default that `evaluate` can pass on


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric: a function and the facts about it.

    `METRICS` holds the metrics of the library. Make a `Metric` from your own function and give it
    to `evaluate` in ``metrics``. Tables, figures and reports then use its label and direction.

    Attributes
    ----------
    function : callable
        Function that returns one number. It is called with its `arguments` in order, and with
        `required_options` by keyword. The only attribute without a default, and the only one that
        may be given by position.
    name : str
        Name in tables and files, a Python identifier. By default the name of the function.
    label : str
        Name in printed tables and figures. By default the same as `name`.
    ground_truth : {"map", "points", "region"}
        The second argument: a gaze map (H, W), which is the default, fixations (N, 2), or a boolean
        mask of a region (H, W), True inside.
    needs : {"center_bias", "other_fixations", "baseline"} or None
        The third argument, if there is one: the center bias as a map of weights, the fixations on
        other images, or a density.
    can_sample : bool
        True if the function takes ``n_samples`` and ``rng``.
    random : bool
        True if the function always needs ``rng``.
    required_options : tuple of str
        Options that have no default.
    weights : tuple of str
        Arguments that must be non-negative and not all zero.
    densities : tuple of str
        Arguments that must also sum to 1.
    low, high : float
        Range of the score. Unbounded by default.
    higher_is_better : bool
        Direction, True by default.
    chance : float
        Score of a map of noise that is unrelated to the gaze. ``nan``, the default, if it depends
        on the maps or is unknown.
    chance_of_any_map : bool
        True if every map that is the same for all images is expected to score `chance`, and not
        only noise. This holds for scores that are linear in the gaze and relative to the gaze on
        other images. By other metrics, such a map can be far from chance. A blob in the center, for
        example, is above chance by `nss` and `auc` and below chance by `sncc`, and its inverse is
        above chance by `sncc`.
    any_monotone_map : bool
        True if no strictly increasing function of the saliency map changes the score.
    any_affine_map : bool
        True if positive scaling and shifting of the saliency map do not change the score.
    any_scaled_map : bool
        True if positive scaling of the saliency map does not change the score.
    symmetric : bool
        True if exchanging saliency map and gaze map does not change the score.
    constant_map : float or None
        Score of a constant saliency map, ``nan`` if it is undefined. None, the default, if it
        depends on the gaze or is unknown.
    citation : str
        Key in ``gazesal/references.bib``, which `cite` prints. Empty by default.
    aliases : tuple of str
        Other names of a metric of the library that `evaluate`, `score` and the command line
        accept. Case, hyphens, underscores and blanks are ignored.
    undefined_when : str
        Inputs whose score is ``nan``, as a phrase that completes "undefined for".
    recommended_for : str
        Use of the metric, as a phrase that completes "recommended for".

    Raises
    ------
    ValueError
        If a name, label, range or choice is invalid.
    TypeError
        If `function` is not callable, or does not take the arguments that the facts name.

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> def mean_error(saliency_map, gaze_map):
    ...     return np.abs(saliency_map - gaze_map).mean()
    >>> own = gazesal.Metric(mean_error, label="MAE", higher_is_better=False, low=0.0)
    >>> own.name, own.arguments
    ('mean_error', ('saliency_map', 'gaze_map'))
    """

    function: Callable[..., float] = field(kw_only=False)
    name: str = ""
    label: str = ""
    ground_truth: GazeKind = "map"
    needs: Need | None = None
    can_sample: bool = False
    random: bool = False
    required_options: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    densities: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    higher_is_better: bool = True
    chance: float = math.nan
    chance_of_any_map: bool = False
    any_monotone_map: bool = False
    any_affine_map: bool = False
    any_scaled_map: bool = False
    symmetric: bool = False
    constant_map: float | None = None
    citation: str = ""
    aliases: tuple[str, ...] = ()
    undefined_when: str = ""
    recommended_for: str = ""

    def __post_init__(self) -> None:
        """Fill in the name and the label, and check every fact."""
        if not callable(self.function):
            raise TypeError(
                "`function` must be a function of a saliency map and the gaze, got "
                f"{self.function!r}. Write gazesal.Metric(function, label=...)."
            )
        name = self.name or getattr(self.function, "__name__", "")
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(
                f"`name` must be a Python identifier, got {name!r}. Give one, such as "
                'name="my_metric", because a lambda or a partial function has no name.'
            )
        _set(self, "name", name)
        _set(self, "label", self.label or name)
        if not (isinstance(self.label, str) and self.label.isprintable() and self.label.strip()):
            raise ValueError(f"`label` must be printable text, got {self.label!r}.")
        as_choice(self.ground_truth, get_args(GazeKind), name="ground_truth")
        if self.needs is not None:
            as_choice(self.needs, get_args(Need), name="needs")
        for each in fields(self):
            if each.type is bool:
                as_flag(getattr(self, each.name), name=each.name)
        if self.can_sample and (self.ground_truth != "map" or self.needs not in SAMPLED_WITH):
            raise ValueError(
                "`can_sample` must be False for metrics of fixations or of a baseline, got True. "
                "Give random=True if the function needs `rng`."
            )
        self._require_texts()
        self._require_numbers()
        self._require_signature()

    @property
    def needs_center_bias(self) -> bool:
        """True if the center bias is the third argument."""
        return self.needs == "center_bias"

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arguments of the function, in order."""
        truth = GAZE_ARGUMENTS[self.ground_truth]
        return ("saliency_map", truth, *([self.needs] if self.needs else []))

    @property
    def takes_area(self) -> bool:
        """True if the function has the keyword ``area``, the pixels that count."""
        try:
            return "area" in inspect.signature(self.function).parameters
        except (TypeError, ValueError):  # some compiled functions have no signature
            return False

    def __call__(self, *arguments: Any, **options: Any) -> float:
        """Return the score of the function.

        Parameters
        ----------
        *arguments : array_like
            Values of `arguments`, in order.
        **options : object
            Options of the function.

        Returns
        -------
        float
            The score.

        Raises
        ------
        TypeError
            If the function does not return a number.
        ValueError
            If it returns infinity.
        """
        value = self.function(*arguments, **options)
        if not isinstance(value, numbers.Real):
            raise TypeError(
                f"`metrics` must hold functions that return a number, got {type(value).__name__} "
                f"from {self.name!r}. Return float(value)."
            )
        if value in {math.inf, -math.inf}:
            raise ValueError(
                f"`metrics` must hold functions that return a finite number or nan, got {value} "
                f"from {self.name!r}. Return nan if the score is undefined."
            )
        return float(value)

    def facts(self) -> dict[str, Any]:
        """Return the facts without the function, as values that JSON can hold.

        Returns
        -------
        dict
            Values by name. `from_facts` turns them into a `Metric` again.
        """
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        del found["function"]
        return {key: _to_json(value) for key, value in found.items()}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Metric":
        """Return a metric with saved facts, whose function is missing.

        Parameters
        ----------
        facts : mapping
            Values that `facts` returned.

        Returns
        -------
        Metric
            A metric for tables and reports. Calling its function raises a TypeError.
        """
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in facts.items()
        }
        for name in NUMBERS:
            if isinstance(values.get(name), str):
                values[name] = float(values[name])
        return cls(MissingFunction(str(values.get("name"))), **values)

    def _require_texts(self) -> None:
        """Raise if a text or a tuple of texts is invalid."""
        for name in ("citation", "undefined_when", "recommended_for"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"`{name}` must be text, got {getattr(self, name)!r}.")
        choices = {
            "required_options": KNOWN_OPTIONS,
            "weights": self.arguments,
            "densities": self.arguments,
            "aliases": None,
        }
        for name, allowed in choices.items():
            values = getattr(self, name)
            if not isinstance(values, (tuple, list)) or not all(
                isinstance(each, str) for each in values
            ):
                raise TypeError(f"`{name}` must be a tuple of texts, got {values!r}.")
            _set(self, name, tuple(values))
            for each in values if allowed is not None else ():
                as_choice(each, allowed or (), name=name)

    def _require_numbers(self) -> None:
        """Raise if a number is invalid or the range is empty."""
        for name in NUMBERS:
            value = getattr(self, name)
            if value is None and name == "constant_map":
                continue
            if isinstance(value, bool) or not isinstance(value, numbers.Real):
                raise TypeError(f"`{name}` must be a number, got {value!r}.")
            _set(self, name, float(value))
        if not self.low < self.high:
            raise ValueError(f"`low` must be less than `high`, got {self.low} and {self.high}.")
        for name in ("chance", "constant_map"):
            value = getattr(self, name)
            outside = value is not None and (value < self.low or value > self.high)
            if outside or value in {math.inf, -math.inf}:
                raise ValueError(
                    f"`{name}` must be finite and from `low` to `high`, {self.low} to {self.high}, "
                    f"or nan, got {value}."
                )

    def _require_signature(self) -> None:
        """Raise if the function cannot be called as the facts say."""
        sampling = ("n_samples", "rng") if self.can_sample else ("rng",) if self.random else ()
        options = dict.fromkeys((*self.required_options, *sampling))
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):  # some compiled functions have no signature
            return
        try:
            signature.bind(*self.arguments, **options)
        except TypeError as error:
            wanted = ", ".join((*self.arguments, *(f"{option}=" for option in options)))
            raise TypeError(
                f"`function` must be callable as {self.name}({wanted}), got "
                f"{self.name}{signature}: {error}. Change `ground_truth` or `needs`, or the "
                "function."
            ) from error


class MissingFunction:
    """The function of a metric that was loaded from a saved evaluation.

    Parameters
    ----------
    name : str
        Name of the metric.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, *_arguments: Any, **_options: Any) -> float:
        """Raise a TypeError."""
        raise TypeError(
            f"`metrics` must hold the function of {self.__name__!r}, but a saved evaluation keeps "
            "only the facts about it. Make the Metric again from its function."
        )


def _to_json(value: Any) -> Any:
    """Return a fact as JSON can hold it, because JSON has no tuples, infinity or NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _set(metric: Metric, name: str, value: Any) -> None:
    """Set an attribute of a frozen metric while it is made."""
    object.__setattr__(metric, name, value)
