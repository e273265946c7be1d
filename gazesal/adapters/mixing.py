"""Mix the maps of several classes into one."""

from __future__ import annotations

from typing import Literal, TypeVar, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gazesal._validation import as_choice, as_count, as_real_array, require_finite
from gazesal.typing import Float64Array, FloatArray

__all__ = ["class_weights", "mix_classes"]

Scheme = Literal["uniform", "weighted", "thresholded", "highest"]
Maps = TypeVar("Maps", Tensor, FloatArray)


def mix_classes(
    maps: Maps,
    logits: ArrayLike | Tensor,
    scheme: Scheme | ArrayLike = "uniform",
    *,
    no_finding: int = 0,
    normalize: bool = True,
) -> Maps:
    r"""Mix the maps of several classes into one.

    Parameters
    ----------
    maps : torch.Tensor or numpy.ndarray, shape (K, H, W) or (N, K, H, W)
        Maps of K classes, of one image or of N images, as in the result of `grad_cam`.
    logits : torch.Tensor or array_like, shape (K,) or (N, K)
        Logits of these classes.
    scheme : {"uniform", "weighted", "thresholded", "highest"} or array_like, default "uniform"
        Weight of each class. ``"uniform"``: 1. ``"weighted"``: the predicted probability.
        ``"thresholded"``: 1 if the probability is at least one half, else 0. ``"highest"``: 1 for
        the highest logit, else 0. Or the weights themselves, in the shape of `logits` or (K,).
    no_finding : int, default 0
        Position, among these classes, of the class that ``"thresholded"`` takes alone if all logits
        are negative. "No Finding" is the first class of the study.
    normalize : bool, default True
        Divide by the sum of the weights, as in the equation of the paper but not in its code.

    Returns
    -------
    torch.Tensor or numpy.ndarray, shape (H, W) or (N, H, W)
        Mixed maps, of the same kind as `maps`, in at least float32, and float64 for integers.

    Raises
    ------
    ValueError
        If the shapes do not agree, a value is not finite, `scheme` is not a valid choice, the
        logits look like probabilities and the scheme depends on them, `no_finding` is out of range,
        or `normalize` is set and the weights sum to zero or less.
    TypeError
        If maps, logits or weights do not hold real numbers.

    See Also
    --------
    class_weights : The weights alone.

    Notes
    -----
    .. math:: M = \frac{\sum_c \psi_c M_c}{\sum_c \psi_c}

    with :math:`\psi_c = 1`, :math:`\psi_c = \mathrm{sigmoid}(y_c)`, or :math:`\psi_c = 1` for
    :math:`y_c \ge 0`, which is equation 2 of :footcite:t:`bigolin2021`. Their code omits the
    division, which changes SIM and KL, but neither correlations nor ranks.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.adapters.mixing import mix_classes
    >>> maps = np.array([[[0.0, 2.0]], [[4.0, 0.0]]])
    >>> mix_classes(maps, [0.0, -3.0]).tolist()
    [[2.0, 1.0]]
    >>> mix_classes(maps, [0.0, -3.0], "thresholded").tolist()
    [[0.0, 2.0]]
    >>> mix_classes(maps, [0.0, -3.0], [1, 3]).tolist()
    [[3.0, 0.5]]
    """
    if not isinstance(maps, (Tensor, np.ndarray)):
        raise TypeError(f"`maps` must be a tensor or an array, got {type(maps).__name__}.")
    if maps.ndim not in {3, 4}:
        raise ValueError(
            f"`maps` must have shape (K, H, W) or (N, K, H, W), got {tuple(maps.shape)}."
        )
    values = _as_logits(logits)
    if values.shape != tuple(maps.shape[:-2]):
        raise ValueError(
            f"`logits` must have the shape {tuple(maps.shape[:-2])} of the maps' images and "
            f"classes, got {values.shape}. Select the logits of the classes that have maps."
        )
    weights = class_weights(values, scheme, no_finding=no_finding)
    if normalize:
        sums = weights.sum(axis=-1, keepdims=True)
        if (sums <= 0).any():
            raise ValueError(
                f"`scheme` must give weights with a positive sum, got {sums.min():g}. Use "
                "normalize=False to omit the division."
            )
        weights = weights / sums
    if isinstance(maps, Tensor):
        if maps.is_complex():
            raise TypeError(f"`maps` must hold real numbers, got {maps.dtype}.")
        if not torch.isfinite(maps).all():
            raise ValueError("`maps` must be finite, got NaN or infinity.")
        exact = not maps.is_floating_point()
        dtype = torch.float64 if exact else torch.promote_types(maps.dtype, torch.float32)
        factors = torch.from_numpy(weights).to(maps.device, dtype)[..., None, None]
        total = factors[..., 0, :, :] * maps[..., 0, :, :]
        for k in range(1, weights.shape[-1]):  # class by class, without a second copy of all maps
            total += factors[..., k, :, :] * maps[..., k, :, :]
        return total
    maps = as_real_array(maps, name="maps", booleans=True)
    require_finite(maps, name="maps")
    wide = np.result_type(maps.dtype, np.float32) if maps.dtype.kind == "f" else np.float64
    arrays = weights[..., None, None].astype(wide)
    mixed: FloatArray = arrays[..., 0, :, :] * maps[..., 0, :, :]
    for k in range(1, weights.shape[-1]):
        mixed += arrays[..., k, :, :] * maps[..., k, :, :]
    return mixed


