"""The ncnn graph of a SPAN, and its trunk alone. There are no official files of it."""

from esrgan_torch.engines.ncnn.drawing import INPUT, Graph
from esrgan_torch.networks.span import BLOCKS, RGB_MEAN, RGB_RANGE, SPANConfig

# the convolutions as the graph has them: each after those that it takes values from
MODULES = (
    "conv_1",
    *(f"block_{block}.c{number}_r" for block in range(1, BLOCKS + 1) for number in (1, 2, 3)),
    "conv_2",
    "conv_cat",
    "upsampler.0",
)
PLANES = "planes"  # the layer that cuts a picture into its colours, only there where it is normalised
# of the layer BinaryOp
ADD, SUBTRACT, MULTIPLY = 0, 1, 2


def draw_span(graph: Graph, config: SPANConfig) -> None:
    """Add the layers of a network of these sizes."""
    graph.add("PixelShuffle", "shuffle", [draw_span_trunk(graph, config)], {0: config.scale})


def draw_span_trunk(graph: Graph, config: SPANConfig) -> str:
    """All before the pixel shuffle; returns the result's value."""
    first = graph.convolution("conv_1", _normalised(graph) if config.normalised else INPUT)
    features, early, start = first, first, first
    for number in range(1, BLOCKS + 1):
        name = f"block_{number}"
        start = _silu(graph, graph.convolution(f"{name}.c1_r", features))
        second = _silu(graph, graph.convolution(f"{name}.c2_r", start))
        third = graph.convolution(f"{name}.c3_r", second)
        features = _gated(graph, name, third, features)
        if number == 1:
            early = features
    body = graph.convolution("conv_2", features)
    joined = graph.add("Concat", "joined", [first, body, early, start], {0: 0})
    return graph.convolution("upsampler.0", graph.convolution("conv_cat", joined))


def _normalised(graph: Graph) -> str:
    """255 * (picture - mean), colour by colour: its numbers stand in the graph, none in the .bin."""
    colours = graph.split(PLANES, INPUT, len(RGB_MEAN))
    shifted = [
        graph.add("BinaryOp", f"{colour}.shifted", [colour], {0: SUBTRACT, 1: 1, 2: mean})
        for colour, mean in zip(colours, RGB_MEAN, strict=True)
    ]
    joined = graph.add("Concat", "shifted", shifted, {0: 0})
    return graph.add("BinaryOp", "normalised", [joined], {0: MULTIPLY, 1: 1, 2: RGB_RANGE})


def _silu(graph: Graph, value: str) -> str:
    return graph.add("Swish", f"{value}.silu", [value], {})


def _gated(graph: Graph, name: str, third: str, features: str) -> str:
    """(third + features) * (sigmoid(third) - 0.5)."""
    gate = graph.add("Sigmoid", f"{name}.sigmoid", [third], {})
    gate = graph.add("BinaryOp", f"{name}.gate", [gate], {0: SUBTRACT, 1: 1, 2: 0.5})
    total = graph.add("BinaryOp", f"{name}.sum", [third, features], {0: ADD})
    return graph.add("BinaryOp", f"{name}.gated", [total, gate], {0: MULTIPLY})
