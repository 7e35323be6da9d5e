"""`KernelEngine`: RRDBNet through the kernels, in the form that `Upscaler` and the tiling know."""

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.graphs import Graphs
from esrgan_torch.engines.cuda.halo.blocks import HaloBlocks
from esrgan_torch.engines.cuda.launch import run_step
from esrgan_torch.engines.cuda.network import PackedNetwork, TailBuffers, TrunkBuffers
from esrgan_torch.engines.cuda.packing import split_picture
from esrgan_torch.engines.cuda.steps import Step
from esrgan_torch.engines.cuda.tuning import Table
from esrgan_torch.engines.cuda_graphs import Turns
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.watch import Progress


class KernelEngine(Engine):
    """RRDBNet on flat buffers, in float16 or bfloat16, sums in float32, the residual stream in two halves.

    Memory grows to the largest shape seen and is kept; every shape works in it. Progress is told once: the
    device works through a trunk without being asked.

    Args:
        model: what `choose.unsupported` finds no fault with.
        device: a CUDA device; or the CPU, in Triton's interpreter, for tests.
        dtype: float16 or bfloat16.
        table: how kernels are launched, see `tuning`.
        halo: whether the dense blocks run through the halo kernel; errors as `HaloBlocks`.
    """

    def __init__(
        self, model: RRDBNet, device: torch.device, dtype: torch.dtype, table: Table, halo: bool = False
    ) -> None:
        super().__init__(model, device, dtype)
        self.network = PackedNetwork(model, device, dtype)
        self.table = table
        self._memory: dict[str, Tensor] = {}
        self._graphs = Graphs(device)
        self._turns = Turns(device)
        self._halo = HaloBlocks(self.network.blocks, dtype, device) if halo else None

    def load(self, model: RRDBNet) -> None:
        """Compute with the weights of another network of the same sizes from now on."""
        self.network.load(model)
        if self._halo is not None:
            self._halo.load(self.network.blocks)

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        with self._turns.turn():
            features = self._trunk_features(batch)
        progress(1.0)
        return features

    def _tail(self, features: Tensor) -> Tensor:
        with self._turns.turn():
            return self._tail_picture(features)

    def _trunk_features(self, batch: Tensor) -> Tensor:
        folded = F.pixel_unshuffle(batch, self.unshuffle)
        shape = FlatShape(1, *folded.shape[-2:])
        buffers = self.trunk_buffers(shape)
        buffers.picture.values.zero_()
        buffers.picture.before.zero_()
        split_picture(folded, buffers.picture.picture())
        if self._halo is not None and self._halo.reserve(shape):
            self._graphs.clear()
        self._graphs.run(("trunk", shape), lambda: self._launch_trunk(buffers))
        features = self.network.slots.features
        result = buffers.dense.picture(self.network.slots.stream(2).at, features)
        return result.permute(0, 3, 1, 2).clone(memory_format=torch.channels_last)

    def _tail_picture(self, features: Tensor) -> Tensor:
        shape = FlatShape(1, *features.shape[-2:])
        buffers = self.tail_buffers(shape)
        buffers.maps[0].picture()[:] = features.permute(0, 2, 3, 1)
        self._graphs.run(("tail", shape), lambda: self.run_steps(self.network.tail(buffers)))
        return buffers.large.picture(0, self.network.out_channels).permute(0, 3, 1, 2).contiguous()

    def trunk_buffers(self, shape: FlatShape) -> TrunkBuffers:
        """The buffers of a trunk of this shape, in this engine's memory."""
        return self.network.trunk_buffers(shape, self._reserve(self.network.trunk_sizes(shape)))

    def tail_buffers(self, shape: FlatShape) -> TailBuffers:
        """The buffers of a tail of this shape, in this engine's memory."""
        return self.network.tail_buffers(shape, self._reserve(self.network.tail_sizes(shape)))

    def run_steps(self, steps: list[Step]) -> None:
        """Launch steps one by one on the current stream."""
        for step in steps:
            run_step(step, self.table)

    def forget_graphs(self) -> None:
        """Launch the next pictures one by one again."""
        self._graphs.clear()

    def trunk_bytes(self, height: int, width: int) -> int:
        shape = FlatShape(1, height // self.unshuffle, width // self.unshuffle)
        # beside the buffers: the result, and while the picture is split the picture twice in float32
        result = shape.pixels * self.network.slots.features * self.dtype.itemsize
        return (
            self._missing(self.network.trunk_sizes(shape))
            + result
            + 8 * self.network.first_inputs * shape.pixels
        )

    def tail_bytes(self, height: int, width: int) -> int:
        shape = FlatShape(1, height, width)
        large = 4 * self.network.out_channels * height * width * (self.scale * self.unshuffle) ** 2
        return self._missing(self.network.tail_sizes(shape)) + large

    def _missing(self, sizes: dict[str, int]) -> int:
        """Bytes beyond those that are held already."""
        held = {name: memory.numel() for name, memory in self._memory.items()}
        return sum(max(size - held.get(name, 0), 0) for name, size in sizes.items())

    def _reserve(self, sizes: dict[str, int]) -> dict[str, Tensor]:
        for name, size in sizes.items():
            held = self._memory.get(name)
            if held is None or held.numel() < size:
                # graphs know addresses, and the old piece goes first, so that both need not fit
                self._graphs.clear()
                self._memory.pop(name, None)
                del held
                with torch.inference_mode(False):  # it may be written outside of that mode too
                    self._memory[name] = torch.empty(size, dtype=torch.uint8, device=self.device)
        return self._memory

    def _launch_trunk(self, buffers: TrunkBuffers) -> None:
        if self._halo is None:
            self.run_steps(self.network.trunk(buffers))
            return
        self.run_steps(self.network.entry_steps(buffers))
        self._halo.run(buffers.dense)
        self.run_steps(self.network.exit_steps(buffers))
