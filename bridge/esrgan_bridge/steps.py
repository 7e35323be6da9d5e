"""The steps of the chain, in order, and how each makes its copy.

The modules that do the work are imported when they are needed: each needs other packages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from esrgan_bridge.artifact import Metadata, read_metadata
from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.options import OPSET
from esrgan_torch.networks.base import Generator

ARTEFACTS = {"onnx": "onnx/model.onnx", "tf": "tf", "tfjs": "tfjs", "tflite": "tflite"}


@dataclass(frozen=True)
class Work:
    """What the builders need: the network, where to build, what was asked, the Python with onnx-tf."""

    model: Generator
    folder: Path
    metadata: Metadata
    route: str
    to: str
    quantize: str
    onnx_tf: Path | None = None
    parts: bool = False
    opset: int = OPSET

    def path(self, step: str) -> Path:
        return self.folder / ARTEFACTS[step]


def require_packages(to: str, route: str) -> None:
    """Before anything is computed, which may take minutes.

    Raises:
        MissingRuntimeError: a package that the steps need is not installed.
    """
    packages = {"onnx": "onnx"}
    if to != "onnx" and route == "tf":
        packages["tensorflow"] = "bridge"
    if to == "tfjs" and route != "direct":
        packages["tensorflowjs"] = "bridge"
    for name, extra in packages.items():
        if find_spec(name) is None:
            other = ", or take the route direct" if name == "tensorflowjs" else ""
            raise MissingRuntimeError(f'{name} is not installed: pip install "esrgan-torch[{extra}]"{other}')


def builders(to: str, route: str) -> list[tuple[str, Callable[[Work], None]]]:
    """The steps that lead to `to`, in order."""
    if to == "onnx":
        return [("onnx", _build_onnx)]
    if to == "tf":
        return [("onnx", _build_onnx), ("tf", _build_tf)]
    if to == "tflite":
        return [("onnx", _build_onnx), ("tf", _build_tf), ("tflite", _build_tflite)]
    if route == "direct":
        return [("onnx", _build_onnx), ("tfjs", _build_tfjs_directly)]
    return [("onnx", _build_onnx), ("tf", _build_tf), ("tfjs", _build_tfjs)]


def _build_onnx(work: Work) -> None:
    from esrgan_bridge.export import torch_to_onnx

    work.path("onnx").parent.mkdir()
    dtype = "float16" if work.to == "onnx" and work.quantize == "float16" else "float32"
    torch_to_onnx.export_onnx(
        work.model,
        work.path("onnx"),
        dtype=dtype,
        parts=work.parts,
        shape=work.metadata.fixed_size,
        opset=work.opset,
    )


def _build_tf(work: Work) -> None:
    if work.route == "onnx-tf":
        from esrgan_bridge.onnx_tf import route as onnx_tf_route

        onnx_tf_route.onnx_tf_convert(work.path("onnx"), work.path("tf"), python=work.onnx_tf)
        return
    from esrgan_bridge.lowering import onnx_to_tf
    from esrgan_bridge.writers import graph_to_tensorflow

    graph = onnx_to_tf.lower(work.path("onnx"))
    graph_to_tensorflow.write_saved_model(graph, work.path("tf"), work.metadata)


def _build_tfjs(work: Work) -> None:
    from esrgan_bridge.writers import tf_to_tfjs

    record = read_metadata(work.path("tf"))
    tf_to_tfjs.saved_model_to_tfjs(work.path("tf"), work.path("tfjs"), record, work.quantize)


def _build_tfjs_directly(work: Work) -> None:
    from esrgan_bridge.lowering import onnx_to_tf
    from esrgan_bridge.writers import graph_to_tfjs

    graph = onnx_to_tf.lower(work.path("onnx"))
    graph_to_tfjs.write_tfjs(graph, work.path("tfjs"), work.metadata, work.quantize)


def _build_tflite(work: Work) -> None:
    from esrgan_bridge.writers import tf_to_tflite

    tf_to_tflite.saved_model_to_tflite(work.path("tf"), work.path("tflite"), work.metadata, work.quantize)
