"""RRDBNet on x86 processors: weights in oneDNN's own layout, no concatenation, less arithmetic.

Three things differ from `RRDBEngine`, and none changes the result beyond rounding:

- A dense block's maps lie in planes, one after the other, and a convolution over the first ones is a 3D
  convolution: nothing is concatenated, no part is copied out, and sums stay in registers.
- Nearest x2 and a 3x3 convolution are one transposed 4x4 convolution with stride 2, whose weights are sums of
  the 3x3 ones: 4/9 of the multiply-adds, and the enlarged map never exists.
- The last convolution has 3 outputs and oneDNN computes 16 at once, so it makes 2x2 pixels in one step:
  a 4x4 convolution with stride 2 and 12 outputs.

oneDNN is reached through the operators that `torch.compile` itself emits for the CPU.
"""

import math
import platform
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.arithmetic import ceil_div, round_up
from esrgan_torch.engines.devices import computes_bfloat16_fast
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.networks.rrdb import SLOPE, ResidualDenseBlock, RRDBNet

TYPICAL_SIZE = 128  # the packed layout may depend on a picture's size; others are computed with it as fast
NARROWEST = 4  # columns of the last convolution's input
LEAST_WIDTH = 16  # channels of a plane: below, oneDNN's kernels are not filled

OPERATORS = (
    "_convolution_pointwise",
    "_convolution_transpose_pointwise",
    "_reorder_convolution_weight",
    "_reorder_convolution_transpose_weight",
)


def is_available(dtype: torch.dtype = torch.float32) -> bool:
    """Whether this machine and this build of PyTorch have what the engine needs in this precision.

    The operators are PyTorch's own affair, so a release may drop one. bfloat16 needs a processor with its
    arithmetic: oneDNN has no kernels for others, or emulates it.
    """
    if dtype == torch.bfloat16 and not computes_bfloat16_fast(torch.device("cpu")):
        return False
    if platform.machine().lower() not in ("x86_64", "amd64") or not torch.backends.mkldnn.is_available():
        return False
    return all(hasattr(torch.ops.mkldnn, name) for name in OPERATORS)


Geometry = tuple[list[int], list[int], list[int], int]  # padding, stride, dilation, groups


def _convolved(
    values: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, slope: float | None
) -> Tensor:
    """By packed weights, in 2 or 3 dimensions; LeakyReLU follows where a slope is given."""
    activation: tuple[str, list[float]] = ("none", []) if slope is None else ("leaky_relu", [slope])
    return torch.ops.mkldnn._convolution_pointwise(values, weight, bias, *geometry, *activation, "")


