"""The ncnn graph of a CompactNet, as the official files have it."""

from collections.abc import Sequence

from esrgan_torch.engines.ncnn.drawing import INPUT, Graph
from esrgan_torch.networks.compact import CompactNetConfig


def draw_compact(
    graph: Graph, config: CompactNetConfig, modules: Sequence[tuple[str, tuple[str, ...]]]
) -> None:
    """Add the layers of a network of these sizes."""
    value = INPUT
    for module, kinds in modules:
        if len(kinds) == 1:
            value = graph.add("PReLU", module, [value], {0: config.features})
        else:
            value = graph.convolution(module, value)
    value = graph.add("PixelShuffle", "shuffle", [value], {0: config.scale})
    scale = float(config.scale)
    nearest = graph.add("Interp", "nearest", [INPUT], {0: 1, 1: scale, 2: scale})
    graph.add("BinaryOp", "skip", [value, nearest], {0: 0})
