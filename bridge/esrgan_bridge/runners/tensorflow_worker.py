"""The process behind `on_tensorflow`; see `worker.py` for what goes in and out.

Usage: tensorflow_worker.py FOLDER, with the SavedModel's folder. It imports nothing of this project.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

WHOLE = "serving_default"


def main(folder: str) -> None:
    answer_stream = sys.stdout
    sys.stdout = sys.stderr  # what tensorflow prints is no answer

    def answer(record: dict[str, object]) -> None:
        answer_stream.write(json.dumps(record) + "\n")
        answer_stream.flush()

    try:
        tensorflow: Any = import_module("tensorflow")
        # neither of oneDNN's rewritings, which would round to bfloat16
        tensorflow.config.optimizer.set_experimental_options(
            {"auto_mixed_precision": False, "auto_mixed_precision_onednn_bfloat16": False}
        )
        model = tensorflow.saved_model.load(folder)
        whole = model.signatures[WHOLE]
    except Exception as error:  # any failure is the answer: the other process decides
        answer({"error": f"cannot load {folder}: {error}"})
        return
    record = Path(folder, "esrgan.json")
    layout = json.loads(record.read_text(encoding="utf-8"))["layout"] if record.is_file() else "NHWC"
    answer({"ready": {"precision": "float32", "tensorflow": tensorflow.__version__}})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            batch = np.fromfile(request["batch"], np.float32).reshape(request["shape"])
            if layout == "NCHW":
                batch = batch.transpose(0, 3, 1, 2)
            # a part of the graph has a signature of its own, see graph_to_tensorflow.py
            if request["fetch"] != "output":
                part = model.signatures["trunk"]
            else:
                part = whole if request["feed"] == "input" else model.signatures["tail"]
            ((name, given),) = part.structured_input_signature[1].items()
            (result,) = part(**{name: tensorflow.constant(batch, given.dtype)}).values()
            values = np.asarray(result, np.float32)
            if layout == "NCHW":
                values = values.transpose(0, 2, 3, 1)
            np.ascontiguousarray(values).tofile(request["result"])
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})
        else:
            answer({"shape": list(values.shape)})


if __name__ == "__main__":
    main(sys.argv[1])
