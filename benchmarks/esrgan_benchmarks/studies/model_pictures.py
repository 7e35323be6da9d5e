"""The picture of a model's card: what it makes of five kinds of pictures, beside others.

    python -m esrgan_benchmarks model_pictures MODEL... -o docs/images/NAME-kinds.webp [--scale N] [--jpeg Q]

Faces, foliage and night are places of photographs that are in the public domain (gb82, CC0), which all models
of this project were trained on too; text and line art are drawn here, and in no training set. Each is reduced
by MATLAB's bicubic by the scale of the models, and with --jpeg stored as a JPEG of that quality. The last
column is the original.
"""

import argparse
import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from esrgan_benchmarks.studies.training import SCALE, upscaling
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.images.picture import Picture
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.grid import comparison_grid

SIDE = 160  # of a place in the picture, in pixels
AROUND = 288  # of what is reduced: a place and what is around it
FINER = 4  # times as large that what is drawn here is drawn at first

Pixels = NDArray[Any]

# photographs of the folder train/gb82 and the middles of their places: row, column
PLACES: Mapping[str, tuple[str, int, int]] = {
    "1-faces": ("girl-lossless.jpg", 205, 410),
    "3-foliage": ("grass-lossless.jpg", 430, 300),
    "5-night": ("city-lossless.jpg", 300, 330),
}


def drawn_text() -> Pixels:
    """Lines of text in four sizes, dark on light and light on dark."""
    side = AROUND * FINER
    image = Image.new("RGB", (side, side), "#f4f1e8")
    draw = ImageDraw.Draw(image)
    row = side * 2 // 9
    for number, size in enumerate((9, 12, 16, 22, 16, 12, 9)):
        dark = number < 4
        if number == 4:
            draw.rectangle((0, row - 5 * FINER, side, side), fill="#1d2b44")
        font = ImageFont.load_default(size * FINER)
        colour = "#20201c" if dark else "#f0e9d0"
        draw.text((side * 2 // 9, row), f"Hamburg 1859, {number + 3} & more", colour, font)
        row += round(1.5 * size * FINER)
    return _reduced(image)


def drawn_lines() -> Pixels:
    """Circles, rays, hatching and a flat coloured face of a drawing."""
    side = AROUND * FINER
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    middle = side // 2
    for offset in range(0, side, 48):  # hatching, coarser in one half
        draw.line((0, offset, offset, 0), "black", 8)
        if offset % 96 == 0:
            draw.line((side, offset, offset, side), "black", 12)
    draw.ellipse((middle - 330, middle - 370, middle + 330, middle + 370), "white")
    draw.ellipse((middle - 220, middle - 260, middle + 220, middle + 260), "#ffe0c4", "black", 14)
    for sign in (-1, 1):
        x = middle + sign * 90
        draw.ellipse((x - 52, middle - 92, x + 52, middle + 12), "white", "black", 10)
        draw.ellipse((x - 24, middle - 60, x + 24, middle - 12), "#3b6ea5", "black", 6)
        draw.arc((x - 70, middle - 150, x + 70, middle - 60), 200, 340, "black", 10)
    draw.arc((middle - 90, middle + 40, middle + 90, middle + 160), 20, 160, "#a02030", 10)
    for angle in np.linspace(0, 2 * np.pi, 48, endpoint=False):
        inner, outer = 285, 285 + 60 + 40 * np.cos(6 * angle)
        ends = [
            (middle + radius * np.sin(angle), middle - radius * np.cos(angle)) for radius in (inner, outer)
        ]
        draw.line(ends, "black", 6)
    return _reduced(image)


def _reduced(image: Image.Image) -> Pixels:
    return imresize(np.asarray(image), AROUND, AROUND)


def originals(data: Path) -> dict[str, Pixels]:
    """The five kinds by names in their order, (AROUND, AROUND, 3) uint8."""
    found = {"2-text": drawn_text(), "4-lines": drawn_lines()}
    for kind, (name, row, column) in PLACES.items():
        pixels = read_image(data / "train" / "gb82" / name).pixels[:, :, :3]
        top, left = (
            min(max(0, place - AROUND // 2), length - AROUND)
            for place, length in zip((row, column), pixels.shape, strict=False)
        )
        found[kind] = pixels[top : top + AROUND, left : left + AROUND]
    return {kind: found[kind] for kind in sorted(found)}


def stored(pixels: Pixels, quality: int) -> Pixels:
    """What is left of a picture that was stored as a JPEG, colours at half the resolution."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(stream))


def card(names: list[str], data: Path, *, scale: int = SCALE, jpeg: int | None = None) -> Pixels:
    """A row for each kind, a column for each model and one for the original.

    Args:
        names: models, and `bicubic`.
        data: the folder that holds train/gb82.
        scale: of all models; a divisor of 288.
        jpeg: the quality with which the small pictures were stored; None: they were not.
    """
    models: dict[str, Callable[[Picture], Picture]] = {name: upscaling(name, scale)[0] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for part in ("HR", f"LRx{scale}"):
            (place / part).mkdir()
        for kind, pixels in originals(data).items():
            write_image(place / "HR" / f"{kind}.png", np.ascontiguousarray(pixels))
            small = imresize(pixels, AROUND // scale, AROUND // scale)
            small = small if jpeg is None else stored(small, jpeg)
            write_image(place / f"LRx{scale}" / f"{kind}.png", small)
        return comparison_grid(models, place, scale=scale, side=SIDE)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="published models, files, or bicubic")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--scale", type=int, default=SCALE, help="of all models (default: %(default)s)")
    parser.add_argument("--jpeg", type=int, metavar="QUALITY")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    pixels = card(options.models, options.data, scale=options.scale, jpeg=options.jpeg)
    write_image(options.output, pixels, quality=92)
    print(f"{options.output}: {', '.join(options.models)}, original")
