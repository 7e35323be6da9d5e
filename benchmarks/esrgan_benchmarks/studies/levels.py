"""What networks do to levels: white and black in line art, clear and opaque alpha, 16 bits in half precision.

    python -m esrgan_benchmarks levels MODEL...

All pictures are drawn here. A shape is drawn large, as it would be at the network's scale, and reduced to
what the network is given; "truth" is the large one.
"""

import argparse

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_torch import Upscaler
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.images.picture import Pixels, Samples
from esrgan_torch.images.resample import imresize
from esrgan_torch.images.uniform_alpha import keep_uniform
from esrgan_torch.networks.base import Generator
from esrgan_torch.quantise import decibels
from esrgan_torch.tiling.mosaic import to_levels
from esrgan_weights import load

SIDE = 72  # of the picture that the network is given
FINER = 4  # how much larger than the truth shapes are drawn, for soft edges
RINGS = ((2, 4), (5, 8), (9, SIDE))  # input pixels from the nearest one of another value

Gray = NDArray[np.uint8]


def shapes(scale: int) -> Gray:
    """(SIDE * scale, SIDE * scale, 1): white shapes on black, and black ones on white at the bottom."""
    side = SIDE * scale * FINER
    canvas = Image.new("L", (side, side))
    draw = ImageDraw.Draw(canvas)

    def at(*sixteenths: float) -> list[float]:
        return [part * side / 16 for part in sixteenths]

    draw.ellipse(at(1, 1, 7, 7), fill=255)
    draw.polygon(at(9, 1, 15, 3, 10.5, 7), fill=255)
    draw.rectangle(at(0, 8, 16, 16), fill=255)
    draw.ellipse(at(2, 9.5, 6, 13.5), fill=0)
    for number in range(6):
        draw.line(at(8, 9 + number, 15, 9.5 + number), fill=0, width=side // (SIDE * (6 - number)))
    return np.asarray(canvas.reduce(FINER))[:, :, None].copy()


def reduced(truth: Gray, way: str) -> Gray:
    """(SIDE, SIDE, 1) by the mean, by bicubic interpolation, or by the mean and without soft edges."""
    if way == "bicubic":
        return imresize(truth, SIDE, SIDE)
    scale = truth.shape[0] // SIDE
    mean = truth[:, :, 0].reshape(SIDE, scale, SIDE, scale).mean((1, 3))[:, :, None]
    return np.rint(mean if way == "mean" else 255 * (mean >= 127.5)).astype(np.uint8)


def rings(same: NDArray[np.bool_], scale: int) -> NDArray[np.int64]:
    """(H * scale, W * scale): 0 where a pixel is not `same` (H, W), else how far the nearest that is not."""
    distance = np.zeros(same.shape, np.int64)
    inner = same
    while inner.any() and distance.max() < SIDE:
        distance += inner
        padded = np.pad(inner, 1, constant_values=True)  # what lies beyond the border does not count
        height, width = same.shape
        shifted = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
        inner = np.logical_and.reduce(shifted)
    return np.kron(distance, np.ones((scale, scale), np.int64))


def enlarged(network: Generator, given: Gray) -> Pixels:
    """(H * scale, W * scale, 1) in 65535ths, by float32."""
    fine: Pixels = given.astype(np.uint16)
    fine *= 257
    return Upscaler(network, "cpu", "float32")(fine)


def flat(name: str, network: Generator) -> list[Row]:
    """How far white and black are off in line art, by the distance from the nearest other value."""
    given = reduced(shapes(network.scale), "mean")
    result = enlarged(network, given)[:, :, 0] / 257
    found: list[Row] = []
    for colour, value in (("white", 255), ("black", 0)):
        distance = rings(given[:, :, 0] == value, network.scale)
        off = np.abs(result - value)
        for nearest, farthest in RINGS:
            here = off[(distance >= nearest) & (distance <= farthest)]
            found.append(
                {
                    "case": "flat",
                    "network": name,
                    "colour": colour,
                    "from": nearest,
                    "to": farthest,
                    "mean": round(float(here.mean()), 3),
                    "max": round(float(here.max()), 2),
                    "changed": round(float((here >= 0.5).mean()), 4),  # in 8 bits
                }
            )
    return found


def alpha(name: str, network: Generator, way: str) -> Row:
    """Alpha by the network alone and with what is uniform kept, beside the truth."""
    truth = shapes(network.scale)
    given = reduced(truth, way)
    alone = to_levels(enlarged(network, given).astype(np.float32) / 65535, np.dtype(np.uint8))
    kept = alone.copy()
    keep_uniform(kept, given)
    values = given[:, :, 0]
    clear, opaque = (rings(values == value, network.scale) > 1 for value in (0, 255))
    return {
        "case": "alpha",
        "network": name,
        "reduced": way,
        "clear_changed": round(float((alone[clear] > 0).mean()), 4),
        "opaque_changed": round(float((alone[opaque] < 255).mean()), 4),
        "psnr_alone": round(_psnr(alone, truth), 3),
        "psnr_kept": round(_psnr(kept, truth), 3),
    }


def _psnr(result: Samples, truth: Gray) -> float:
    return decibels(float(np.square(result.astype(float) - truth).mean()))


def gradient(picture: str) -> NDArray[np.uint16]:
    """(48, 64, 3): a gray ramp over a thirteenth of the range, or a sky of three slopes."""
    if picture == "ramp":
        values = np.linspace(40000, 45000, 48 * 64).reshape(48, 64)
        return np.dstack([values] * 3).astype(np.uint16)
    y, x = np.mgrid[0:48, 0:64]
    red = 9000 + 30 * x + 200 * y + 300 * np.sin(x / 9)
    return np.dstack([red, 20000 + 25 * x + 220 * y, 42000 + 300 * y + 11 * x]).astype(np.uint16)


def sixteen(name: str, network: Generator, picture: str) -> list[Row]:
    """A 16-bit picture in half precision beside float32."""
    pixels = gradient(picture)
    batch = torch.from_numpy(pixels.astype(np.float32) / np.float32(65535)).permute(2, 0, 1)[None]
    found: list[Row] = []
    exact: NDArray[np.int64] | None = None
    for dtype in ("float32", "float16", "bfloat16"):
        engine = make_engine(network, torch.device("cpu"), getattr(torch, dtype), "eager")
        with torch.inference_mode():
            values = engine.tail(engine.trunk(batch, lambda _: None))
        result = to_levels(values.numpy(), np.dtype(np.uint16)).astype(np.int64)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        exact = result if exact is None else exact
        off = np.abs(result - exact)
        found.append(
            {
                "case": "16 bits",
                "network": name,
                "picture": picture,
                "dtype": dtype,
                "distinct": len(np.unique(result)),
                "max": int(off.max()),
                "rms": round(float(np.sqrt(np.square(off).mean())), 1),
            }
        )
    return found


def flat_table(rows: list[Row]) -> str:
    """The rows of `flat` as a table, for the documentation."""
    rows = latest((row for row in rows if row["case"] == "flat"), "network", "colour", "from", "to")
    columns = [f"{first} to {last} pixels" if last < SIDE else f"{first} and more" for first, last in RINGS]
    lines = [f"| network | colour | {' | '.join(columns)} |", "|---|---" + "|---" * len(RINGS) + "|"]
    for row in rows:
        if row["from"] == RINGS[0][0]:
            mine = [each for each in rows if _kind(each) == _kind(row)]
            cells = [f"{each['mean']:.2f}, {each['max']:.1f}, {each['changed']:.0%}" for each in mine]
            lines.append(f"| {row['network']} | {row['colour']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", measured_on(rows)])


