"""float32 that is computed as float32, whatever the user's variables ask of oneDNN.

PyTorch and TensorFlow read these variables when they are imported, and round the inputs of convolutions where
they say so: an 8-bit picture is then up to 8 levels off. Afterwards nothing helps any more. So every process
that the project starts itself, the command line's and the measurements', calls `keep_float32` before it
imports them; a program that uses the library decides for itself.
"""

import os

STRICT = {"ONEDNN_DEFAULT_FPMATH_MODE": "STRICT", "TF_SET_ONEDNN_FPMATH_MODE": "STRICT"}


def keep_float32() -> None:
    """From now on libraries that are imported compute float32 without rounding it first."""
    os.environ |= STRICT
