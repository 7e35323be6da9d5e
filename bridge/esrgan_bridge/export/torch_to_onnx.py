"""PyTorch to ONNX: one file for every size of picture, of few kinds of operators.

The operators are Conv, LeakyRelu, PRelu, Concat, Add, Mul, Resize (nearest, by constant scales) and
DepthToSpace. Two of the networks' steps are written in an equal form, because no exporter has one that
works for every size: the pixel unshuffle is folded into the convolution that follows it, and the pixel
shuffle of CompactNet and SPAN takes its channels in the order of tensorflow's depth_to_space.

Which opsets there are, and why 13 is the one by itself: `esrgan_bridge.options`. The exporter is the one by
tracing: the newer one starts at opset 18 and needs onnxscript.
"""

import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import torch
from numpy.typing import NDArray

from esrgan_bridge.artifact import KEY, Metadata, metadata_of
from esrgan_bridge.errors import ConversionError, MissingRuntimeError
from esrgan_bridge.export.half import with_float32_ports
from esrgan_bridge.export.parts import cut, part_files
from esrgan_bridge.export.words import describe
from esrgan_bridge.files.storing import whole_file
from esrgan_bridge.options import OPSET, Size
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import architecture_of

INPUT, FEATURES, OUTPUT = "input", "features", "output"
TRACED_SIZE = 8  # pixels a side while tracing, times `unshuffle`; the file takes every size


def export_onnx(
    model: Generator,
    path: Path,
    *,
    dtype: str = "float32",
    parts: bool = False,
    shape: Size | None = None,
    opset: int = OPSET,
) -> Path:
    """Write a network as an ONNX file, and texts in it that say what it is.

    Input "input" (N, in_channels, H, W) in [0, 1], output "output" (N, out_channels, H * scale,
    W * scale), not clamped; H and W are multiples of `unshuffle`. The tensor between trunk and tail is
    named "features". Where it goes through a pixel shuffle, as in CompactNet and SPAN, its channels are
    ordered (row, column, colour), not (colour, row, column) as `trunk` gives them. The same network gives the
    same bytes.

    Args:
        model: a network of this project; it is not changed.
        path: file to write; its folder must exist.
        dtype: "float32", or "float16" for weights and arithmetic in half precision; input and output are
            float32 in any case.
        parts: write the trunk (input to features) and the tail (features to output) too, as files beside it.
        shape: the one height and width that it takes, multiples of `unshuffle`, of one picture at a time;
            None: any, as well as any number of pictures.
        opset: one of `esrgan_bridge.options.OPSETS`.

    Raises:
        ConversionError: another network, another dtype, or weights that float16 cannot hold.
        MissingRuntimeError: the package onnx is not installed.
        ArtifactError: the file cannot be written; nothing is left then.
    """
    metadata = metadata_of(model).with_changes(
        layout="NCHW", quantize="float16" if dtype == "float16" else "none", fixed_size=shape
    )
    if dtype not in ("float32", "float16"):
        raise ConversionError(f"an ONNX file holds float32 or float16, not {dtype}")
    try:
        import onnx
    except ImportError as error:
        raise MissingRuntimeError('onnx is not installed: pip install "esrgan-torch[onnx]"') from error
    architecture = architecture_of(model)
    assert architecture is not None  # `metadata_of` has refused others
    form = architecture.exported(model)
    form = form.to(torch.float16 if dtype == "float16" else torch.float32).eval()
    if not all(bool(parameter.isfinite().all()) for parameter in form.parameters()):
        raise ConversionError(f"a weight of {metadata.name} is not finite in {dtype}; try float32")
    size = TRACED_SIZE * model.unshuffle
    probe = torch.zeros(1, model.in_channels, size, size, dtype=next(form.parameters()).dtype)
    with whole_file(path) as temporary:
        with warnings.catch_warnings(), torch.no_grad():
            # the tracing exporter announces its successor, in several sentences, on every call
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                form,
                (probe,),
                temporary,
                dynamo=False,
                opset_version=opset,
                input_names=[INPUT],
                output_names=[OUTPUT, FEATURES],
                dynamic_axes={name: {0: "N", 2: "H", 3: "W"} for name in (INPUT, OUTPUT, FEATURES)},
            )
        document = onnx.load(str(temporary))
        _tidy(document, model)
        if shape is not None:
            _fix_size(document, shape, model.scale)
        shuffled = any(
            node.op_type == "DepthToSpace" and FEATURES in node.input for node in document.graph.node
        )
        documents = {path: document}
        if parts:
            with torch.no_grad():
                channels = form(probe)[1].shape[1]
            sides = ("H", "W") if model.unshuffle == 1 else ("h", "w")
            made = cut(document, FEATURES, ("N", channels, *sides), model.scale * model.unshuffle)
            documents |= zip(part_files(path), made, strict=True)
        with ExitStack() as files:  # all of them or none
            places = [temporary, *(files.enter_context(whole_file(file)) for file in list(documents)[1:])]
            for place, content in zip(places, documents.values(), strict=True):
                _finish(content, metadata, shuffled)
                place.write_bytes(content.SerializeToString(deterministic=True))
    return path


