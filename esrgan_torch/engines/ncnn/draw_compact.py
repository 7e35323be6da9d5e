"""The ncnn graph of a CompactNet, as the official files have it, and its body alone."""

from collections.abc import Sequence

from esrgan_torch.engines.ncnn.drawing import INPUT, Graph
from esrgan_torch.networks.compact import CompactNetConfig


def draw_compact(graph: Graph, config: CompactNetConfig, modules: Sequence[str]) -> None:
    """Add the layers of a network of these sizes.

    Args:
        graph: is added to.
        config: the sizes.
        modules: names of the convolutions and, between them, the slopes.
    """
    value = draw_compact_body(graph, config, modules)
    value = graph.add("PixelShuffle", "shuffle", [value], {0: config.scale})
    scale = float(config.scale)
    nearest = graph.add("Interp", "nearest", [INPUT], {0: 1, 1: scale, 2: scale})
    graph.add("BinaryOp", "skip", [value, nearest], {0: 0})


def draw_compact_body(graph: Graph, config: CompactNetConfig, modules: Sequence[str]) -> str:
    """All before the pixel shuffle and the enlarged picture that is added; returns the result's value."""
    value = INPUT
    for place, module in enumerate(modules):
        if place % 2:
            value = graph.add("PReLU", module, [value], {0: config.features})
        else:
            value = graph.convolution(module, value)
    return value
