"""The process behind `on_litert`; see `worker.py` for what goes in and out.

Usage: litert_worker.py FOLDER THREADS, with the folder of model.tflite. It imports nothing of this project.
"""

import json
import sys
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

WHOLE = "serving_default"
# weights of float16 are expanded when the file is loaded
PRECISIONS = {"int8": "int8 in the convolutions, float32 between them"}


def _interpreter() -> tuple[Any, str, str]:
    """The class, and the package that it is from with its release."""
    if find_spec("ai_edge_litert") is not None:
        return import_module("ai_edge_litert.interpreter").Interpreter, "litert", version("ai-edge-litert")
    tensorflow: Any = import_module("tensorflow")
    return tensorflow.lite.Interpreter, "tensorflow", str(tensorflow.__version__)


def main(folder: str, threads: str) -> None:
    answer_stream = sys.stdout
    sys.stdout = sys.stderr  # what the libraries print is no answer

    def answer(record: dict[str, object]) -> None:
        answer_stream.write(json.dumps(record) + "\n")
        answer_stream.flush()

    try:
        kind, package, release = _interpreter()
        model = kind(model_path=str(Path(folder, "model.tflite")), num_threads=int(threads))
        runners = {name: model.get_signature_runner(name) for name in (WHOLE, "trunk", "tail")}
        record = json.loads(Path(folder, "esrgan.json").read_text(encoding="utf-8"))
    except Exception as error:  # any failure is the answer: the other process decides
        answer({"error": f"cannot load {folder}: {error}"})
        return
    answer({"ready": {"precision": PRECISIONS.get(record["quantize"], "float32"), package: release}})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            batch = np.fromfile(request["batch"], np.float32).reshape(request["shape"])
            if request["fetch"] != "output":
                name = "trunk"
            else:
                name = WHOLE if request["feed"] == "input" else "tail"
            (port,) = runners[name].get_input_details()
            (values,) = runners[name](**{port: batch}).values()
            np.ascontiguousarray(values, np.float32).tofile(request["result"])
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})
        else:
            answer({"shape": list(values.shape)})


if __name__ == "__main__":
    main(*sys.argv[1:])
