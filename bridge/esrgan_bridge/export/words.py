"""What an ONNX file says of itself to people: viewers show the texts of model, graph, inputs and outputs."""

from typing import Any

from esrgan_bridge.artifact import Metadata

PARTS = {
    ("input", "output"): "the whole network",
    ("input", "features"): "the trunk: run it on the whole picture",
    ("features", "output"): "the tail: run it on tiles of the features, with a margin of {tail_halo}",
}


def describe(document: Any, metadata: Metadata, shuffled: bool) -> None:
    """Fill the texts of a document; in place.

    Args:
        document: the network, or its trunk or its tail.
        metadata: its record.
        shuffled: the features become a picture by DepthToSpace, whose order is not PyTorch's.
    """
    graph = document.graph
    part = PARTS[graph.input[0].name, graph.output[0].name].format(tail_halo=metadata.tail_halo)
    does = f"enlarges a picture {metadata.scale} times" if metadata.scale > 1 else "restores a picture"
    document.producer_name, document.producer_version = "esrgan-torch", ""
    graph.name = metadata.name
    document.doc_string = graph.doc_string = (
        f"{metadata.name}: {metadata.architecture}, {does}; {part}. Licence of the weights: "
        f'{metadata.licence or "not known"}. The record is in the metadata, under "esrgan".'
    )
    for value in (*graph.input, *graph.output):
        value.doc_string = f"{_shape(value)} float32: {_meaning(value.name, metadata, shuffled)}"


def _shape(value: Any) -> str:
    sizes = value.type.tensor_type.shape.dim
    return f"({', '.join(str(size.dim_param or size.dim_value) for size in sizes)})"


def _meaning(name: str, metadata: Metadata, shuffled: bool) -> str:
    fold = metadata.unshuffle
    if name == "features":
        order = ", in the order row, column, colour" if shuffled else ""
        return f"features of the trunk, one for {fold}x{fold} pixels of the picture{order}"
    low, high = metadata.input_range
    channels = metadata.in_channels if name == "input" else metadata.out_channels
    colours = {1: "gray", 3: "red, green, blue"}.get(channels, f"{channels} channels")
    if name == "input":
        more = f"; H and W are multiples of {fold}" if fold > 1 and not metadata.fixed_size else ""
    else:
        more = "; values beyond occur: cut them off before they become a picture"
    return f"{colours}, {low:g} is black and {high:g} is white{more}"
