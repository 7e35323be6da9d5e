"""The picture at the top of the README: bicubic interpolation beside realesrgan-x4plus.

python -m esrgan_benchmarks before_after examples/cat.jpg docs/images/cat-before-after.jpg
"""

import argparse
from pathlib import Path

import numpy as np

from esrgan_torch import Upscaler, imresize, read_image, write_image
from esrgan_weights import load


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    photo = read_image(options.photo)
    after = Upscaler(load("realesrgan-x4plus"))(photo).pixels
    before = imresize(photo.pixels, *after.shape[:2])
    line = np.full((after.shape[0], 6, 3), 255, np.uint8)
    write_image(options.output, np.concatenate((before, line, after), axis=1), quality=90)
