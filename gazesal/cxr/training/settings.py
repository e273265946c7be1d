"""Settings of a training: every number of the study's section 3.1 by its name."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from gazesal._validation import as_choice, as_count

__all__ = ["PRESETS", "TrainingSettings", "settings_of_one_training"]

Monitor = Literal["auc", "loss"]
PRESETS = ("paper", "code", "smoke")
SHARES = ("translation", "horizontal_flip", "least_improvement")  # numbers in [0, 1)
COUNTS = (
    "labels",
    "epochs",
    "batch_size",
    "epochs_without_improvement",
    "models",
    "shortest_dimension",
    "center_crop",
    "evaluation_shortest_dimension",
    "evaluation_multiple",
)
ONLY = {  # settings of which only the study's value is implemented
    "uncertain": ("negative",),
    "missing": ("negative",),
    "optimizer": ("adam",),
    "loss": ("binary_cross_entropy",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Settings of a training. The defaults are the preset ``"paper"``.

    Attributes
    ----------
    labels : int
        Number of labels.
    uncertain, missing : {"negative"}
        Value of labels that are uncertain (-1), and of labels that are not mentioned.
    optimizer : {"adam"}
        Optimizer.
    learning_rate, weight_decay : float
        Learning rate and weight decay of the optimizer.
    loss : {"binary_cross_entropy"}
        Loss, averaged over labels and images.
    epochs : int
        Number of epochs.
    batch_size : int
        Number of images per step, over all devices.
    monitor : {"auc", "loss"}
        Value on the validation images that controls the learning rate and the best checkpoint: the
        AUC averaged over the labels, or the loss.
    epochs_without_improvement : int
        Number of consecutive epochs without improvement after which the learning rate is reduced.
        PyTorch's ``patience`` is one less.
    learning_rate_factor : float
        Factor of a reduction, above 0 and below 1.
    least_improvement : float
        Smallest improvement that counts for the learning rate, as a share of the best value.
    models : int
        Number of trainings of each network.
    shortest_dimension : int
        Shorter side of training images after resizing, in pixels.
    rotation_degrees : float
        Largest rotation to either side.
    translation : float
        Largest shift, as a share of width and height.
    scale_factor : tuple of float
        Smallest and largest scale.
    border_value : int
        Gray value, 0 to 255, of pixels that come from outside the image by a rotation, shift or
        scale.
    center_crop : int
        Side of the square cut from the center, in pixels.
    horizontal_flip : float
        Probability of a flip.
    mean, standard_deviation : tuple of float
        Normalization of the three channels, for values in [0, 1].
    evaluation_shortest_dimension, evaluation_multiple : int
        ``short_side`` and ``multiple`` of `gazesal.cxr.preprocess`.

    Raises
    ------
    ValueError
        If a value is out of range.
    TypeError
        If a value has another type than stated.

    See Also
    --------
    train : Train with these settings.

    Notes
    -----
    Settings of section 3.1 of :footcite:t:`bigolin2021`. `preset` reads one of three files:

    - ``"paper"``: the text of the paper (the defaults),
    - ``"code"``: its published code,
    - ``"smoke"``: a small and short training.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from gazesal.cxr.training import TrainingSettings
    >>> settings = TrainingSettings.preset("paper")
    >>> settings.learning_rate, settings.batch_size, settings.monitor
    (0.0001, 64, 'auc')
    >>> TrainingSettings.preset("code").monitor
    'loss'
    """

    labels: int = 14
    uncertain: str = "negative"
    missing: str = "negative"
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    loss: str = "binary_cross_entropy"
    epochs: int = 75
    batch_size: int = 64
    monitor: Monitor = "auc"
    epochs_without_improvement: int = 3
    learning_rate_factor: float = 0.5
    least_improvement: float = 1e-4
    models: int = 5
    shortest_dimension: int = 224
    rotation_degrees: float = 15.0
    translation: float = 0.05
    scale_factor: tuple[float, float] = (0.95, 1.05)
    border_value: int = 0
    center_crop: int = 224
    horizontal_flip: float = 0.5
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    standard_deviation: tuple[float, ...] = (0.229, 0.224, 0.225)
    evaluation_shortest_dimension: int = 224
    evaluation_multiple: int = 16

    def __post_init__(self) -> None:
        for name in COUNTS:
            as_count(getattr(self, name), name=name)
        if as_count(self.border_value, name="border_value", least=0) > 255:
            raise ValueError(f"`border_value` must be 0 to 255, got {self.border_value}.")
        for name, choices in ONLY.items():
            as_choice(getattr(self, name), choices, name=name)
        as_choice(self.monitor, get_args(Monitor), name="monitor")
        for name in ("learning_rate", "weight_decay", "rotation_degrees", *SHARES):
            _require_number(getattr(self, name), name, 1 if name in SHARES else math.inf)
        _require_number(self.learning_rate_factor, "learning_rate_factor", 1)
        if self.learning_rate == 0 or self.learning_rate_factor == 0:
            raise ValueError("`learning_rate` and `learning_rate_factor` must be positive, got 0.")
        for name, length in (("scale_factor", 2), ("mean", 3), ("standard_deviation", 3)):
            values = getattr(self, name)
            if not isinstance(values, (tuple, list)) or len(values) != length:
                raise ValueError(f"`{name}` must be {length} numbers, got {values!r}.")
            for value in values:
                _require_number(value, name, math.inf)
            object.__setattr__(self, name, tuple(map(float, values)))
        if not 0 < self.scale_factor[0] <= self.scale_factor[1]:
            raise ValueError(
                f"`scale_factor` must be positive and ascending, got {self.scale_factor!r}."
            )
        if min(self.standard_deviation) <= 0:
            raise ValueError(
                f"`standard_deviation` must be positive, got {self.standard_deviation!r}."
            )
        if self.center_crop > self.shortest_dimension:
            raise ValueError(
                f"`center_crop` must be at most `shortest_dimension`, got {self.center_crop} and "
                f"{self.shortest_dimension}."
            )

    @classmethod
    def preset(cls, name: str = "paper") -> TrainingSettings:
        """Read one of the settings files of gazesal.

        Parameters
        ----------
        name : {"paper", "code", "smoke"}, default "paper"
            Settings of the paper, of its published code, or of a training that takes minutes.

        Returns
        -------
        TrainingSettings
            The settings.

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        as_choice(name, PRESETS, name="name")
        text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return cls.from_mapping(tomllib.loads(text), where=f"{name}.toml")

    @classmethod
    def read(cls, path: str | Path) -> TrainingSettings:
        """Read settings from a TOML file.

        Parameters
        ----------
        path : str or path
            The file. Settings that it omits are as in the preset ``"paper"``.

        Returns
        -------
        TrainingSettings
            The settings.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not valid TOML, has an unknown name, or a value is out of range.
        TypeError
            If a value has another type than stated.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: must be a file of settings, but does not exist.")
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: cannot be read as TOML: {error}") from error
        return cls.from_mapping(values, where=str(path))

    @classmethod
    def from_mapping(
        cls, values: Mapping[str, Any], *, where: str = "settings"
    ) -> TrainingSettings:
        """Make settings from values by name.

        Parameters
        ----------
        values : mapping
            Values by name. Settings that it omits are as in the preset ``"paper"``.
        where : str
            Source of the values, for error messages.

        Returns
        -------
        TrainingSettings
            The settings.

        Raises
        ------
        ValueError
            If a name is unknown, or a value is out of range.
        TypeError
            If a value has another type than stated.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(
                f"{where}: names must be settings, got {unknown[0]!r}. The settings are "
                f"{', '.join(known)}."
            )
        try:
            return cls(**values)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{where}: {error}") from error

    def with_changes(self, **changes: Any) -> TrainingSettings:
        """Return these settings with some changed.

        Parameters
        ----------
        **changes
            New values by name.

        Returns
        -------
        TrainingSettings
            The settings.

        Raises
        ------
        ValueError
            If a value is out of range.
        TypeError
            If a name is unknown, or a value has another type than stated.
        """
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings by name, with types of JSON.

        Returns
        -------
        dict
            Numbers, strings and lists of numbers.
        """
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def settings_of_one_training(settings: TrainingSettings) -> dict[str, Any]:
    """Return the settings on which one training depends: all except the number of trainings."""
    return {name: value for name, value in settings.to_dict().items() if name != "models"}


def _require_number(value: Any, name: str, below: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"`{name}` must be a number, got {value!r}.")
    if not 0 <= value < below:
        raise ValueError(f"`{name}` must be in [0, {below:g}), got {value!r}.")
