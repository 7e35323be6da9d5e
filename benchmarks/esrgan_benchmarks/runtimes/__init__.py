"""Every runtime that is compared, the reference first. How to add one: `base`."""

from collections.abc import Sequence

from esrgan_benchmarks.runtimes.base import Runtime
from esrgan_benchmarks.runtimes.on_kernels import Kernels
from esrgan_benchmarks.runtimes.on_library import Library
from esrgan_benchmarks.runtimes.on_ncnn import Ncnn
from esrgan_benchmarks.runtimes.on_onnxruntime import OnnxRuntime
from esrgan_benchmarks.runtimes.on_onnxruntime_web import OnnxRuntimeWeb
from esrgan_benchmarks.runtimes.on_openvino import OpenVino
from esrgan_benchmarks.runtimes.on_spandrel import Spandrel
from esrgan_benchmarks.runtimes.on_tensorflow import TensorFlow
from esrgan_benchmarks.runtimes.on_tfjs import TfjsChromium, TfjsNode
from esrgan_benchmarks.runtimes.on_torch import PyTorch
from esrgan_torch.errors import ConfigError

RUNTIMES: tuple[Runtime, ...] = (
    PyTorch("pytorch"),
    PyTorch("pytorch-channels-last", channels_last=True),
    PyTorch("pytorch-bfloat16", channels_last=True, dtype="bfloat16"),
    PyTorch("pytorch-float16", channels_last=True, dtype="float16", devices=("cuda",)),
    PyTorch("pytorch-compiled", channels_last=True, compiled=True),
    Library(),
    Library("eager"),
    Library(dtype="float32"),
    Library("native"),
    OnnxRuntime(),
    OpenVino("float32"),
    OpenVino("bfloat16"),
    TensorFlow("tf"),
    TensorFlow("onnx-tf"),
    Spandrel(),
    Ncnn(),
    TfjsNode(),
    TfjsChromium("wasm"),
    TfjsChromium("wasm", threaded=True),
    TfjsChromium("webgl"),
    TfjsChromium("webgpu"),
    Kernels(),
    Kernels(threaded=True),
    OnnxRuntimeWeb(),
)
REFERENCE = RUNTIMES[0]
NAMES = tuple(runtime.name for runtime in RUNTIMES)


def choose_runtimes(names: Sequence[str] | None, device: str) -> tuple[Runtime, ...]:
    """The runtimes of these names, all for None, that can run on the device; the reference always runs.

    Raises:
        ConfigError: an unknown name.
    """
    if unknown := [name for name in names or () if name not in NAMES]:
        raise ConfigError(f"there is no runtime {unknown[0]!r}; there are {', '.join(NAMES)}")
    return tuple(
        runtime
        for runtime in RUNTIMES
        if device in runtime.devices and (names is None or runtime.name in names or runtime is REFERENCE)
    )
