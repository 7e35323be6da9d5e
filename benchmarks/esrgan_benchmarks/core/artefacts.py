"""The copies of a network that runtimes read, made once for a run of the benchmark."""

from collections.abc import Iterable
from pathlib import Path

from esrgan_bridge.artifact import Metadata, metadata_of
from esrgan_bridge.steps import ARTEFACTS
from esrgan_weights import load

STEPS = ("onnx", "tf", "tf-onnx-tf", "tfjs")


def make_artefacts(network: str, folder: Path, needs: Iterable[str]) -> dict[str, str]:
    """Write the copies that are needed, and the ONNX file that they are made from, into the folder.

    Run it in a process of its own: it may import tensorflow.

    Args:
        network: published name, or a checkpoint's path.
        folder: may hold copies of the same network already.
        needs: of `STEPS`.

    Returns:
        Why a copy could not be made, for those that could not.

    Raises:
        BridgeError: not even the ONNX file could be made.
    """
    from esrgan_bridge.export.torch_to_onnx import export_onnx

    model = load(network)
    file = folder / ARTEFACTS["onnx"]
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        export_onnx(model, file)
    failed: dict[str, str] = {}
    for step in STEPS[1:]:
        if step in needs and not (folder / step).exists():
            try:
                _convert(file, folder / step, step, metadata_of(model))
            except (
                Exception
            ) as error:  # converters raise what they like; the other copies are made all the same
                failed[step] = str(error)
    return failed


def _convert(file: Path, folder: Path, step: str, metadata: Metadata) -> None:
    if step == "tf-onnx-tf":
        from esrgan_bridge.onnx_tf.route import onnx_tf_convert

        onnx_tf_convert(file, folder)
        return
    from esrgan_bridge.lowering.onnx_to_tf import lower

    graph = lower(file)
    if step == "tf":
        from esrgan_bridge.writers.graph_to_tensorflow import write_saved_model

        write_saved_model(graph, folder, metadata)
    else:
        from esrgan_bridge.writers.graph_to_tfjs import write_tfjs

        write_tfjs(graph, folder, metadata)
