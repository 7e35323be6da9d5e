"""The ncnn graph of a network, as the official files have it."""

from esrgan_torch.engines.ncnn.drawing import OUTPUT, Graph
from esrgan_torch.engines.ncnn.graph import Layer, with_splits
from esrgan_weights.architectures.registry import files_of
from esrgan_weights.checkpoint import Config, title_of
from esrgan_weights.errors import CheckpointError


def ncnn_graph(config: Config) -> list[Layer]:
    """The layers of the network of that configuration; a layer with weights has the module's name.

    Raises:
        CheckpointError: there is no ncnn form of that network.
    """
    files = files_of(config)
    if files.ncnn is None:
        raise CheckpointError(f"there is no ncnn graph for {title_of(config)}; take safetensors or basicsr")
    graph = Graph(files.shapes_of(config))
    files.ncnn.draw(graph, config)
    last = graph.layers[-1]
    graph.layers[-1] = Layer(last.kind, last.name, last.inputs, (OUTPUT,), last.options)
    return with_splits(graph.layers)
