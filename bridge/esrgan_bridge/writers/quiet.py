"""TensorFlow, imported without its greeting."""

import os
from importlib import import_module
from typing import Any

from esrgan_torch.quiet import quiet_stderr


def import_tensorflow(module: str) -> Any:
    """A module of tensorflow's, without its dozen lines about processors and GPUs.

    Raises:
        ImportError: it is not installed, or does not start; what it printed is shown then.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # of what comes later
    with quiet_stderr():
        return import_module(module)
