"""The numbers of an ncnn model, in the order of its layers, as the official files have them."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from esrgan_torch.engines.ncnn.graph import FLOAT16, FLOAT32, Layer


def ncnn_weights(layers: Sequence[Layer], tensors: Mapping[str, Tensor], *, half: bool) -> bytes:
    """The content of the `.bin`; `half` stores the convolutions' weights as float16."""
    content = bytearray()
    for layer in layers:
        if layer.kind == "Convolution":
            content += (FLOAT16 if half else FLOAT32).to_bytes(4, "little")
            content += _raw(tensors[f"{layer.name}.weight"], "<f2" if half else "<f4")
            content += bytes(-len(content) % 4)
            content += _raw(tensors[f"{layer.name}.bias"], "<f4")
        elif layer.kind == "PReLU":
            content += _raw(tensors[f"{layer.name}.weight"], "<f4")
    return bytes(content)


def _raw(tensor: Tensor, dtype: str) -> bytes:
    with np.errstate(over="ignore"):  # a weight beyond float16 becomes infinite, which reading back refuses
        return tensor.numpy().astype(dtype).tobytes()
