"""The runtimes that a copy is measured in, step by step in this order. The original's is `on_torch`."""

from collections.abc import Sequence

from esrgan_bridge.runners.base import Runner
from esrgan_bridge.runners.on_kernels import KernelsChromium, KernelsFirefox, KernelsNode
from esrgan_bridge.runners.on_litert import LiteRt
from esrgan_bridge.runners.on_onnxruntime import OnnxRuntime
from esrgan_bridge.runners.on_openvino import OpenVino
from esrgan_bridge.runners.on_tensorflow import TensorFlow
from esrgan_bridge.runners.on_tfjs import TfjsChromium, TfjsNode
from esrgan_torch.errors import ConfigError

RUNNERS: tuple[Runner, ...] = (
    OnnxRuntime(),
    OpenVino(),
    TensorFlow(),
    LiteRt(),
    TfjsNode(),
    TfjsChromium("wasm"),
    TfjsChromium("webgl"),
    TfjsChromium("webgpu"),
    KernelsNode(),
    KernelsChromium(),
    KernelsFirefox(),
)
NAMES = tuple(runner.name for runner in RUNNERS)


def choose_runners(names: Sequence[str] | None) -> tuple[Runner, ...]:
    """The runners with these names, or all for None, in the order of the steps; "torch" is always included.

    Raises:
        ConfigError: an unknown name.
    """
    if names is None:
        return RUNNERS
    if unknown := [name for name in names if name not in (*NAMES, "torch")]:
        raise ConfigError(f"there is no runner {unknown[0]!r}; there are {', '.join(NAMES)}")
    return tuple(runner for runner in RUNNERS if runner.name in names)
