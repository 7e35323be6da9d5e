"""The gray of a coloured picture."""

import torch
from torch import Tensor

WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601: red, green, blue


def luma(batch: Tensor) -> Tensor:
    """(N, 3, H, W) red, green and blue -> (N, 1, H, W), in the same range."""
    weights = torch.tensor(WEIGHTS, dtype=batch.dtype, device=batch.device).view(1, 3, 1, 1)
    return (batch * weights).sum(dim=1, keepdim=True)
