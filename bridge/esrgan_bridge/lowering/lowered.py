"""A network as a list of NHWC operations: plain data, which every writer of the bridge reads.

The operations, with N, H, W of any size and channels last:

    conv             input, filter (height, width, in, out), bias[, slopes] -> the same H, W divided by
                     `stride`, padded with zeros as "SAME" does; then, by `activation`, "none", "leaky"
                     (`alpha` below zero) or "prelu" (`slopes` per channel below zero)
    leaky            input, with `alpha`
    prelu            input, slopes
    concat           any number of inputs, along the channels
    sigmoid          input
    add, subtract, multiply
                     two inputs; the second may be a constant
    depth_to_space   (N, H, W, size² * C), channels ordered (row, column, C) -> (N, H * size, W * size, C)
    enlarge          each pixel `factor` times along both axes: nearest neighbour
    identity         input
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str
Constants = dict[str, NDArray[np.float32]]

# those that TensorFlow has as they are, by its names; another one is a line here and one in `operators`
SIMPLE = {"add": "AddV2", "subtract": "Sub", "multiply": "Mul", "sigmoid": "Sigmoid", "identity": "Identity"}
OPERATIONS = ("conv", "leaky", "prelu", "concat", "depth_to_space", "enlarge", *SIMPLE)


@dataclass(frozen=True)
class Node:
    """One operation.

    Args:
        operation: one of `OPERATIONS`.
        name: of the node and of its one result.
        inputs: names of nodes, constants or the graph's input.
        attributes: see the list above.
    """

    operation: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])


@dataclass(frozen=True)
class LoweredGraph:
    """The whole network, nodes in an order in which they can be computed.

    Args:
        nodes: the operations.
        constants: float32 arrays by name.
        channels: of every node, and of the input.
        size: height and width of the one picture that it takes; None: any, of any number of pictures.
        input, features, output: names of the input, of the node between trunk and tail, of the result.
    """

    nodes: tuple[Node, ...]
    constants: Constants
    channels: Mapping[str, int]
    size: tuple[int, int] | None = None
    input: str = "input"
    features: str = "features"
    output: str = "output"

    def shapes(self) -> dict[str, tuple[int, int, int, int]]:
        """(N, H, W, C) of the input and of every node; -1 stands for any."""
        if self.size is None:
            return {name: (-1, -1, -1, channels) for name, channels in self.channels.items()}
        sizes = {self.input: self.size}
        for node in self.nodes:
            height, width = sizes[node.inputs[0]]
            more = int(node.attributes.get("factor", node.attributes.get("size", 1)))
            less = int(node.attributes.get("stride", 1))
            sizes[node.name] = height * more // less, width * more // less
        return {name: (1, *size, self.channels[name]) for name, size in sizes.items()}

    def count(self) -> Counter[str]:
        """How often each operation occurs."""
        return Counter(node.operation for node in self.nodes)
