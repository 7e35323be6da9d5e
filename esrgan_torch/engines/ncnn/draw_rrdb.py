"""The ncnn graph of an RRDBNet, as the official files have it, and its two halves."""

from collections.abc import Iterator, Sequence

from esrgan_torch.engines.ncnn.drawing import INPUT, Graph
from esrgan_torch.networks.rrdb import RRDBNetConfig


def draw_rrdb(graph: Graph, config: RRDBNetConfig, names: Sequence[str]) -> None:
    """Add the layers of a network of these sizes.

    Args:
        graph: is added to.
        config: the sizes.
        names: of the convolutions, in the order of the graph.
    """
    modules = iter(names)
    draw_rrdb_tail(graph, config, modules, draw_rrdb_trunk(graph, config, modules))


def draw_rrdb_trunk(graph: Graph, config: RRDBNetConfig, modules: Iterator[str]) -> str:
    """From the picture to the features, whose value is returned; takes its convolutions' names."""
    value = INPUT
    if config.unshuffle > 1:
        value = graph.add("Reorg", "unshuffle", [value], {0: config.unshuffle})
    first = value = graph.convolution(next(modules), value)
    for block in range(config.blocks):
        entry = value
        for dense in (1, 2, 3):
            outputs = [value]
            for conv in (1, 2, 3, 4):
                name = f"dense.{block}.{dense}.{conv}"
                joined = value if conv == 1 else graph.add("Concat", name, outputs, {0: 0})
                outputs.append(graph.convolution(next(modules), joined, activate=True))
            joined = graph.add("Concat", f"dense.{block}.{dense}.5", outputs, {0: 0})
            result = graph.convolution(next(modules), joined)
            value = graph.residual(f"residual.{block}.{dense}", result, value)
        value = graph.residual(f"residual.{block}", value, entry)
    body = graph.convolution(next(modules), value)
    return graph.add("BinaryOp", "skip", [first, body], {0: 0})


def draw_rrdb_tail(graph: Graph, config: RRDBNetConfig, modules: Iterator[str], value: str) -> None:
    """From the features, the value given, to the picture; takes the other names."""
    for step in range(1, config.upsamplings + 1):
        value = graph.add("Interp", f"nearest.{step}", [value], {0: 1, 1: 2.0, 2: 2.0})
        value = graph.convolution(next(modules), value, activate=True)
    value = graph.convolution(next(modules), value, activate=True)
    graph.convolution(next(modules), value)
