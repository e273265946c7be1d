"""Lung masks of images from any segmenter, for the segmentation baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._digests import digest_of_bytes, digest_of_texts
from gazesal._files import atomic_path
from gazesal._validation import as_map, require_finite
from gazesal.cxr.images import ImageSource, read_image
from gazesal.typing import FloatArray

__all__ = ["Segmenter", "XrvLungs", "segment_lungs"]

Segmenter: TypeAlias = Callable[[NDArray[np.uint8]], ArrayLike]
SIDE = 512  # pixels; side of the input of torchxrayvision's segmenter
LUNGS = ("Left Lung", "Right Lung")


def segment_lungs(
    images: Mapping[str, ImageSource], folder: str | Path, segmenter: Segmenter
) -> Path:
    """Write the lung probabilities of images as pictures.

    Parameters
    ----------
    images : mapping of str
        Gray images by name, as files or pixels. See `gazesal.cxr.read_image`.
    folder : str or path
        Folder for the pictures. Existing pictures are kept.
    segmenter : callable
        Function such as `XrvLungs` that takes the pixels of an image, uint8 of shape (H, W), and
        returns the probability of lung, in [0, 1] and of the same shape.

    Returns
    -------
    pathlib.Path
        The folder of ``<name>.png``, in which 0 is a probability of 0 and 255 a probability of 1.
        `find_lung_hulls` reads it.

    Raises
    ------
    FileNotFoundError
        If an image does not exist.
    ValueError
        If an image is in color or cannot be read, or the segmenter returns another shape or
        values outside [0, 1]. The message names the image.

    See Also
    --------
    find_lung_hulls : Make the segmentation baseline from the pictures.

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
    from PIL import Image

    folder = Path(folder)
    for name, source in images.items():
        path = folder / f"{name}.png"
        if path.is_file():
            continue
        pixels = read_image(source)
        if pixels.ndim != 2:
            raise ValueError(f"`images` must be gray, but image {name} is in color.")
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
    """Segmenter of lungs with torchxrayvision's segmentation network.

    Parameters
    ----------
    model : torch.nn.Module, optional
        Network with the interface of ``torchxrayvision.baseline_models.chestx_det.PSPNet``, whose
        ``targets`` name its outputs. By default a ``PSPNet``, whose weights torchxrayvision
        downloads on first use.

    Raises
    ------
    ImportError
        If no model is given and torchxrayvision is not installed.

    See Also
    --------
    segment_lungs : Write the lung probabilities of images.

    Notes
    -----
    The image is resized to a longer side of 512 pixels, bilinearly with antialiasing, and padded
    with black to a square, so it is neither cropped nor distorted. The probability of lung is the
    larger of the probabilities of the left and the right lung, resized bilinearly to the image.
    Bigolin Lanfredi et al. (2021) used their own segmentation network, so numbers of the baseline
    differ slightly.
    """

    def __init__(self, model: Any = None) -> None:
        if model is None:
            try:
                from torchxrayvision.baseline_models import (
                    chestx_det,
                )
            except ImportError as error:
                raise ImportError(
                    "Segmenting lungs needs torchxrayvision: pip install torchxrayvision. Or pass "
                    "your own masks."
                ) from error
            model = chestx_det.PSPNet()
        self.model = model.eval()
        self.outputs = [list(model.targets).index(name) for name in LUNGS]

    @property
    def fingerprint(self) -> str:
        """Digest of the network's class and weights."""
        import torch  # noqa: PLC0415 (an extra)

        kind = type(self.model)
        texts = [f"{kind.__module__}.{kind.__qualname__}"]
        for name, value in self.model.state_dict().items():
            flat = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
            content = digest_of_bytes(flat.numpy().data)
            texts.append(f"{name} {value.dtype} {tuple(value.shape)} {content}")
        return digest_of_texts(texts)

    def __call__(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Return the probability of lung.

        Parameters
        ----------
        pixels : numpy.ndarray of uint8, shape (H, W)
            The image.

        Returns
        -------
        numpy.ndarray of float32, shape (H, W)
            Probabilities in [0, 1].
        """
        import torch  # noqa: PLC0415 (an extra)
        from PIL import Image

        height, width = pixels.shape
        share = SIDE / max(height, width)
        small = max(1, round(height * share)), max(1, round(width * share))
        resized = Image.fromarray(pixels).resize(small[::-1], Image.Resampling.BILINEAR)
        square = np.zeros((SIDE, SIDE), np.float32)
        top, left = (SIDE - small[0]) // 2, (SIDE - small[1]) // 2
        inside = slice(top, top + small[0]), slice(left, left + small[1])
        square[inside] = np.asarray(resized)
        scaled = (2 * square / 255 - 1) * 1024  # torchxrayvision's range of gray values
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            logits = self.model(torch.from_numpy(scaled)[None, None])
        lung = torch.sigmoid(logits[0, self.outputs]).amax(dim=0).numpy()[inside]
        onto = Image.fromarray(np.ascontiguousarray(lung, np.float32))
        back = np.asarray(onto.resize((width, height), Image.Resampling.BILINEAR))
        return np.asarray(back.clip(0, 1))
