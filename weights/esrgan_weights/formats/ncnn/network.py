"""The ncnn graph of a network, as the official files have it."""

from esrgan_torch.engines.ncnn.drawing import Graph
from esrgan_torch.engines.ncnn.graph import Layer
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
    return graph.finished()
