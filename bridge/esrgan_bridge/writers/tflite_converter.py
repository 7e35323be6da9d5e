"""The process behind `tf_to_tflite`. It imports nothing of this project.

Usage: tflite_converter.py SAVED_MODEL FILE none|float16|int8
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

SIGNATURES = ["serving_default", "trunk", "tail"]


def main(saved_model: str, file: str, quantize: str) -> None:
    tensorflow: Any = import_module("tensorflow")
    converter = tensorflow.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=SIGNATURES)
    if quantize != "none":
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tensorflow.float16]
    Path(file).write_bytes(converter.convert())


if __name__ == "__main__":
    main(*sys.argv[1:])
