"""The process behind `on_tensorflow`; see `worker.py` for what goes in and out.

Usage: tensorflow_worker.py FOLDER, with the SavedModel's folder. It imports nothing of this project.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: str) -> None:
    answer_stream = sys.stdout
    sys.stdout = sys.stderr  # what tensorflow prints is no answer

    def answer(record: dict[str, object]) -> None:
        answer_stream.write(json.dumps(record) + "\n")
        answer_stream.flush()

    try:
        tensorflow: Any = import_module("tensorflow")
        model = tensorflow.saved_model.load(folder)
        signature = model.signatures["serving_default"]
        (given,) = signature.structured_input_signature[1].values()
        (wanted,) = signature.structured_outputs
    except Exception as error:  # any failure is the answer: the other process decides
        answer({"error": f"cannot load {folder}: {error}"})
        return
    record = Path(folder, "esrgan.json")
    layout = json.loads(record.read_text(encoding="utf-8"))["layout"] if record.is_file() else "NHWC"
    answer({"ready": {"tensorflow": tensorflow.__version__}})
    parts: dict[tuple[str, str], Any] = {("input", "output"): lambda batch: signature(batch)[wanted]}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            batch = np.fromfile(request["batch"], np.float32).reshape(request["shape"])
            if layout == "NCHW":
                batch = batch.transpose(0, 3, 1, 2)
            key = (request["feed"], request["fetch"])
            if key not in parts:
                parts[key] = cut(tensorflow, signature, *key)
            values = np.asarray(parts[key](tensorflow.constant(batch, given.dtype)), np.float32)
            if layout == "NCHW":
                values = values.transpose(0, 2, 3, 1)
            np.ascontiguousarray(values).tofile(request["result"])
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})
        else:
            answer({"shape": list(values.shape)})


def cut(tensorflow: Any, signature: Any, feed: str, fetch: str) -> Any:
    """The part of the graph between two nodes, as a function.

    A SavedModel's graph lies in a function that the signature calls, and only whole functions can be
    called. Freezing brings all nodes into one graph, of which a part can be taken.
    """
    freezing = import_module("tensorflow.python.framework.convert_to_constants")
    frozen = freezing.convert_variables_to_constants_v2(signature)
    names = [operation.name for operation in frozen.graph.get_operations()]

    def tensor(name: str, outer: Any) -> Any:
        if name in ("input", "output"):
            return outer[0]
        for known in names:
            if known.split("/")[-1] == name:
                return frozen.graph.get_tensor_by_name(f"{known}:0")
        raise LookupError(f"the graph has no node {name!r}")

    whole = tensorflow.compat.v1.wrap_function(
        lambda: tensorflow.import_graph_def(frozen.graph.as_graph_def(), name=""), []
    )
    ends = (tensor(feed, frozen.inputs).name, tensor(fetch, frozen.outputs).name)
    part = whole.prune(*(whole.graph.get_tensor_by_name(name) for name in ends))
    return lambda batch: part(batch)


if __name__ == "__main__":
    main(sys.argv[1])
