"""SavedModel to a LiteRT file (formerly TensorFlow Lite) by TensorFlow's own converter.

It runs in a process of its own, which prints, warns and takes memory there (`tflite_converter.py`).
"""

import errno
import os
import subprocess
import sys
from pathlib import Path

from esrgan_bridge.artifact import Metadata, read_metadata, write_record
from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_bridge.files.storing import whole_folder
from esrgan_torch.storage.paths import real

MODEL = "model.tflite"
# quiet, and on the processor
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
LAST_LINES = 12


def saved_model_to_tflite(
    saved_model: Path, folder: Path, metadata: Metadata, quantize: str = "none"
) -> Path:
    """Convert a SavedModel into a new folder with `model.tflite` and its record `esrgan.json`.

    The file has the SavedModel's signatures "serving_default", "trunk" and "tail", on (N, H, W, C).

    Args:
        saved_model: its folder, of the route `tf`.
        folder: must not exist, or be empty.
        metadata: of the network.
        quantize: "none"; "float16", expanded when it is loaded; "int8", "dynamic range": the weights of the
            convolutions as int8, and what they are multiplied with rounded to 8 bits at each call.

    Raises:
        ConversionError: the converter failed; the message has the end of what it said.
        ArtifactError: the SavedModel is missing, or the folder cannot be written; nothing is left then.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise ArtifactError(f"{saved_model} holds no SavedModel; convert the network again")
    record = read_metadata(saved_model)
    with whole_folder(folder) as temporary:
        _run_converter(saved_model, temporary / MODEL, quantize)
        write_record(
            temporary,
            metadata.with_changes(
                quantize=quantize, layout=record.layout, features_node=record.features_node
            ),
        )
    return folder


def _run_converter(saved_model: Path, file: Path, quantize: str) -> None:
    script = Path(__file__).with_name("tflite_converter.py")
    command = [
        sys.executable,
        str(script),
        str(real(saved_model)),
        str(real(file.parent) / file.name),
        quantize,
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, **ENVIRONMENT},
    )
    if "No space left on device" in done.stderr:  # that of its own files too
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    if done.returncode != 0 or not file.is_file():
        tail = "\n".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise ConversionError(
            f"TensorFlow could not convert {saved_model} for LiteRT (status {done.returncode}):\n{tail}"
        )
