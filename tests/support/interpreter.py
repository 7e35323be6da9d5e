"""A TF.js graph model computed with PyTorch, from its files alone."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def compute(folder: Path, feeds: dict[str, Tensor], wanted: str) -> Tensor:
    """Value of a node, given those of others; every tensor is NHWC."""
    document = json.loads((folder / "model.json").read_text())
    values: dict[str, Tensor] = {**read_weights(folder, document), **feeds}
    nodes = {node["name"]: node for node in document["modelTopology"]["node"]}
    for node in nodes.values():  # the writers list nodes in an order in which they can be computed, or not
        value_of(node, nodes, values)
        if wanted in values:
            break
    return values[wanted]


def read_weights(folder: Path, document: dict[str, Any]) -> dict[str, Tensor]:
    group = document["weightsManifest"][0]
    blob = b"".join((folder / path).read_bytes() for path in group["paths"])
    found, offset = {}, 0
    for entry in group["weights"]:
        how = entry.get("quantization", {"dtype": entry["dtype"]})
        stored = np.frombuffer(blob, how["dtype"], int(np.prod(entry["shape"], dtype=int)), offset)
        offset += stored.nbytes
        value = stored.reshape(entry["shape"]).astype(entry["dtype"])
        if "scale" in how:
            value = value * np.float32(how["scale"]) + np.float32(how["min"])
        found[entry["name"]] = torch.from_numpy(value.copy())
    assert offset == len(blob)
    return found


def value_of(node: dict[str, Any], nodes: dict[str, Any], values: dict[str, Tensor]) -> Tensor | None:
    name, operation, attributes = node["name"], node["op"], node.get("attr", {})
    if name in values or operation == "Placeholder":
        return values.get(name)
    given = []
    for source in node.get("input", []):
        if source not in values and value_of(nodes[source.partition(":")[0]], nodes, values) is None:
            return None  # depends on an input that was not fed
        given.append(values[source])
    if operation == "SplitV":  # several results: name, name:1, name:2 ...
        pieces = given[0].split(given[1].tolist(), dim=int(given[2]))
        assert len(pieces) == int(attributes["num_split"]["i"])
        values |= {f"{name}:{position}": piece for position, piece in enumerate(pieces)}
        values[name] = pieces[0]
    else:
        values[name] = apply(operation, attributes, given)
    return values[name]


def apply(operation: str, attributes: dict[str, Any], given: list[Tensor]) -> Tensor:
    match operation:
        case "_FusedConv2D":
            return convolve(attributes, *given)
        case "ConcatV2":
            assert len(given) == int(attributes["N"]["i"]) + 1
            return torch.cat(given[:-1], dim=int(given[-1]))
        case "AddV2":
            return given[0] + given[1]
        case "Sub":
            return given[0] - given[1]
        case "Sigmoid":
            return torch.sigmoid(given[0])
        case "Mul":
            return given[0] * given[1]
        case "Reshape":
            return given[0].reshape(given[1].tolist())
        case "Shape":
            return torch.tensor(given[0].shape, dtype=torch.int32)
        case "StridedSlice":
            begin, end, step = (int(value) for value in given[1:])
            return given[0][begin:end:step]
        case "ResizeNearestNeighbor":
            assert not attributes["half_pixel_centers"]["b"]
            height, width = given[1].tolist()
            rows, columns = (
                torch.arange(large) * small // large
                for large, small in ((height, given[0].shape[1]), (width, given[0].shape[2]))
            )
            return given[0][:, rows][:, :, columns]
        case "Identity":
            return given[0]
        case "LeakyRelu":
            return F.leaky_relu(given[0], attributes["alpha"]["f"])
        case "Prelu":
            return torch.where(given[0] < 0, given[0] * given[1], given[0])
        case "DepthToSpace":
            size = int(attributes["block_size"]["i"])
            count, height, width, channels = given[0].shape
            parts = given[0].reshape(count, height, width, size, size, channels // size**2)
            return parts.permute(0, 1, 3, 2, 4, 5).reshape(count, height * size, width * size, -1)
        case _:
            raise AssertionError(f"{operation} is not an operation of these graphs")


def convolve(
    attributes: dict[str, Any], source: Tensor, weight: Tensor, bias: Tensor, *more: Tensor
) -> Tensor:
    text = [base64.b64decode(item).decode() for item in attributes["fused_ops"]["list"]["s"]]
    assert text[0] == "BiasAdd"
    assert int(attributes["num_args"]["i"]) == 1 + len(more)
    assert base64.b64decode(attributes["padding"]["s"]) == b"SAME"
    assert base64.b64decode(attributes["data_format"]["s"]) == b"NHWC"
    stride = int(attributes["strides"]["list"]["i"][1])
    sides = []
    for axis in (2, 1):  # tensorflow's SAME
        size, kernel = source.shape[axis], weight.shape[axis - 1]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sides += [total // 2, total - total // 2]
    padded = F.pad(source.permute(0, 3, 1, 2), sides)
    result = F.conv2d(padded, weight.permute(3, 2, 0, 1), bias, stride=stride).permute(0, 2, 3, 1)
    match text[1:]:
        case []:
            return result
        case ["LeakyRelu"]:
            return F.leaky_relu(result, attributes["leakyrelu_alpha"]["f"])
        case ["Prelu"]:
            return torch.where(result < 0, result * more[0], result)
        case _:
            raise AssertionError(f"activation {text[1:]}")
