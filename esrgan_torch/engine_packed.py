"""RRDBNet in float32 on x86 processors: weights in oneDNN's own layout, no concatenation, less arithmetic.

Three things differ from `RRDBEngine`, and none changes the result beyond rounding:

- A convolution over concatenated maps is the sum of convolutions over each of them. oneDNN adds into a given
  tensor, so no map is copied into a larger one, and no copy of a part of one is made for a convolution.
- Nearest x2 and a 3x3 convolution are one transposed 4x4 convolution with stride 2, whose weights are sums of
  the 3x3 ones: 4/9 of the multiply-adds, and the enlarged map never exists.
- The last convolution has 3 outputs and oneDNN computes 16 at once, so it makes 2x2 pixels in one step:
  a 4x4 convolution with stride 2 and 12 outputs.

oneDNN is reached through the operators that `torch.compile` itself emits for the CPU.
"""

import platform
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.engine import RRDBEngine
from esrgan_torch.generator import SLOPE, ResidualDenseBlock, RRDBNet

TYPICAL_SIZE = 128  # the packed layout may depend on a picture's size; others are computed with it as fast


OPERATORS = (
    "_convolution_pointwise",
    "_convolution_pointwise_",
    "_convolution_transpose_pointwise",
    "_reorder_convolution_weight",
    "_reorder_convolution_transpose_weight",
)


def is_available() -> bool:
    """Whether this machine and this build of PyTorch have what the engine needs, and it was found faster.

    The operators are PyTorch's own affair, so a release may drop one.
    """
    if platform.machine().lower() not in ("x86_64", "amd64") or not torch.backends.mkldnn.is_available():
        return False
    return all(hasattr(torch.ops.mkldnn, name) for name in OPERATORS)


