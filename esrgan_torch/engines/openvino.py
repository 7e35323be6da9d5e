"""Trunks by OpenVINO, where it is installed and was measured to be faster: docs/cpu.md.

Its convolutions are oneDNN's as PyTorch's are, with what follows them computed before a result leaves the
registers, PReLU included. The graph is made from the network's weights and compiled once, for every shape.
Tails stay with PyTorch, where their enlargements take 4/9 of the arithmetic.
"""

import copy
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.engines.devices import threads as most_threads
from esrgan_torch.engines.host import for_rows
from esrgan_torch.engines.openvino_import import MODULE, import_openvino
from esrgan_torch.engines.packed import PackedEngine
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE, ResidualDenseBlock, RRDBNet
from esrgan_torch.watch import Progress

log = logging.getLogger(__name__)

HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}
LARGEST = 256 * 256  # feature pixels of an RRDB trunk: beyond, bands of rows take far less memory
# what is prepared for a size and kept, some 60 KB each; of 5,000, as OpenVINO has it, a folder of pictures of
# different sizes took 0.3 MB a picture, and none was faster
PREPARED = 64
GLANCE = 100  # ms between two looks at whether somebody wants to stop
MAPS_HELD = 10  # of the features, beside the four of a dense block, at the peak; measured

Graph = Callable[[Any], Any]

_STARTING = threading.Lock()


def is_installed() -> bool:
    """Whether the extra `openvino` is here; nothing is imported."""
    return find_spec(MODULE) is not None


def is_usable() -> bool:
    """Whether it is installed and can be imported; one that cannot is told, and done without."""
    if not is_installed():
        return False
    try:
        import_openvino()
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("OpenVINO is installed and does not start (%s): PyTorch computes instead", error)
        return False
    return True


def slower_for_rrdb(dtype: torch.dtype) -> str | None:
    """Why it is not taken for an RRDBNet by itself: with AVX-512 the packed engine was faster.

    In bfloat16 OpenVINO is 1 to 3 % faster from 128x128 on, but keeps the residual stream in bfloat16 too:
    its 8-bit picture is 0.4 to 3.9 dB further from float32's, on a third of the crops tried under 50 dB.
    """
    if dtype != torch.float32:
        return "it is less exact, since it rounds the sums between the blocks to bfloat16 too"
    if torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return "with AVX-512 PyTorch was measured to be faster"
    return None


class Compiled:
    """A graph, compiled once for pictures of every size, when the first one comes.

    Compiled for each size anew, pictures of ever other sizes took four times as long, and those of one size
    were no faster.

    Args:
        build: from OpenVINO's operators to the graph's model, (1, C, h, w) -> one result.
        dtype: precision of maps and weights, float32 or bfloat16; what goes in and out is float32.
    """

    def __init__(self, build: Graph, dtype: torch.dtype) -> None:
        self._build = build
        self._hint = HINTS[dtype]
        self._requests: dict[int, Any] = {}  # by the number of threads, which the program may change
        self._lock = threading.Lock()  # a request holds one picture

    def __call__(self, batch: Tensor, progress: Progress) -> Tensor:
        """(1, C, h, w) float32 -> the result, in memory of its own.

        `progress` is told 0 all along, and 1 in the end.
        """
        with self._lock:
            threads = most_threads()
            if threads not in self._requests:
                self._requests[threads] = self._compile(threads)
            request = self._requests[threads]
            openvino = import_openvino()
            # by NumPy: PyTorch's threads, once awake, would wait busily while OpenVINO's compute
            given = np.ascontiguousarray(cast("NDArray[np.float32]", batch.numpy()))
            channels = request.model_outputs[0].get_partial_shape()[1].get_length()
            result = np.empty((1, channels, *given.shape[2:]), np.float32)
            # the request does not keep these alive: they are set anew for every run, and held during it
            request.set_input_tensor(openvino.Tensor(given, shared_memory=True))
            request.set_output_tensor(openvino.Tensor(result, shared_memory=True))
            _wait_for(request, progress)
        progress(1.0)
        return torch.from_numpy(result)

    def _compile(self, threads: int) -> Any:
        model = self._build(import_openvino().opset13)
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self._hint,
            "INFERENCE_NUM_THREADS": threads,
            "CPU_RUNTIME_CACHE_CAPACITY": PREPARED,
        }
        with _STARTING:
            core = _core()
        return core.compile_model(model, "CPU", options).create_infer_request()


