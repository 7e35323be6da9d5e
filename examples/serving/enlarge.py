"""Enlarge a picture with the ONNX files of `esrgan convert`: ONNX Runtime, NumPy and Pillow, no more.

    python enlarge.py FOLDER photo.png photo-x4.png

FOLDER holds trunk.onnx and tail.onnx, which `esrgan convert MODEL --to onnx --parts` makes beside model.onnx.
The trunk sees far, and runs on the whole picture; the tail sees few pixels, and runs in tiles with a margin.
So the result is that of model.onnx on the whole picture, without the memory that its large features take.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

TILE = 128  # features along each side of a tile of the tail


class Enlarger:
    """Both parts, loaded once.

    Args:
        folder: of trunk.onnx and tail.onnx.
    """

    def __init__(self, folder):
        self._trunk, self._tail = (
            onnxruntime.InferenceSession(str(Path(folder) / name), providers=["CPUExecutionProvider"])
            for name in ("trunk.onnx", "tail.onnx")
        )
        # the record that every file carries
        self.record = json.loads(self._tail.get_modelmeta().custom_metadata_map["esrgan"])

    def __call__(self, picture):
        """(H, W, 3) uint8 -> (H * scale, W * scale, 3) uint8."""
        height, width, _ = picture.shape
        fold, scale, margin = (self.record[name] for name in ("unshuffle", "scale", "tail_halo"))
        # numbers in [0, 1], channels first, sizes that the network can fold
        batch = picture.astype(np.float32).transpose(2, 0, 1)[None] / 255
        padding = ((0, 0), (0, 0), (0, -height % fold), (0, -width % fold))
        (features,) = self._trunk.run(["features"], {"input": np.pad(batch, padding, "edge")})

        rows, columns = features.shape[2:]
        large = fold * scale  # output pixels a feature
        result = np.empty((rows * large, columns * large, 3), np.uint8)
        for top in range(0, rows, TILE):
            for left in range(0, columns, TILE):
                # what is read reaches further than what is kept, as far as there is something
                above, before = max(top - margin, 0), max(left - margin, 0)
                window = features[:, :, above : top + TILE + margin, before : left + TILE + margin]
                (tile,) = self._tail.run(["output"], {"features": np.ascontiguousarray(window)})
                y, x = (top - above) * large, (left - before) * large
                core = tile[0, :, y : y + TILE * large, x : x + TILE * large].transpose(1, 2, 0)
                # values beyond black and white are cut off at the very end
                pixels = np.rint(core.clip(0, 1) * 255).astype(np.uint8)
                y, x = top * large, left * large
                result[y : y + TILE * large, x : x + TILE * large] = pixels
        return result[: height * scale, : width * scale]


def main(folder, source, target):
    with Image.open(source) as image:
        picture = np.array(image.convert("RGB"))
    Image.fromarray(Enlarger(folder)(picture)).save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
