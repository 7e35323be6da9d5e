"""`CompactKernels`: a CompactNet from bytes to bytes on the device, for frames of video."""

import torch
from torch import Tensor, nn

from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.cuda.flat import Flat, FlatShape, allocate
from esrgan_torch.engines.cuda.graphs import Graphs
from esrgan_torch.engines.cuda.launch import run_step
from esrgan_torch.engines.cuda.packing import first_inputs, pack_conv, pack_first
from esrgan_torch.engines.cuda.pixels import join, split
from esrgan_torch.engines.cuda.steps import Channels, ClearBorder, Conv, Place, Step, Weights
from esrgan_torch.engines.cuda.tuning import Table
from esrgan_torch.networks.compact import CompactNet


class CompactKernels:
    """The network in float16 or bfloat16, sums in float32; a frame is one launch of a graph.

    Memory is that of one size of frames, and is kept: 2 maps, 6 times the output as bytes.

    Args:
        model: 16, 32 or 64 features, at most 64 values a pixel before the pixel shuffle.
        device: a CUDA device; or the CPU, in Triton's interpreter, for tests.
        dtype: float16 or bfloat16.
        table: how kernels are launched, see `tuning`.
    """

    def __init__(self, model: CompactNet, device: torch.device, dtype: torch.dtype, table: Table) -> None:
        self.model = model
        self._device, self._dtype, self._table = device, dtype, table
        self._weights = _pack(model, dtype, device)
        self._graphs = Graphs(device)
        self._frame: _Frame | None = None

    def __call__(self, pixels: Tensor) -> Tensor:
        """(H, W, C) uint8, on the device -> (H * scale, W * scale, C) uint8; the next call writes over it."""
        with computing(self._device):
            frame = self._reserve(pixels.shape[0], pixels.shape[1])
            frame.pixels.copy_(pixels)
            self._graphs.run(frame.picture.shape, lambda: self._launch(frame))
        return frame.large

    def steps(self, frame: "_Frame") -> list[Step]:
        """What is launched between `split` and `join`."""
        steps: list[Step] = [
            ClearBorder(f"border of map {number}", each) for number, each in enumerate(frame.maps)
        ]
        source, inputs = frame.picture, frame.picture.channels
        for number, weights in enumerate(self._weights[:-1]):
            target = frame.maps[number % 2]
            steps.append(Conv(f"conv {number}", Channels(source, 0, inputs), weights, target, Place(0)))
            source, inputs = target, target.channels
        values = frame.features.channels
        steps.append(
            Conv(
                "last conv",
                Channels(source, 0, inputs),
                self._weights[-1],
                frame.features,
                Place(0),
                stored=values,
            )
        )
        return steps

    def _launch(self, frame: "_Frame") -> None:
        split(frame.pixels, frame.picture)
        for step in self.steps(frame):
            run_step(step, self._table)
        join(frame.features, frame.pixels, frame.large)

    def _reserve(self, height: int, width: int) -> "_Frame":
        shape = FlatShape(1, height, width)
        if self._frame is None or self._frame.picture.shape != shape:
            self._graphs.clear()  # graphs know addresses
            self._frame = None  # first, so that both need not fit
            with torch.inference_mode(False):  # they may be written outside of that mode too
                self._frame = _Frame(self.model, shape, self._dtype, self._device)
        return self._frame


class _Frame:
    """Memory of a frame on its way."""

    def __init__(self, model: CompactNet, shape: FlatShape, dtype: torch.dtype, device: torch.device) -> None:
        features, scale, channels = model.config.features, model.scale, model.out_channels

        def picture(factor: int) -> Tensor:
            size = shape.height * factor, shape.width * factor, channels
            return torch.empty(size, dtype=torch.uint8, device=device)

        self.pixels, self.large = picture(1), picture(scale)
        self.picture = allocate(shape, first_inputs(channels), dtype, device)
        self.maps: list[Flat] = [allocate(shape, features, dtype, device) for _ in range(2)]
        self.features = allocate(shape, channels * scale**2, torch.float32, device)


def _pack(model: CompactNet, dtype: torch.dtype, device: torch.device) -> list[Weights]:
    layers = list(model.body)
    packed: list[Weights] = []
    for place in range(0, len(layers), 2):
        convolution, prelu = layers[place], layers[place + 1] if place + 1 < len(layers) else None
        assert isinstance(convolution, nn.Conv2d)
        assert prelu is None or isinstance(prelu, nn.PReLU)
        pack = pack_conv if packed else pack_first
        packed.append(pack(convolution, dtype, device, prelu))
    return packed
