"""Convert an official network for the tests in a browser, with what PyTorch makes of pictures.

    python web/test/make_official.py FOLDER [NAME]

FOLDER/model gets the TF.js model; FOLDER/golden.json a tile with its float32 result, and a picture of
several tiles, upscaled untiled, as base64. The weights come from the cache, or are fetched.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch

from esrgan_bridge.chain import convert
from esrgan_torch import Upscaler, read_image
from esrgan_weights import load

MODEL = "realesr-animevideov3"
PHOTO = Path(__file__).parents[2] / "examples" / "cat.jpg"
TILE = (20, 24)  # rows and columns
PICTURE = (24, 540)  # the tail is cut into tiles of 256


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def rgba(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)


def main() -> None:
    folder = Path(sys.argv[1])
    model = load(sys.argv[2] if len(sys.argv) > 2 else MODEL)
    convert(model, folder / "model", route="direct", runners=["onnxruntime"])
    photo = read_image(PHOTO).pixels
    tile = photo[40 : 40 + TILE[0], 60 : 60 + TILE[1]]
    values = (tile / 255).astype(np.float32)
    with torch.no_grad():
        result = model.float()(torch.from_numpy(values).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    picture = np.tile(photo[: PICTURE[0]], (1, PICTURE[1] // photo.shape[1], 1))
    untiled = Upscaler(model, device="cpu", dtype="float32", tiling="off")(picture)
    golden = {
        "tile": {"height": TILE[0], "width": TILE[1], "values": text(values), "result": text(result)},
        "picture": {
            "height": PICTURE[0],
            "width": PICTURE[1],
            "given": text(rgba(picture)),
            "expected": text(rgba(untiled)),
        },
    }
    (folder / "golden.json").write_text(json.dumps(golden), encoding="utf-8")


if __name__ == "__main__":
    main()