class OpenVinoCompactEngine(CompactEngine):
    """CompactNet; progress is told at the end only.

    `esrgan_torch.engines.host` does what surrounds the graph, and does not disturb OpenVINO's threads.
    """

    def __init__(self, model: CompactNet, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        self._run = Compiled(self._graph, dtype)

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        return self._add_skip(self._run(batch, progress), batch)

    def _add_skip(self, features: Tensor, batch: Tensor) -> Tensor:
        given = cast("NDArray[np.float32]", batch[0].numpy())
        values = cast("NDArray[np.float32]", features.numpy())
        grouped = values.reshape(given.shape[0], self.scale**2, *given.shape[1:])

        def add(rows: slice) -> None:
            grouped[:, :, rows] += given[:, None, rows]

        for_rows(add, given.shape[1], values.size)
        return features

    def _tail(self, features: Tensor) -> Tensor:
        values = cast("NDArray[np.float32]", features[0].numpy())
        scale = self.scale
        channels, height, width = values.shape[0] // scale**2, *values.shape[1:]
        folded = values.reshape(channels, scale, scale, height, width).transpose(0, 3, 1, 4, 2)
        result = np.empty((1, channels, height * scale, width * scale), np.float32)
        unfolded = result.reshape(folded.shape)

        def shuffle(rows: slice) -> None:
            unfolded[:, rows] = folded[:, rows]

        for_rows(shuffle, height, values.size)
        return torch.from_numpy(result)

    def _graph(self, ops: Any) -> Any:
        first = self._network.body[0]
        assert isinstance(first, nn.Conv2d)
        given = value = _parameter(ops, first)
        for layer in self._network.body:
            if isinstance(layer, nn.Conv2d):
                value = _convolution(ops, value, layer)
            else:
                value = ops.prelu(value, _constant(ops, layer.get_parameter("weight")))
        return _model(value, given)


class OpenVinoRRDBEngine(PackedEngine):
    """RRDBNet; pictures of more than `LARGEST` feature pixels run in the packed engine's bands."""

    def __init__(self, model: RRDBNet, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        self._model = copy.deepcopy(model).requires_grad_(requires_grad=False)
        self._run = Compiled(self._graph, dtype)

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        if not self._fits(*batch.shape[-2:]):
            return super()._trunk(batch, progress)
        folded = batch if self.unshuffle == 1 else F.pixel_unshuffle(batch, self.unshuffle)
        return self._run(folded, progress)

    def trunk_bytes(self, height: int, width: int) -> int:
        if not self._fits(height, width):
            return super().trunk_bytes(height, width)
        maps = MAPS_HELD * self._features + 4 * self._growth
        return 4 * maps * (height // self.unshuffle) * (width // self.unshuffle)

    def _fits(self, height: int, width: int) -> bool:
        return (height // self.unshuffle) * (width // self.unshuffle) <= LARGEST

    def _graph(self, ops: Any) -> Any:
        model = self._model
        given = _parameter(ops, model.conv_first)
        first = stream = _convolution(ops, given, model.conv_first)
        for rrdb in model.rrdbs():
            start = stream
            for block in (rrdb.rdb1, rrdb.rdb2, rrdb.rdb3):
                stream = ops.add(stream, _scaled(ops, _dense_block(ops, stream, block)))
            stream = ops.add(start, _scaled(ops, stream))
        return _model(ops.add(_convolution(ops, stream, model.conv_body), first), given)


def _wait_for(request: Any, progress: Progress) -> None:
    """Compute, and heed Ctrl-C and the caller meanwhile: `request.infer` would keep both until it is done.

    However this ends, nothing computes any more, so the memory that the request was given can go. Ctrl-C may
    come when the start has begun and not returned; a second one does not prevent the waiting.
    """
    try:
        request.start_async()
        while not request.wait_for(GLANCE):
            progress(0.0)
    except BaseException:
        try:
            request.cancel()
        finally:
            with suppress(RuntimeError):  # that it was cancelled
                request.wait()
        raise


@cache
def _core() -> Any:
    """OpenVINO, started once a process and kept.

    A start gives its thread another stack for signals, and unmaps it when the last graph of that start goes.
    After several, as `openvino.compile_model` makes them, a signal met an unmapped one and ended the process.
    """
    return import_openvino().Core()


def _dense_block(ops: Any, stream: Any, block: ResidualDenseBlock) -> Any:
    maps = [stream]
    slope = ops.constant([SLOPE], np.float32)
    for layer in (block.conv1, block.conv2, block.conv3, block.conv4):
        grown = ops.prelu(_convolution(ops, _joined(ops, maps), layer), slope)
        maps.append(grown)
    return _convolution(ops, _joined(ops, maps), block.conv5)


def _parameter(ops: Any, first: nn.Conv2d) -> Any:
    """One picture of any size."""
    shape = import_openvino().PartialShape([1, first.in_channels, -1, -1])
    return ops.parameter(shape, np.float32)


def _joined(ops: Any, maps: list[Any]) -> Any:
    return maps[0] if len(maps) == 1 else ops.concat(maps, 1)


def _scaled(ops: Any, value: Any) -> Any:
    return ops.multiply(value, ops.constant([RESIDUAL_SCALE], np.float32))


def _convolution(ops: Any, value: Any, layer: nn.Conv2d) -> Any:
    """3x3 with its bias; zeros around."""
    assert layer.bias is not None
    ones = [1, 1]
    result = ops.convolution(value, _constant(ops, layer.weight), ones, ones, ones, ones)
    return ops.add(result, _constant(ops, layer.bias.view(1, -1, 1, 1)))


def _constant(ops: Any, values: Tensor) -> Any:
    return ops.constant(values.detach().float().numpy(force=True))


def _model(result: Any, given: Any) -> Any:
    openvino = import_openvino()
    return openvino.Model([result], [given], "trunk")
