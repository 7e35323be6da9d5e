"""What photos lose by weights in float16 and uint8, and the bytes and nodes of such a TF.js model.

    python -m esrgan_benchmarks quantization --data FOLDER [--networks NAME...] [--quantize KIND...]

FOLDER holds the photos named in `PHOTOS`; the middle of each is compared with what the original gives in
float32. TensorFlow computes the copies, with the weights that TF.js expands from the shards: on wasm the same
would take an hour.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from esrgan_benchmarks.core.measure import in_child
from esrgan_benchmarks.core.record import Row, append
from esrgan_benchmarks.studies.tiling import crop, difference
from esrgan_bridge.artifact import metadata_of
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.files.folder import folder_size
from esrgan_bridge.lowering.onnx_to_tf import lower
from esrgan_bridge.runners.on_tensorflow import TensorFlow
from esrgan_bridge.runners.on_torch import TorchSession
from esrgan_bridge.writers.graph_to_tensorflow import write_saved_model
from esrgan_bridge.writers.graph_to_tfjs import to_tfjs, write_tfjs
from esrgan_bridge.writers.quantize import expanded, filters_of, quantized
from esrgan_torch.images.picture import Pixels
from esrgan_torch.quantise import to_levels
from esrgan_weights import load

MODELS = ("realesrgan-x4plus", "realesrgan-x4plus-anime", "realesr-animevideov3")
PHOTOS = (
    *(
        f"RealSRSet/{name}.png"
        for name in ("tiger", "dog", "oldphoto3", "comic1", "chip", "building", "frog")
    ),
    *(f"RealSRSet/{name}.png" for name in ("butterfly", "foreman", "painting")),
    "RealESRGAN_inputs/OST_009.png",
    "RealESRGAN_inputs/0014.jpg",
)


def measure(name: str, kinds: Sequence[str], photos: Sequence[tuple[str, Pixels]]) -> list[Row]:
    """Rows of one network: each kind of weights on each photo, (H, W, 3) uint8."""
    model = load(name)
    batches = [pixels.astype(np.float32)[None] / np.float32(255) for _, pixels in photos]
    with TorchSession(model, torch.float32) as original:
        expected = [to_levels(original.run(batch))[0] for batch in batches]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        graph = lower(export_onnx(model, folder / "model.onnx"))
        plain = to_tfjs(graph)
        for kind in kinds:
            small = quantized(plain, kind)
            constants = {**graph.constants, **expanded(small, filters_of(plain))}
            metadata = metadata_of(model)
            written = write_tfjs(graph, folder / f"tfjs-{kind}", metadata, kind)
            saved = write_saved_model(replace(graph, constants=constants), folder / f"tf-{kind}", metadata)
            facts = {
                "network": name,
                "quantize": kind,
                "nodes": len(small.nodes),
                "bytes": folder_size(written),
                "of_weights": sum(stored.values.nbytes for stored in small.weights.values()),
            }
            with TensorFlow().open(saved) as session:
                for (photo, pixels), batch, picture in zip(photos, batches, expected, strict=True):
                    found = to_levels(session.run(batch))[0]
                    row = {**facts, "photo": photo, "shape": list(pixels.shape)}
                    rows.append({**row, **difference(found, picture)})
                    print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=list(MODELS))
    parser.add_argument("--quantize", nargs="+", default=["none", "float16", "uint8"])
    parser.add_argument("--crop", type=int, default=96)
    options = parser.parse_args()
    photos = [(Path(photo).stem, crop(options.data / photo, options.crop)) for photo in PHOTOS]
    for name in options.networks:
        append("quantization", in_child(measure, name, options.quantize, photos))
