"""A graph with its weights on a Vulkan device."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from esrgan_torch.engines.ncnn.drawing import INPUT, OUTPUT
from esrgan_torch.engines.ncnn.graph import Layer, print_layers
from esrgan_torch.engines.ncnn.vulkan import import_ncnn
from esrgan_torch.engines.ncnn.weights import ncnn_weights
from esrgan_torch.errors import EngineError
from esrgan_torch.quiet import quiet_stderr
from esrgan_torch.storage.leftovers import temporary_folder

NO_MEMORY = -100  # what its layers return where an allocation failed
# by itself it takes fewer bits where the device has them
HALVES = ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "bf16_packed")


class Net:
    """One graph, of one input and one output; it can be called from several threads, one after the other.

    Args:
        layers: the graph, as `Graph.finished` gives it.
        tensors: its weights, float32 on the CPU, under the layers' names.
        number: of the Vulkan device.

    Raises:
        EngineError: ncnn cannot load it on that device.
    """

    def __init__(self, layers: Sequence[Layer], tensors: Mapping[str, Tensor], number: int) -> None:
        self._ncnn = import_ncnn()
        self._lock = threading.Lock()
        self._net: Any = self._ncnn.Net()
        options = self._net.opt
        options.use_vulkan_compute = True
        for name in HALVES:
            setattr(options, f"use_{name}", False)
        self._net.set_vulkan_device(number)
        with temporary_folder("ncnn") as folder, quiet_stderr():
            param, weights = folder / "net.param", folder / "net.bin"
            param.write_text(print_layers(layers), encoding="utf-8")
            weights.write_bytes(ncnn_weights(layers, tensors, half=False))
            status = self._net.load_param(str(param)) or self._net.load_model(str(weights))
        if status:
            raise EngineError(f"ncnn cannot load the network on Vulkan device {number} (status {status})")

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(C, H, W) -> the graph's result, in memory of its own.

        Raises:
            RuntimeError: "out of memory" on the device.
            EngineError: the device fails otherwise.
        """
        given = np.ascontiguousarray(values, np.float32)
        # a copy: a Mat on foreign memory does not keep it alive, nor has its channels where Vulkan's code
        # wants them, at multiples of 16 bytes
        copied = self._ncnn.Mat(given).clone()
        with self._lock:
            extractor = self._net.create_extractor()
            extractor.input(INPUT, copied)
            status, result = extractor.extract(OUTPUT)
            found = np.array(result, np.float32) if status == 0 else np.empty(0, np.float32)
        if status == NO_MEMORY or (status == 0 and found.size == 0):
            raise RuntimeError("ncnn: out of memory on the Vulkan device")
        if status:
            raise EngineError(f"ncnn failed on the Vulkan device (status {status})")
        return found
