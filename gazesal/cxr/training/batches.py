"""Batches of resized and augmented images, in an order that depends on seed and epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from gazesal.cxr.images import Bytes, read_image
from gazesal.cxr.preprocessing import padded_square, side_of_square
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.picture_cache import PictureCache
from gazesal.cxr.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import nn

__all__ = ["EvaluationImages", "TrainingImages", "evaluation_loader", "training_loader"]

Item = tuple[Tensor, Tensor, int]


class _Images(Dataset[Item], ABC):
    """Images of a split. With a cache, each is resized once."""

    def __init__(
        self,
        images: LabeledImages,
        rows: NDArray[np.int64],
        settings: TrainingSettings,
        cache: Path | None,
        cache_bytes: int,
    ) -> None:
        self.images = images
        self.rows = rows
        self.settings = settings
        self.targets = torch.from_numpy(np.asarray(images.targets)[rows].astype(np.float32))
        self.cache = None if cache is None else PictureCache(cache)
        sizes = np.cumsum([self.n_bytes(images.shapes[row]) for row in rows])
        self.n_cached = int(np.searchsorted(sizes, cache_bytes, side="right"))

    def __len__(self) -> int:
        return len(self.rows)

    def pixels(self, index: int) -> Bytes:
        """Return the resized image at a position of the split."""
        source = self.images.sources[self.rows[index]]
        on_disk = isinstance(source, (str, Path))
        if self.cache is None or not on_disk or index >= self.n_cached:
            return self._gray(source)
        return self.cache.get(Path(source), self._way(), lambda: self._gray(source))

    def _gray(self, source: Any) -> Bytes:
        values = self._resize(source)
        if values.ndim != 2:
            raise ValueError(f"{source}: images to train on must be gray, got one in color.")
        return values

    @abstractmethod
    def _resize(self, source: Any) -> Bytes:
        """Return the resized pixels of a source."""

    @abstractmethod
    def _way(self) -> str:
        """Return the name of the resizing, for the cache."""

    @abstractmethod
    def n_bytes(self, shape: tuple[int, int]) -> int:
        """Return the size of the resized pixels of an image of shape (H, W), in bytes."""


class TrainingImages(_Images):
    """Training images, with new augmentations in every epoch.

    Positions are pairs of epoch and index. The augmentation of an image depends only on the seed,
    the epoch and the image, not on the number of workers or on earlier images.
    """

    def __init__(self, *args: Any, seed: int) -> None:
        super().__init__(*args)
        self.seed = seed
        self.augment = augmentation(self.settings)

    def __getitem__(self, position: tuple[int, int]) -> Item:
        epoch, index = position
        state = np.random.SeedSequence([self.seed, epoch, int(self.rows[index])]).generate_state(1)
        pixels = torch.from_numpy(self.pixels(index).astype(np.float32) / np.float32(255))
        border = self.settings.border_value / 255
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(state[0]))
            # Kornia fills with zeros. Interpolation is linear, so shifting the gray values makes
            # it fill with the border value.
            changed = self.augment((pixels - border)[None, None]) + border
        return (changed[0] * 255).round_().to(torch.uint8), self.targets[index], index

    def _resize(self, source: Any) -> Bytes:
        from PIL import Image

        pixels = read_image(source)
        size = _resized_shape(pixels.shape[:2], self.settings.shortest_dimension)
        resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR)
        return np.asarray(resized)

    def _way(self) -> str:
        return f"train {self.settings.shortest_dimension}"

    def n_bytes(self, shape: tuple[int, int]) -> int:
        """Return the size of the resized pixels of an image of shape (H, W), in bytes."""
        height, width = _resized_shape(shape, self.settings.shortest_dimension)
        return height * width


class EvaluationImages(_Images):
    """Validation and test images, prepared as by `gazesal.cxr.preprocess` but not normalized."""

    def __getitem__(self, index: int) -> Item:
        return torch.from_numpy(self.pixels(index))[None], self.targets[index], index

    def batches(self, size: int, world_size: int = 1, rank: int = 0) -> list[list[int]]:
        """Return the positions of a process in batches of images of one size.

        Every process has the same number of batches, because processes synchronize before each
        batch.
        """
        sides = [self._side(self.images.shapes[row]) for row in self.rows]
        order = sorted(range(len(sides)), key=sides.__getitem__)
        shares = []
        for first in range(world_size):
            groups: dict[int, list[int]] = defaultdict(list)
            for index in order[first::world_size]:
                groups[sides[index]].append(index)
            shares.append(
                [
                    group[start : start + size]
                    for group in groups.values()
                    for start in range(0, len(group), size)
                ]
            )
        own, n_batches = shares[rank], max(map(len, shares))
        while len(own) < n_batches:
            longest = max(own, key=len, default=[])
            if len(longest) < 2:
                raise ValueError(
                    f"`images` must have more validation images than {len(self.rows)} for "
                    f"{world_size} processes."
                )
            own.remove(longest)
            own += [longest[::2], longest[1::2]]
        return own

    def _side(self, shape: tuple[int, int]) -> int:
        settings = self.settings
        short, multiple = settings.evaluation_shortest_dimension, settings.evaluation_multiple
        return side_of_square(shape, short, multiple)

    def _resize(self, source: Any) -> Bytes:
        settings = self.settings
        square, _ = padded_square(
            source,
            short_side=settings.evaluation_shortest_dimension,
            multiple=settings.evaluation_multiple,
        )
        return square

    def _way(self) -> str:
        settings = self.settings
        return f"evaluate {settings.evaluation_shortest_dimension} {settings.evaluation_multiple}"

    def n_bytes(self, shape: tuple[int, int]) -> int:
        """Return the size of the resized pixels of an image of shape (H, W), in bytes."""
        return self._side(shape) ** 2


class EpochSampler(DistributedSampler[Any]):
    """Positions together with the epoch, which Lightning sets before each epoch.

    `DistributedSampler` seeds with the sum of seed and epoch, so a training would repeat the orders
    of the training with the next seed, one epoch later.
    """

    def __iter__(self) -> Iterator[Any]:
        order = epoch_order(len(self.dataset), self.seed, self.epoch)  # type: ignore[arg-type]
        filled = np.resize(order, self.total_size)  # repeats its start to fill every process
        return ((self.epoch, int(index)) for index in filled[self.rank :: self.num_replicas])


def epoch_order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of n images in an epoch."""
    # with a spawn key, the numbers differ from those of every augmentation
    sequence = np.random.SeedSequence(seed, spawn_key=(epoch,))
    return np.random.default_rng(sequence).permutation(n)