def _finish(document: Any, metadata: Metadata, shuffled: bool) -> None:
    """Float32 ends, texts and the record; then the whole is checked."""
    import onnx

    with_float32_ports(document)
    describe(document, metadata, shuffled)
    onnx.helper.set_model_props(document, {KEY: metadata.to_json()})
    onnx.checker.check_model(document, full_check=True)


def _tidy(document: Any, model: Generator) -> None:
    """Keep "features" inside the graph, name the sizes, and make every constant an initializer."""
    import onnx

    graph = document.graph
    graph.output.remove(next(value for value in graph.output if value.name == FEATURES))
    for axis, name in ((2, "H"), (3, "W")):
        # what the exporter knows of a size that is not fixed is only a name
        dimension = graph.output[0].type.tensor_type.shape.dim[axis]
        dimension.dim_param = name if model.scale == 1 else f"{model.scale}*{name}"
    del graph.value_info[:]
    renamed: dict[str, str] = {}
    kept: dict[bytes, str] = {}
    for entry in graph.initializer:
        renamed[str(entry.name)] = entry.name = short(str(entry.name))
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        node.ClearField("doc_string")
        node.name = short(node.name)
        if node.op_type == "Identity" and node.output[0] != OUTPUT:
            source = str(node.input[0])
            renamed[str(node.output[0])] = renamed.get(source, source)
            continue
        if node.op_type == "Constant":
            array = cast("NDArray[Any]", onnx.numpy_helper.to_array(node.attribute[0].t))
            key = f"{array.dtype} {array.shape}".encode() + array.tobytes()
            if key not in kept:
                kept[key] = f"constant_{len(kept)}"
                graph.initializer.append(onnx.numpy_helper.from_array(array, kept[key]))
            renamed[str(node.output[0])] = kept[key]
            continue
        for position, name in enumerate(node.input):
            node.input[position] = renamed.get(name, name)
        for position, name in enumerate(node.output):
            node.output[position] = renamed[name] = short(name)
        if node.op_type == "Add" and OUTPUT in node.output:  # the zero of `shuffled`
            node.op_type = "Identity"
            del node.input[1:]
        graph.node.append(node)
    _name_slopes(graph)
    used = {name for node in graph.node for name in node.input}
    for entry in [entry for entry in graph.initializer if entry.name not in used]:
        graph.initializer.remove(entry)


def _fix_size(document: Any, shape: Size, scale: int) -> None:
    """One picture of this height and width, in place of any number of any size."""
    for value, factor in ((document.graph.input[0], 1), (document.graph.output[0], scale)):
        sizes = value.type.tensor_type.shape.dim
        for axis, size in ((0, 1), (2, shape[0] * factor), (3, shape[1] * factor)):
            sizes[axis].dim_value = size  # which takes the name's place


def _name_slopes(graph: Any) -> None:
    """Name the slopes of each PRelu as the checkpoint does; folding constants left them a number."""
    tensors = {entry.name: entry for entry in graph.initializer}
    for node in graph.node:
        if node.op_type == "PRelu":
            # layers with equal slopes share one tensor, which keeps the name of the first
            tensor = tensors[node.input[1]]
            if tensor.name == node.input[1]:
                tensor.name = node.name.strip("/").removesuffix("/PRelu") + ".weight"
            node.input[1] = tensor.name


def short(name: str) -> str:
    """A name without the module that wraps the network while it is exported."""
    return name.removeprefix("net.").replace("/net/", "/", 1)