def class_weights(
    logits: ArrayLike | Tensor, scheme: Scheme | ArrayLike = "uniform", *, no_finding: int = 0
) -> Float64Array:
    """Return the weight of each class, before `mix_classes` divides by the sum.

    Parameters
    ----------
    logits : torch.Tensor or array_like, shape (K,) or (N, K)
        Logits.
    scheme : {"uniform", "weighted", "thresholded", "highest"} or array_like, default "uniform"
        See `mix_classes`.
    no_finding : int, default 0
        See `mix_classes`.

    Returns
    -------
    numpy.ndarray of float64, shape of `logits`
        Weights.

    Raises
    ------
    ValueError
        If an argument is invalid, as in `mix_classes`.
    TypeError
        If logits or weights do not hold real numbers.

    Notes
    -----
    The schemes are by :footcite:t:`bigolin2021`. The equation is in `mix_classes`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from gazesal.adapters.mixing import class_weights
    >>> class_weights([-1.0, 2.0, 0.0], "thresholded").tolist()
    [0.0, 1.0, 1.0]
    >>> class_weights([-1.0, -2.0, -0.5], "thresholded").tolist()
    [1.0, 0.0, 0.0]
    """
    values = _as_logits(logits)
    n_classes = values.shape[-1]
    if not isinstance(scheme, str):
        weights = as_real_array(_as_array(scheme), name="scheme").astype(np.float64)
        if weights.shape not in {values.shape, (n_classes,)}:
            raise ValueError(
                f"`scheme` must be weights of shape {values.shape} or ({n_classes},), got "
                f"{weights.shape}."
            )
        require_finite(weights, name="scheme")
        return np.broadcast_to(weights, values.shape).copy()
    as_choice(scheme, get_args(Scheme), name="scheme")
    if scheme == "uniform":
        return np.ones_like(values)
    if scheme in {"weighted", "thresholded"} and _are_probabilities(values):
        raise ValueError(
            f"`logits` must be logits for scheme={scheme!r}, got positive values that sum to 1, "
            "like probabilities. Give the values before the softmax, or the weights as `scheme`."
        )
    if scheme == "weighted":
        from scipy.special import expit  # noqa: PLC0415 (slow to import)

        return np.asarray(expit(values))
    if scheme == "highest":
        return np.asarray(np.arange(n_classes) == values.argmax(axis=-1)[..., None], np.float64)
    if as_count(no_finding, name="no_finding", least=0) >= n_classes:
        raise ValueError(f"`no_finding` must be less than {n_classes}, got {no_finding}.")
    above = values >= 0
    fallback = np.arange(n_classes) == no_finding
    return np.where(above.any(axis=-1, keepdims=True), above, fallback).astype(np.float64)


def _are_probabilities(values: Float64Array) -> bool:
    """Return whether every row of at least two values looks like the result of a softmax."""
    sums = values.sum(axis=-1)
    return values.shape[-1] > 1 and bool((values > 0).all() and (np.abs(sums - 1) < 1e-5).all())


def _as_array(values: ArrayLike | Tensor) -> ArrayLike:
    """Convert a tensor to an array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else values


def _as_logits(logits: ArrayLike | Tensor) -> Float64Array:
    """Return logits as finite float64 of shape (K,) or (N, K)."""
    values = as_real_array(_as_array(logits), name="logits").astype(np.float64)
    if values.ndim not in {1, 2} or values.size == 0:
        raise ValueError(
            f"`logits` must be non-empty, of shape (K,) or (N, K), got {values.shape}."
        )
    require_finite(values, name="logits")
    return values