def augmentation(settings: TrainingSettings) -> nn.Module:
    """Make the study's augmentations for one image of shape (1, 1, H, W), with zeros outside."""
    from kornia import augmentation as kornia

    return torch.nn.Sequential(
        kornia.RandomAffine(
            degrees=settings.rotation_degrees,
            translate=(settings.translation, settings.translation),
            scale=settings.scale_factor,
            padding_mode="zeros",
            p=1.0,
        ),
        kornia.CenterCrop(settings.center_crop),
        kornia.RandomHorizontalFlip(p=settings.horizontal_flip),
    )


def training_loader(
    dataset: TrainingImages, *, workers: int, world_size: int, rank: int
) -> DataLoader[Item]:
    """Return the training batches of a process, in an order that depends on seed and epoch."""
    batch_size = dataset.settings.batch_size
    if batch_size % world_size:
        raise ValueError(
            f"`batch_size` must be a multiple of the number of processes, got {batch_size} and "
            f"{world_size}."
        )
    return DataLoader(
        dataset,
        batch_size=batch_size // world_size,
        sampler=EpochSampler(
            dataset, num_replicas=world_size, rank=rank, shuffle=True, seed=dataset.seed
        ),
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def evaluation_loader(
    dataset: EvaluationImages, *, workers: int, world_size: int = 1, rank: int = 0
) -> DataLoader[Item]:
    """Return the batches of images of one size. Every image is in one batch of one process."""
    return DataLoader(
        dataset,
        batch_sampler=dataset.batches(dataset.settings.batch_size, world_size, rank),
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def _resized_shape(shape: tuple[int, ...], shortest: int) -> tuple[int, int]:
    """Return (H, W) after resizing the shorter side. The longer side is rounded down."""
    height, width = shape
    if height <= width:
        return shortest, max(shortest, shortest * width // height)
    return max(shortest, shortest * height // width), shortest
