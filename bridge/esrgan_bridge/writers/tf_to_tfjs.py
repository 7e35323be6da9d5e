"""SavedModel to a TF.js graph model by the tensorflowjs converter: routes `tf` and `onnx-tf`.

The converter runs in a process of its own (`tfjs_converter.py`): importing it imports tensorflow,
tensorflow-hub, decision forests and jax, which print, warn and stay in memory. It writes float32; the
weights are then quantised here (see `quantize`), equally for every route.
"""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from esrgan_bridge.artifact import Metadata, read_metadata
from esrgan_bridge.errors import ArtifactError, ConversionError, MissingRuntimeError
from esrgan_bridge.files.storing import whole_folder
from esrgan_bridge.writers.quantize import quantized
from esrgan_bridge.writers.tfjs_model import Json, TfjsModel, read_model, write_model
from esrgan_torch.storage.leftovers import temporary_folder
from esrgan_torch.storage.paths import real


def saved_model_to_tfjs(saved_model: Path, folder: Path, metadata: Metadata, quantize: str = "none") -> Path:
    """Convert a SavedModel into a new folder with `model.json` and shards.

    Args:
        saved_model: folder of the SavedModel; layout and name of the features are those of its record.
        folder: must not exist, or be empty.
        metadata: of the network.
        quantize: "none", "float16" or "uint8", see `quantize`.

    Raises:
        MissingRuntimeError: tensorflowjs is not installed.
        ConversionError: the converter failed, or its graph has no result "output".
        ArtifactError: the SavedModel is missing, or the folder cannot be written; nothing is left then.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise ArtifactError(f"{saved_model} holds no SavedModel; convert the network again")
    record = read_metadata(saved_model)
    try:
        release = version("tensorflowjs")
    except PackageNotFoundError as error:
        message = 'tensorflowjs is not installed: pip install "esrgan-torch[bridge]", or take route "direct"'
        raise MissingRuntimeError(message) from error
    with temporary_folder("tfjs") as place:
        work = place / "tfjs"
        # a result of the signature stays a node; without that, the converter may merge the features away
        _run_converter(saved_model, work, "both" if record.features_node else "serving_default")
        model = quantized(_single_output(read_model(work)), quantize)
    metadata = metadata.with_changes(
        quantize=quantize, layout=record.layout, features_node=record.features_node
    )
    with whole_folder(folder) as temporary:
        write_model(temporary, model, metadata, f"tensorflowjs {release}")
    return folder


def _run_converter(saved_model: Path, folder: Path, signature: str) -> None:
    command = [
        sys.executable,
        str(Path(__file__).with_name("tfjs_converter.py")),
        "--input_format=tf_saved_model",
        "--output_format=tfjs_graph_model",
        f"--signature_name={signature}",
        "--saved_model_tags=serve",
        str(real(saved_model)),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0 or not (folder / "model.json").is_file():
        tail = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise ConversionError(
            f"tensorflowjs could not convert {saved_model} (status {done.returncode}):\n{tail}"
        )


def _single_output(model: TfjsModel) -> TfjsModel:
    """The model with "output" as its only result; the other results stay nodes."""
    ports: dict[str, Json] = {}
    for kind, name in (("inputs", "input"), ("outputs", "output")):
        found: Json = model.signature.get(kind, {})
        # the converter falls back to the tensor's name where two results of a signature look alike
        port = found.get(name) or found.get(f"{name}:0")
        if port is None:
            raise ConversionError(
                f'the SavedModel has the {kind} {", ".join(found) or "none"}, and no "{name}"'
            )
        ports[kind] = {name: port}
    return TfjsModel(model.nodes, model.weights, ports, model.versions)