class PackedConvolution:
    """A convolution with stride and padding, its weights packed once.

    Args:
        weight: (outputs, inputs, height, width) float32.
        bias: (outputs,), or None.
        stride, padding: along both axes.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, stride: int = 1, padding: int = 1) -> None:
        self._geometry = [padding] * 2, [stride] * 2, [1, 1], 1
        size = [1, weight.shape[1], TYPICAL_SIZE, TYPICAL_SIZE]
        self._weight: Tensor = torch.ops.mkldnn._reorder_convolution_weight(
            weight.contiguous(), *self._geometry, size
        )
        self._bias = bias

    def __call__(self, values: Tensor, slope: float | None = None) -> Tensor:
        """(1, inputs, h, w) channels_last -> the same layout; LeakyReLU follows where a slope is given."""
        activation: tuple[str, list[float]] = ("none", []) if slope is None else ("leaky_relu", [slope])
        return torch.ops.mkldnn._convolution_pointwise(
            values, self._weight, self._bias, *self._geometry, *activation, ""
        )

    def add_to(self, total: Tensor, values: Tensor) -> None:
        """total += the convolution of values; both channels_last."""
        torch.ops.mkldnn._convolution_pointwise_.binary(
            total, values, self._weight, self._bias, *self._geometry, "add", 1.0, None, [], ""
        )


class PackedEnlargement:
    """Nearest x2, a 3x3 convolution and LeakyReLU as one transposed convolution.

    Args:
        weight: (outputs, inputs, 3, 3) float32, of the convolution that follows the enlargement.
        bias: (outputs,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        size = [1, weight.shape[1], TYPICAL_SIZE, TYPICAL_SIZE]
        self._geometry = (
            [1, 1],
            [0, 0],
            [2, 2],
            [1, 1],
            1,
        )  # padding, output padding, stride, dilation, groups
        self._weight: Tensor = torch.ops.mkldnn._reorder_convolution_transpose_weight(
            transposed_weight(weight), *self._geometry, size
        )
        self._bias = bias

    def __call__(self, values: Tensor) -> Tensor:
        """(1, inputs, h, w) channels_last -> (1, outputs, 2 * h, 2 * w) channels_last."""
        return torch.ops.mkldnn._convolution_transpose_pointwise(
            values, self._weight, self._bias, *self._geometry, "leaky_relu", [SLOPE], ""
        )


class PackedLastConvolution:
    """A 3x3 convolution with few outputs, 2x2 pixels in one step; height and width must be even."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        outputs, inputs = weight.shape[:2]
        wide = weight.new_zeros(outputs, 2, 2, inputs, 4, 4)
        for row in (0, 1):
            for column in (0, 1):
                wide[:, row, column, :, row : row + 3, column : column + 3] = weight
        self._convolution = PackedConvolution(
            wide.reshape(outputs * 4, inputs, 4, 4), bias.repeat_interleave(4), stride=2
        )

    def __call__(self, values: Tensor) -> Tensor:
        """(1, inputs, h, w) channels_last -> (1, outputs, h, w)."""
        return F.pixel_shuffle(self._convolution(values), 2)


class PackedDenseBlock:
    """What a dense block adds, before its weight: every convolution as a sum over the maps it sees."""

    def __init__(self, block: ResidualDenseBlock) -> None:
        features, growth = block.conv1.in_channels, block.conv1.out_channels
        widths = [features, growth, growth, growth, growth]
        convolutions = (block.conv1, block.conv2, block.conv3, block.conv4, block.conv5)
        self._parts = [
            _parts(convolution, widths[:seen]) for seen, convolution in enumerate(convolutions, start=1)
        ]

    def __call__(self, features: Tensor) -> Tensor:
        """(1, features, h, w) channels_last, not changed -> the same shape."""
        maps = [features]
        for parts in self._parts[:-1]:
            maps.append(_grown(parts, maps))
        return _total(self._parts[-1], maps)


class PackedEngine(RRDBEngine):
    """See the module's text; the trunk's bands and planes are those of `RRDBEngine`."""

    def _prepare(self, model: RRDBNet) -> None:
        self._window_channels = self._features
        self._first = _packed(model.conv_first)
        self._body = _packed(model.conv_body)
        self._rrdbs = [
            tuple(PackedDenseBlock(block) for block in (rrdb.rdb1, rrdb.rdb2, rrdb.rdb3))
            for rrdb in model.rrdbs()
        ]
        self._enlargements = [
            PackedEnlargement(*_tensors(convolution)) for convolution in model.upsampling_convolutions()
        ]
        self._hr = _packed(model.conv_hr)
        last = PackedLastConvolution if self._enlargements else PackedConvolution
        self._last = last(*_tensors(model.conv_last))

    def tail(self, features: Tensor) -> Tensor:
        values = features.contiguous(memory_format=torch.channels_last)
        for enlargement in self._enlargements:
            values = enlargement(values)
        return self._last(self._hr(values, SLOPE))

    def _row_bytes(self, width: int) -> int:
        # the window, the four maps and the block's result
        return width * (2 * self._features + 4 * self._growth) * self.dtype.itemsize


def transposed_weight(weight: Tensor) -> Tensor:
    """(outputs, inputs, 3, 3) of a convolution after nearest x2 -> (inputs, outputs, 4, 4) of the transposed
    convolution with stride 2 and padding 1 that computes the same.

    An input pixel becomes two on either axis; tap t of the result is what the 3 taps give to those two:
    w[2 - t] + w[3 - t], where they exist.
    """
    sums = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=torch.float64)
    exact = torch.einsum("rk,cl,oikl->iorc", sums, sums, weight.double())
    return exact.to(weight.dtype).contiguous()


def _packed(convolution: nn.Conv2d) -> PackedConvolution:
    return PackedConvolution(*_tensors(convolution))


def _tensors(convolution: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight and bias as values of their own, whatever becomes of the network."""
    assert convolution.bias is not None
    return convolution.weight.detach().float(), convolution.bias.detach().float().clone()


def _parts(convolution: nn.Conv2d, widths: Sequence[int]) -> list[PackedConvolution]:
    """One convolution for each of the maps that are concatenated; the first has the bias."""
    weight, bias = _tensors(convolution)
    return [
        PackedConvolution(part, bias if number == 0 else None)
        for number, part in enumerate(torch.split(weight, list(widths), dim=1))
    ]


def _grown(parts: list[PackedConvolution], maps: list[Tensor]) -> Tensor:
    if len(parts) == 1:
        return parts[0](maps[0], SLOPE)
    return F.leaky_relu_(_total(parts, maps), SLOPE)


def _total(parts: list[PackedConvolution], maps: list[Tensor]) -> Tensor:
    total = parts[0](maps[0])
    for part, values in zip(parts[1:], maps[1:], strict=True):
        part.add_to(total, values)
    return total
