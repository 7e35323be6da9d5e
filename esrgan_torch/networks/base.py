"""What every super-resolution network of the project offers, whatever its layers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Provenance:
    """Where a network's weights come from.

    Args:
        name: registry name, or the file's name.
        layout: layout of the file that they were read from, such as "basicsr" or "ncnn"; "interpolated"
            for a mixture of two networks.
        sha256: of that file (for ncnn, of the `.bin`), in hexadecimal; of both files for a mixture, with a
            space between.
        licence: SPDX name, or None where the file states none.
        source: where the file was published, or None.
    """

    name: str
    layout: str
    sha256: str
    licence: str | None = None
    source: str | None = None


class Generator(nn.Module, ABC):
    """A network that makes a larger picture, in two halves.

    `trunk` works at the input's resolution (or below it, see `unshuffle`) and has a large receptive field.
    `tail` makes the large picture; its receptive field is `tail_halo` feature pixels. So running the trunk on
    the whole picture and the tail in tiles is exact, and needs little memory.

    Attributes:
        scale: output pixels an input pixel, along each axis.
        unshuffle: input pixels a feature pixel, along each axis (1 for most networks).
        in_channels, out_channels: channels of the picture.
        tail_halo: feature pixels around a tile that the tail needs for an exact result.
        receptive_field: distance in input pixels within which an output pixel depends on the input.
        overlap: input pixels that a tile of the whole network needs around it, by measurement
            (docs/tiling.md), to stay within a tenth of a grey level; equal to `receptive_field`
            where that is affordable.
        trunk_values: values an input pixel that `trunk` holds at its peak, result included; needed where
            `esrgan_torch.engines.plain` runs the network.
        tail_values: values a feature pixel that `tail` holds at its peak, result included; likewise.
        config: the sizes that it was built with, a frozen dataclass.
        provenance: where the weights come from, or None for a network made from scratch.
    """

    scale: int
    unshuffle: int = 1
    in_channels: int
    out_channels: int
    tail_halo: int
    receptive_field: int
    overlap: int
    trunk_values: int
    tail_values: int
    config: Any
    provenance: Provenance | None = None

    @abstractmethod
    def trunk(self, batch: Tensor) -> Tensor:
        """(N, in_channels, H, W) in [0, 1], H and W multiples of `unshuffle` -> features
        (N, C, H / unshuffle, W / unshuffle)."""

    @abstractmethod
    def tail(self, features: Tensor) -> Tensor:
        """Features (N, C, h, w) -> (N, out_channels, h * unshuffle * scale, w * unshuffle * scale)."""

    def extra_repr(self) -> str:
        """The first line of the network's text: its scale, and where its weights come from."""
        weights = "from scratch" if self.provenance is None else f"weights of {self.provenance.name}"
        folded = "" if self.unshuffle == 1 else f", unshuffle={self.unshuffle}"
        return f"scale={self.scale}{folded}, {weights}"

    def forward(self, batch: Tensor) -> Tensor:
        """(N, in_channels, H, W) in [0, 1] -> (N, out_channels, H * scale, W * scale), not clamped.

        Any H and W of at least 1: a size that `unshuffle` does not divide is padded by reflection
        (by replication where the picture is too small to reflect) and the result is cropped.
        """
        height, width = batch.shape[-2:]
        large = self.tail(self.trunk(pad_to_multiple(batch, self.unshuffle)))
        if self.unshuffle == 1:
            return large
        # not a slice, which would be contiguous at some sizes alone: an export holds for the one or the other
        for axis, size in ((-2, height), (-1, width)):
            large = large.index_select(axis, torch.arange(size * self.scale, device=large.device))
        return large


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """Pad (N, C, H, W) at the right and the bottom until `multiple` divides both sizes.

    By reflection, or by replication along an axis that is too short to reflect. Nothing depends on the size
    in Python, so a network that was traced, compiled or exported at one size is right at every other.
    """
    if multiple == 1:
        return batch
    for axis in (-1, -2):
        batch = batch.index_select(axis, _padded_places(batch.shape[axis], multiple, batch.device))
    return batch


def _padded_places(size: int, multiple: int, device: torch.device) -> Tensor:
    """For each place along a padded axis, the place that its value comes from."""
    padded = (size + multiple - 1) // multiple * multiple
    places = torch.arange(padded, device=device)
    replicated = places.clamp(max=size - 1)
    beyond = places - replicated
    return torch.where(beyond[-1] < size, replicated - beyond, replicated)