class PackedConvolution:
    """A convolution with stride and padding, its weights packed once.

    Args:
        weight: (outputs, inputs, height, width) float32.
        bias: (outputs,), or None.
        stride, padding: along both axes.
        dtype: of weights and maps; sums are float32.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        stride: int = 1,
        padding: int = 1,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._geometry: Geometry = [padding] * 2, [stride] * 2, [1, 1], 1
        size = [1, weight.shape[1], TYPICAL_SIZE, TYPICAL_SIZE]
        self.weight: Tensor = torch.ops.mkldnn._reorder_convolution_weight(
            weight.to(dtype).contiguous(), *self._geometry, size
        )
        self._bias = None if bias is None else bias.to(dtype)

    def __call__(self, values: Tensor, slope: float | None = None) -> Tensor:
        """(1, inputs, h, w) channels_last -> the same layout; LeakyReLU follows where a slope is given."""
        return _convolved(values, self.weight, self._bias, self._geometry, slope)


class PackedEnlargement:
    """Nearest x2, a 3x3 convolution and LeakyReLU as one transposed convolution.

    Args:
        weight: (outputs, inputs, 3, 3) float32, of the convolution that follows the enlargement.
        bias: (outputs,).
        dtype: of weights and maps; sums are float32.
    """

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype = torch.float32) -> None:
        size = [1, weight.shape[1], TYPICAL_SIZE, TYPICAL_SIZE]
        self._geometry = (
            [1, 1],
            [0, 0],
            [2, 2],
            [1, 1],
            1,
        )  # padding, output padding, stride, dilation, groups
        self._weight: Tensor = torch.ops.mkldnn._reorder_convolution_transpose_weight(
            transposed_weight(weight).to(dtype), *self._geometry, size
        )
        self._bias = bias.to(dtype)

    def __call__(self, values: Tensor) -> Tensor:
        """(1, inputs, h, w) channels_last -> (1, outputs, 2 * h, 2 * w) channels_last."""
        return torch.ops.mkldnn._convolution_transpose_pointwise(
            values, self._weight, self._bias, *self._geometry, "leaky_relu", [SLOPE], ""
        )


class PackedLastConvolution:
    """A 3x3 convolution with few outputs, 2x2 pixels in one step; height and width must be even."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype = torch.float32) -> None:
        outputs, inputs = weight.shape[:2]
        wide = weight.new_zeros(outputs, 2, 2, inputs, 4, 4)
        for row in (0, 1):
            for column in (0, 1):
                wide[:, row, column, :, row : row + 3, column : column + 3] = weight
        self._convolution = PackedConvolution(
            wide.reshape(outputs * 4, inputs, 4, 4), bias.repeat_interleave(4), stride=2, dtype=dtype
        )

    def __call__(self, values: Tensor) -> Tensor:
        """(1, inputs, h, w) channels_last -> (1, outputs, h, w)."""
        width = values.shape[-1]
        if width < NARROWEST:
            # oneDNN's for AMX reads past the end of two columns; it pads with the same zeros anyway
            values = F.pad(values, (0, NARROWEST - width)).contiguous(memory_format=torch.channels_last)
        return F.pixel_shuffle(self._convolution(values), 2)[..., :width]


class PackedDenseBlock:
    """What a dense block adds, before its weight.

    Its maps lie in planes of some channels, one after the other in memory, so those that a convolution sees
    are the first ones of one array and nothing is concatenated. The sum over planes is what a 3D convolution
    computes whose kernel is as deep as there are planes.
    """

    def __init__(self, block: ResidualDenseBlock, dtype: torch.dtype = torch.float32) -> None:
        features, growth = block.conv1.in_channels, block.conv1.out_channels
        width = plane_width(features, growth)
        convolutions = (block.conv1, block.conv2, block.conv3, block.conv4, block.conv5)
        widths = [features, growth, growth, growth, growth]
        self._convolutions = [
            _PlaneConvolution(convolution, widths[:seen], width, dtype)
            for seen, convolution in enumerate(convolutions, start=1)
        ]

    def __call__(self, planes: Tensor) -> Tensor:
        """Planes (D, h, w, width), of which the features' are known -> (1, features, h, w)."""
        *inner, last = self._convolutions
        for convolution in inner:
            fill_planes(planes[convolution.planes :], 0, convolution(planes, SLOPE))
        return last(planes)


class _PlaneConvolution:
    """A 3x3 convolution of the first planes of an array, with its weights packed once.

    Args:
        convolution: its inputs are the concatenated maps.
        widths: channels of those maps; each begins with a plane of its own.
        width: channels of a plane.
        dtype: of weights and maps; sums are float32.
    """

    def __init__(self, convolution: nn.Conv2d, widths: Sequence[int], width: int, dtype: torch.dtype) -> None:
        weight, self._bias = (values.to(dtype) for values in _tensors(convolution))
        parts = [
            F.pad(part, (0, 0, 0, 0, 0, -part.shape[1] % width))
            for part in torch.split(weight, list(widths), dim=1)
        ]
        whole = torch.cat(parts, dim=1)
        self.planes = whole.shape[1] // width
        outputs = whole.shape[0]
        deep = whole.view(outputs, self.planes, width, 3, 3).transpose(1, 2).contiguous()
        self._geometry: Geometry = [0, 1, 1], [1, 1, 1], [1, 1, 1], 1
        size = [1, width, self.planes, TYPICAL_SIZE, TYPICAL_SIZE]
        self._weight: Tensor = torch.ops.mkldnn._reorder_convolution_weight(deep, *self._geometry, size)

    def __call__(self, planes: Tensor, slope: float | None = None) -> Tensor:
        """(planes or more, h, w, width) -> (1, outputs, h, w) channels_last; LeakyReLU follows a slope."""
        values = planes[: self.planes].permute(3, 0, 1, 2).unsqueeze(0)
        return _convolved(values, self._weight, self._bias, self._geometry, slope).squeeze(2)


