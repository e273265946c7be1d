"""Lung masks of images by anybody's segmenter, for the segmentation baseline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._files import atomic_path
from gazesal._validation import as_map, require_finite
from gazesal.cxr.images import ImageSource, read_image
from gazesal.typing import FloatArray

__all__ = ["Segmenter", "XrvLungs", "segment_lungs"]

Segmenter: TypeAlias = Callable[[NDArray[np.uint8]], ArrayLike]
SIDE = 512  # of the images that torchxrayvision's segmenter takes
LUNGS = ("Left Lung", "Right Lung")


def segment_lungs(
    images: Mapping[str, ImageSource], folder: str | Path, segmenter: Segmenter
) -> Path:
    """Write the lung probabilities of images as pictures.

    Parameters
    ----------
    images : mapping of str
        Images by name: files or pixels; see `gazesal.cxr.read_image`. Gray images.
    folder : str or path
        Where to; a picture that is there already is kept.
    segmenter : callable
        Takes the pixels of an image, uint8 of shape (H, W), and returns the probability of lung,
        in [0, 1], shape (H, W); such as `XrvLungs`.

    Returns
    -------
    pathlib.Path
        The folder, of ``<name>.png`` with 0 for none and 255 for certain lung, which
        `find_lung_hulls` reads.

    Raises
    ------
    FileNotFoundError
        If an image does not exist.
    ValueError
        If an image is in color or cannot be read, or the segmenter returns another shape or
        values outside [0, 1]; the message names the image.

    See Also
    --------
    find_lung_hulls : Makes the baseline of them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from gazesal.cxr import find_lung_hulls, segment_lungs
    >>> image = np.full((40, 60), 200, np.uint8)
    >>> image[10:30, 10:22] = image[10:30, 38:50] = 30
    >>> with TemporaryDirectory() as folder:
    ...     masks = segment_lungs({"7": image}, folder, lambda pixels: pixels < 100)
    ...     hull = find_lung_hulls(masks)["7"]()
    >>> hull.shape, int(hull.sum())
    ((40, 60), 800)
    """
    from PIL import Image  # noqa: PLC0415

    folder = Path(folder)
    for name, source in images.items():
        path = folder / f"{name}.png"
        if path.is_file():
            continue
        pixels = read_image(source)
        if pixels.ndim != 2:
            raise ValueError(f"image {name} must be gray to be segmented, got one in color.")
        lung = as_map(segmenter(pixels), name=f"lung probability of image {name}")
        require_finite(lung, name=f"lung probability of image {name}")
        if lung.shape != pixels.shape or lung.min() < 0 or lung.max() > 1:
            raise ValueError(
                f"`segmenter` must return probabilities in [0, 1] of shape {pixels.shape} for "
                f"image {name}, got shape {lung.shape} and values in [{lung.min():g}, "
                f"{lung.max():g}]."
            )
        values = np.floor(lung * 255 + 0.5).astype(np.uint8)
        with atomic_path(path) as temporary:
            Image.fromarray(values).save(temporary, format="PNG")
    return folder


class XrvLungs:
    """Lungs by torchxrayvision's segmentation network.

    Parameters
    ----------
    model : torch.nn.Module, optional
        Network of the interface of ``torchxrayvision.baseline_models.chestx_det.PSPNet``, whose
        ``targets`` name its outputs. By default that one, whose weights torchxrayvision downloads
        on first use.

    Raises
    ------
    ImportError
        If no model is given and torchxrayvision is not installed.

    See Also
    --------
    segment_lungs : Takes it.

    Notes
    -----
    The image is resized to a longer side of 512 pixels, bilinearly with antialiasing, and padded
    with black to a square, so that nothing is cut off or stretched. The probability of lung is the
    larger one of the left and the right lung's, resized bilinearly onto the image. The study
    segmented with a network of its own, so the baseline's numbers will differ a little.
    """

    def __init__(self, model: Any = None) -> None:
        if model is None:
            try:
                from torchxrayvision.baseline_models import (  # noqa: PLC0415
                    chestx_det,
                )
            except ImportError as error:
                raise ImportError(
                    "Segmenting lungs needs torchxrayvision: pip install torchxrayvision; or give "
                    "masks of your own."
                ) from error
            model = chestx_det.PSPNet()
        self.model = model.eval()
        self.outputs = [list(model.targets).index(name) for name in LUNGS]

    @property
    def fingerprint(self) -> str:
        """Digest of the network's class and weights, which changes with them."""
        import torch  # noqa: PLC0415

        kind = type(self.model)
        digest = hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}\n".encode())
        for name, value in self.model.state_dict().items():
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            flat = value.detach().cpu().contiguous().view(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def __call__(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Return the probability of lung.

        Parameters
        ----------
        pixels : numpy.ndarray of uint8, shape (H, W)
            The image.

        Returns
        -------
        numpy.ndarray of float32, shape (H, W)
            In [0, 1].
        """
        import torch  # noqa: PLC0415
        from PIL import Image  # noqa: PLC0415

        height, width = pixels.shape
        share = SIDE / max(height, width)
        small = max(1, round(height * share)), max(1, round(width * share))
        resized = Image.fromarray(pixels).resize(small[::-1], Image.Resampling.BILINEAR)
        square = np.zeros((SIDE, SIDE), np.float32)
        top, left = (SIDE - small[0]) // 2, (SIDE - small[1]) // 2
        inside = slice(top, top + small[0]), slice(left, left + small[1])
        square[inside] = np.asarray(resized)
        scaled = (2 * square / 255 - 1) * 1024  # as the library normalizes images
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            logits = self.model(torch.from_numpy(scaled)[None, None])
        lung = torch.sigmoid(logits[0, self.outputs]).amax(dim=0).numpy()[inside]
        onto = Image.fromarray(np.ascontiguousarray(lung, np.float32))
        back = np.asarray(onto.resize((width, height), Image.Resampling.BILINEAR))
        return np.asarray(back.clip(0, 1))
