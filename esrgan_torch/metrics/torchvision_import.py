"""torchvision beside a PyTorch of another build."""

from importlib import import_module

import torch

OPERATORS = ("nms", "qnms")
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> None:
    """Import torchvision, also its CUDA build, the one of the package index, beside a CPU build of PyTorch.

    That fails otherwise with `operator torchvision::nms does not exist`: operators for the detection of
    objects, which nothing here uses, and which are only declared.

    Raises:
        ModuleNotFoundError: it is not installed.
        RuntimeError: it does not start for another reason.
    """
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in OPERATORS:
            torch.library.define(f"torchvision::{name}", SIGNATURE)
        import_module("torchvision")