def _kind(row: Row) -> tuple[str, str]:
    return row["network"], row["colour"]


def alpha_table(rows: list[Row]) -> str:
    """The rows of `alpha` as a table, for the documentation."""
    rows = latest((row for row in rows if row["case"] == "alpha"), "network", "reduced")
    lines = [
        "| network | reduced by | clear, changed | opaque, changed | PSNR, network alone | with the rule |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['reduced']} | {row['clear_changed']:.0%} | {row['opaque_changed']:.0%} "
        f"| {row['psnr_alone']:.2f} dB | {row['psnr_kept']:.2f} dB |"
        for row in rows
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def sixteen_table(rows: list[Row]) -> str:
    """The rows of `sixteen` as a table, for the documentation."""
    rows = latest((row for row in rows if row["case"] == "16 bits"), "network", "picture", "dtype")
    lines = [
        "| network | picture | precision | distinct values | off, mean square | most |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['picture']} | {row['dtype']} | {row['distinct']:,} | {row['rms']:.1f} "
        f"| {row['max']:,} |"
        for row in rows
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    for name in parser.parse_args().models:
        network = load(name)
        rows = flat(name, network)
        rows += [alpha(name, network, way) for way in ("mean", "bicubic", "threshold")]
        rows += [row for picture in ("ramp", "sky") for row in sixteen(name, network, picture)]
        for row in rows:
            print(row, flush=True)
        append("levels", rows)
