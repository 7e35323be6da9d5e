"""ONNX to a SavedModel by the onnx-tf package: route `onnx-tf`, a second opinion on the lowering.

It lives in an environment of its own (`onnx_tf_setup`); here its Python is run as a program. Its SavedModel
keeps ONNX's layout (N, C, H, W), changes to channels last and back at every convolution, and has no node
called "features".
"""

import subprocess
from pathlib import Path

from esrgan_bridge.artifact import read_metadata, write_record
from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_bridge.files.storing import whole_folder
from esrgan_bridge.onnx_tf.setup import find_python
from esrgan_torch.storage.paths import real

SCRIPT = """
import sys
import onnx
from onnx_tf.backend import prepare
prepare(onnx.load(sys.argv[1])).export_graph(sys.argv[2])
"""


def onnx_tf_convert(path: Path, folder: Path, *, python: Path | None = None) -> Path:
    """Convert an ONNX file into a new SavedModel folder, with its record `esrgan.json`.

    Args:
        path: the ONNX file, float32, with its record.
        folder: must not exist, or be empty.
        python: of an environment with onnx-tf, or its folder; None for the one that `find_python` finds.

    Raises:
        MissingRuntimeError: there is no such environment.
        ConversionError: onnx-tf failed; the message has the end of what it said.
        ArtifactError: the ONNX file is missing or has no record, or the folder cannot be written; nothing is
            left then.
    """
    python = find_python(python)
    if not path.is_file():
        raise ArtifactError(f"{path} is not a file; convert the network again")
    metadata = read_metadata(path)
    with whole_folder(folder) as temporary:
        command = [str(python), "-W", "ignore", "-c", SCRIPT, str(real(path)), str(temporary)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0 or not (temporary / "saved_model.pb").is_file():
            tail = "\n".join(done.stderr.strip().splitlines()[-12:])
            raise ConversionError(f"onnx-tf could not convert {path} (status {done.returncode}):\n{tail}")
        write_record(temporary, metadata.with_changes(layout="NCHW", features_node=""))
    return folder
