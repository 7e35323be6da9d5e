"""What a network consists of here: steps on flat buffers, as data, each with its plain reference.

    Conv        out = epilogue(conv3x3(x))                     conv_taps, conv_rows
    Upsample    out = leaky(conv3x3(nearest_x2(x)))            upsample
    ClearBorder the zeros around the pictures                  border

A step says what is read and written; how fast that goes is up to `tuning`. References compute in float64 and
round when they store, as the kernels do, so that a whole network of references shows what rounding costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.engines.cuda.flat import Flat
from esrgan_torch.networks.rrdb import SLOPE


@dataclass(frozen=True)
class Channels:
    """Input channels of a convolution, in one piece or two: `split` from `at` on, the others from `rest` on.

    Two pieces spare a copy: the stream and the maps that a dense block has grown lie apart.
    """

    buffer: Flat
    at: int
    count: int
    rest: int = 0
    split: int | None = None

    @property
    def first_piece(self) -> int:
        """Channels in the first piece."""
        return self.count if self.split is None else self.split

    def read(self) -> Tensor:
        """(B, count, H, W)."""
        first = self.buffer.picture(self.at, self.first_piece)
        rest = self.buffer.picture(self.rest, self.count - self.first_piece)
        return torch.cat((first, rest), dim=3).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Place:
    """Channels from `at` on; with `low`, values are pairs: rounded ones there, what rounding left here.

    Two float16 hold 22 bits, two bfloat16 16 bits: the residual stream is kept that way, since its rounding
    errors would add up over all blocks. Only the first of the two is what convolutions read.
    """

    at: int
    low: int | None = None


@dataclass(frozen=True)
class Weights:
    """Packed by `packing`: (taps * inputs, outputs) in half precision; bias and PReLU's slopes in float32."""

    matrix: Tensor
    bias: Tensor
    slopes: Tensor | None = None


@dataclass(frozen=True)
class Conv:
    """A 3x3 convolution with all that follows it:

        a = conv3x3(source) + bias [+ what `target` held, if `accumulate`]
        a = leaky_relu(a) for the first `active` outputs, or prelu(a) for all where the weights have slopes
        a = scale * a + r for each r of `residuals`
        target = a, the first `stored` outputs

    Args:
        name: for messages.
        source: what is convolved.
        weights: of (9 * inputs, outputs).
        target, place: where the result goes.
        active: outputs that go through LeakyReLU; 0 with PReLU.
        accumulate: add a partial sum that lies at the target.
        residual_buffer, residuals: what is added, pixel by pixel; it may be what is overwritten.
        scale: of everything before each residual.
        stored: outputs that are written; the others only fill the tensor cores.
    """

    name: str
    source: Channels
    weights: Weights
    target: Flat
    place: Place
    active: int = 0
    accumulate: bool = False
    residual_buffer: Flat | None = None
    residuals: Sequence[Place] = ()
    scale: float = 1.0
    stored: int | None = None

    @property
    def outputs(self) -> int:
        return self.weights.bias.numel()

    @property
    def written(self) -> list[tuple[int, int]]:
        """First channel and number of channels of what is written."""
        count = self.outputs if self.stored is None else self.stored
        low = [] if self.place.low is None else [(self.place.low, count)]
        return [(self.place.at, count), *low]

    def reference(self) -> None:
        """The same, in PyTorch."""
        kernel = self.weights.matrix.double().view(3, 3, self.source.count, self.outputs).permute(3, 2, 0, 1)
        values = F.conv2d(self.source.read().double(), kernel, self.weights.bias.double(), padding=1)
        stored = self.outputs if self.stored is None else self.stored
        values = values.permute(0, 2, 3, 1)[..., :stored]
        target = self.target.picture(self.place.at, stored)
        if self.accumulate:
            values = values + target.double()
        values = torch.cat(
            (F.leaky_relu(values[..., : self.active], SLOPE), values[..., self.active :]), dim=3
        )
        if self.weights.slopes is not None:
            values = values.where(values >= 0, values * self.weights.slopes.double()[:stored])
        for residual in self.residuals:
            assert self.residual_buffer is not None
            values = self.scale * values + read_place(self.residual_buffer, residual, stored)
        write_place(self.target, self.place, values)


@dataclass(frozen=True)
class Upsample:
    """Nearest x2, a 3x3 convolution and LeakyReLU: (H, W) -> (2H, 2W); weights of (16 * inputs, outputs)."""

    name: str
    source: Flat
    weights: Weights
    target: Flat

    @property
    def outputs(self) -> int:
        return self.weights.bias.numel()

    @property
    def written(self) -> list[tuple[int, int]]:
        """First channel and number of channels of what is written."""
        return [(0, self.outputs)]

    def reference(self) -> None:
        """The same phase by phase, see `packing.pack_phases`."""
        inputs = self.source.channels
        phases = self.weights.matrix.double().view(2, 2, 2, 2, inputs, self.outputs)
        padded = F.pad(self.source.picture().permute(0, 3, 1, 2).double(), (1, 1, 1, 1))
        height, width = self.source.shape.height, self.source.shape.width
        for down in (0, 1):
            for right in (0, 1):
                window = padded[:, :, down : down + height + 1, right : right + width + 1]
                kernel = phases[down, right].permute(3, 2, 0, 1)
                values = F.leaky_relu(F.conv2d(window, kernel, self.weights.bias.double()), SLOPE)
                self.target.picture()[:, down::2, right::2] = values.permute(0, 2, 3, 1).to(
                    self.target.values.dtype
                )


@dataclass(frozen=True)
class ClearBorder:
    """Zero the pixels around and between the pictures: the memory held another shape before."""

    name: str
    target: Flat

    @property
    def written(self) -> list[tuple[int, int]]:
        """No channel of a pixel of a picture."""
        return []

    def reference(self) -> None:
        """The same, in PyTorch."""
        shape = self.target.shape
        self.target.before[:] = 0
        padded = self.target.values.view(shape.batch, shape.height + 2, shape.pitch, self.target.channels)
        padded[:, 0] = 0
        padded[:, -1] = 0
        padded[:, :, shape.width :] = 0


Step = Conv | Upsample | ClearBorder


def written_values(step: Step) -> Tensor:
    """A copy of what a step has written: of pairs the rounded parts, of a border all that has to be zero."""
    if not step.written:
        return step.target.border()
    at, count = step.written[0]
    return step.target.picture(at, count).clone()


def read_place(buffer: Flat, place: Place, count: int) -> Tensor:
    """The values of a place in float64: (B, H, W, count)."""
    values = buffer.picture(place.at, count).double()
    return values if place.low is None else values + buffer.picture(place.low, count).double()


def write_place(buffer: Flat, place: Place, values: Tensor) -> None:
    """Round (B, H, W, count) into a place."""
    rounded = values.to(buffer.values.dtype)
    buffer.picture(place.at, values.shape[3])[:] = rounded
    if place.low is not None:
        left = (values - rounded.double()).to(buffer.values.dtype)
        buffer.picture(place.low, values.shape[3])[:] = left