def plane_width(features: int, growth: int) -> int:
    """Channels of a plane: as many as divide both, or a multiple of 16 that holds a block's smaller maps."""
    common = math.gcd(features, growth)
    return common if common >= LEAST_WIDTH else round_up(growth, LEAST_WIDTH)


def plane_count(features: int, growth: int) -> int:
    """Planes of a dense block's window."""
    width = plane_width(features, growth)
    return ceil_div(features, width) + 4 * ceil_div(growth, width)


def fill_planes(planes: Tensor, row: int, values: Tensor) -> None:
    """Write (1, C, h, w) into the first planes of (D, H, w, width) from `row` on; zeros fill the last one."""
    width = planes.shape[-1]
    # converted as a whole: part by part took three to four times as long on large maps
    narrow = values[0].to(planes.dtype)
    for number, part in enumerate(torch.split(narrow, width)):
        rows = planes[number, row : row + part.shape[1]]
        rows[:, :, : part.shape[0]] = part.permute(1, 2, 0)
        if part.shape[0] < width:
            rows[:, :, part.shape[0] :] = 0


class PackedEngine(RRDBEngine):
    """See the module's text; the trunk's bands and planes are those of `RRDBEngine`."""

    def _prepare(self, model: RRDBNet) -> None:
        self._plane_width = plane_width(self._features, self._growth)
        self._window_channels = self._plane_width * plane_count(self._features, self._growth)
        self._first = _packed(model.conv_first)
        self._body = _packed(model.conv_body)
        self._rrdbs = [
            tuple(PackedDenseBlock(block, self.dtype) for block in (rrdb.rdb1, rrdb.rdb2, rrdb.rdb3))
            for rrdb in model.rrdbs()
        ]
        self._enlargements = [
            PackedEnlargement(*_tensors(convolution), self.dtype)
            for convolution in model.upsampling_convolutions()
        ]
        self._hr = PackedConvolution(*_tensors(model.conv_hr), dtype=self.dtype)
        last = PackedLastConvolution if self._enlargements else PackedConvolution
        self._last = last(*_tensors(model.conv_last), dtype=self.dtype)

    def _window(self, space: Tensor, rows: int, width: int) -> Tensor:
        used = space[: rows * width * self._window_channels]
        return used.view(-1, rows, width, self._plane_width)

    def _fill(self, window: Tensor, row: int, values: Tensor) -> None:
        fill_planes(window, row, values)

    def _tail(self, features: Tensor) -> Tensor:
        values = features.to(self.dtype).contiguous(memory_format=torch.channels_last)
        for enlargement in self._enlargements:
            values = enlargement(values)
        return self._last(self._hr(values, SLOPE)).float()

    def _row_bytes(self, width: int) -> int:
        # the window, and a convolution's result, which is float32 in the body whatever the precision
        result = max(self._features * torch.float32.itemsize, self._growth * self.dtype.itemsize)
        return width * (self._window_channels * self.dtype.itemsize + result)


def transposed_weight(weight: Tensor) -> Tensor:
    """(outputs, inputs, 3, 3) of a convolution after nearest x2 -> (inputs, outputs, 4, 4) of the transposed
    convolution with stride 2 and padding 1 that computes the same.

    An input pixel becomes two on either axis; tap t of the result is what the 3 taps give to those two:
    w[2 - t] + w[3 - t], where they exist.
    """
    sums = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=torch.float64, device="cpu")
    exact = torch.einsum("rk,cl,oikl->iorc", sums, sums, weight.double())
    return exact.to(weight.dtype).contiguous()


def _packed(convolution: nn.Conv2d) -> PackedConvolution:
    return PackedConvolution(*_tensors(convolution))


def _tensors(convolution: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight and bias as values of their own, whatever becomes of the network."""
    assert convolution.bias is not None
    return convolution.weight.detach().float(), convolution.bias.detach().float().clone()
