"""The process behind `tf_to_tfjs`. It imports nothing of this project.

Usage: tfjs_converter.py, with the arguments of `tensorflowjs_converter`. That program itself joins its
arguments by spaces and parts them again, so that it takes no path with a space.
"""

import sys
from importlib import import_module
from typing import Any


def main(arguments: list[str]) -> None:
    converter: Any = import_module("tensorflowjs.converters.converter")
    converter.convert(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
