"""What networks are made of where they are exported: operators that every exporter and runtime has.

An exported form computes the same as its network, for every size of picture, and its `forward` gives the
result and the features between trunk and tail. No exporter has the pixel unshuffle and the pixel shuffle in a
form that works for every size and that TensorFlow has too, so the one is folded into the convolution that
follows it, and the other takes its channels in the order of TensorFlow's depth_to_space.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn


def shuffled(features: Tensor, scale: int) -> Tensor:
    """(N, scale² * C, H, W) with channels (row, column, C) -> (N, C, H * scale, W * scale).

    At scale 1 the result is the same tensor, and an exporter wants one that is computed: zero is added, which
    `esrgan_bridge.export.torch_to_onnx` takes away.
    """
    if scale == 1:
        return features + 0.0
    return cast(Tensor, DepthToSpace.apply(features, scale))


def reorder_outputs(last: nn.Conv2d, scale: int) -> None:
    """Make a convolution give its channels as (row, column, colour), as `shuffled` takes them."""
    outputs = last.out_channels
    order = torch.arange(outputs).reshape(outputs // scale**2, -1).T.flatten()
    last.weight = nn.Parameter(last.weight.detach()[order])
    if last.bias is not None:
        last.bias = nn.Parameter(last.bias.detach()[order])


class DepthToSpace(torch.autograd.Function):
    """ONNX DepthToSpace in mode DCR; PyTorch's pixel shuffle is mode CRD, which tensorflow lacks."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, size: int) -> Tensor:
        """(N, size² * C, H, W) with channels (row, column, C) -> (N, C, H * size, W * size)."""
        count, channels, height, width = features.shape
        parts = features.reshape(count, size, size, channels // size**2, height, width)
        return parts.permute(0, 3, 4, 1, 5, 2).reshape(count, -1, height * size, width * size)

    @staticmethod
    def symbolic(graph: Any, features: Any, size: int) -> Any:
        """The node that stands for it."""
        return graph.op("DepthToSpace", features, blocksize_i=size, mode_s="DCR")


def folded_weight(weight: Tensor, fold: int) -> Tensor:
    """Weights of a convolution after a pixel unshuffle -> weights of one convolution that does both.

    (O, C * fold², 3, 3) -> (O, C, 3 * fold, 3 * fold), to be used with stride and padding `fold`. The
    products are the same; only the order in which they are summed may differ.
    """
    outputs, inputs, height, width = weight.shape
    parts = weight.reshape(outputs, inputs // fold**2, fold, fold, height, width)
    return parts.permute(0, 1, 4, 2, 5, 3).reshape(outputs, -1, height * fold, width * fold).contiguous()
