"""What reading costs: memory while a picture is decoded, and decoding it in a process of its own.

    python -m esrgan_benchmarks reading [--sides PX ...] [--memory-side PX]

All pictures are drawn here. Times are of processors, of both processes together, so that other work on the
machine counts little.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from esrgan_benchmarks.core.measure import in_child, peak_memory
from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_torch.arithmetic import ceil_div
from esrgan_torch.images.files import read_frames
from esrgan_torch.images.picture import Frames
from esrgan_torch.images.reader import Reader

SIDES = (16, 256, 1024, 2048)
SECONDS = 2.0  # each case is repeated for so long


def drawn(side: int) -> Image.Image:
    """Patches of colour, as much for a coder to do as a plain photo."""
    tile = ceil_div(side, 8)
    values = np.random.default_rng(0).integers(0, 256, (tile, tile, 3), np.uint8)
    return Image.fromarray(values.repeat(8, 0).repeat(8, 1)[:side, :side])


def _pillow(form: str, **options: Any) -> Callable[[int], bytes]:
    def make(side: int) -> bytes:
        stream = io.BytesIO()
        image = drawn(side)
        image = image.convert(options["mode"]) if "mode" in options else image
        image.save(stream, form, **{name: value for name, value in options.items() if name != "mode"})
        return stream.getvalue()

    return make


def _jxl(side: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(np.asarray(drawn(side)), effort=1))


APART = {
    "TIFF, deflate": _pillow("TIFF", compression="tiff_adobe_deflate"),
    "TIFF, LZW": _pillow("TIFF", compression="tiff_lzw"),
    "AVIF": _pillow("AVIF", speed=10),
    "JPEG XL": _jxl,
}
"""Files of kinds that a `Reader` has decoded in another process, by their sides."""

HELD = {
    "JPEG": _pillow("JPEG", subsampling=0),
    "JPEG, progressive": _pillow("JPEG", subsampling=0, progressive=True),
    "JPEG, CMYK": _pillow("JPEG", mode="CMYK"),
    "PNG": _pillow("PNG", compress_level=1),
    "GIF": _pillow("GIF"),
    "WebP": _pillow("WEBP", method=0),
    "AVIF": _pillow("AVIF", speed=10),
    "TIFF, LZW": _pillow("TIFF", compression="tiff_lzw"),
    "JPEG XL": _jxl,
}
"""Files whose decoding is measured in memory."""


def apart(kind: str, side: int) -> Row:
    """Milliseconds of processors to read a file here, and in another process."""
    with tempfile.TemporaryDirectory() as folder, Reader() as reader:
        path = Path(folder) / "picture"
        path.write_bytes(APART[kind](side))
        started = time.perf_counter()
        reader.read_frames(path).first()
        start = time.perf_counter() - started
        here = _milliseconds(read_frames, path)
        other = _milliseconds(reader.read_frames, path)
    return {
        "case": "apart",
        "kind": kind,
        "side": side,
        "here": round(here, 2),
        "apart": round(other, 2),
        "start_seconds": round(start, 2),
    }


def _milliseconds(read: Callable[[Path], Frames], path: Path) -> float:
    count, before, started = 0, _processors(), time.perf_counter()
    while time.perf_counter() - started < SECONDS or count < 2:
        read(path).first()
        count += 1
    return (_processors() - before) / count * 1000


def _processors() -> float:
    """Seconds of processors that this process and those that it started have taken."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children())]
    return sum(each.user + each.system for each in times)


def held(kind: str, side: int, data: bytes) -> Row:
    """Bytes a pixel that a process holds at most while it decodes a file, which is given."""
    read_frames(HELD[kind](16)).first()  # what the libraries themselves take
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        before = peak_memory()
        pixels = read_frames(path).first().pixels
    return {
        "case": "held",
        "kind": kind,
        "side": side,
        "before": before,
        "peak": peak_memory(),
        "bytes_a_pixel": round((peak_memory() - before) / side**2, 1),
        "result_a_pixel": pixels.nbytes // side**2,
    }


def made(kind: str, side: int) -> bytes:
    """A file of `HELD`."""
    return HELD[kind](side)


def apart_table(rows: list[Row]) -> str:
    """The rows of `apart` as a table, for the documentation."""
    rows = latest((row for row in rows if row["case"] == "apart"), "kind", "side")
    sides = sorted({row["side"] for row in rows})
    lines = [
        f"| milliseconds of processors, here / apart | {' | '.join(f'{side}x{side}' for side in sides)} |",
        f"|---|{'---|' * len(sides)}",
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        found = {
            row["side"]: f"{row['here']:.1f} / {row['apart']:.1f}" for row in rows if row["kind"] == kind
        }
        lines.append(f"| {kind} | {' | '.join(found.get(side, '') for side in sides)} |")
    start = min(row["start_seconds"] for row in rows)
    note = f"The process starts once a run; the fastest of {len(rows)} starts took {start:.1f} s."
    return "\n".join([*lines, "", note, "", measured_on(rows)])


def held_table(rows: list[Row]) -> str:
    """The rows of `held` as a table, for the documentation."""
    rows = latest((row for row in rows if row["case"] == "held"), "kind")
    lines = ["| read | bytes a pixel while decoded | of the result |", "|---|---|---|"]
    lines += [f"| {row['kind']} | {row['bytes_a_pixel']:.1f} | {row['result_a_pixel']} |" for row in rows]
    return "\n".join([*lines, "", measured_on(rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    parser.add_argument("--memory-side", type=int, default=6000)
    options = parser.parse_args()
    rows: list[Row] = [apart(kind, side) for kind in APART for side in options.sides]
    for kind in HELD:  # neither is measured with what making the file took
        data = in_child(made, kind, options.memory_side)
        rows.append(in_child(held, kind, options.memory_side, data))
    for row in rows:
        print(row, flush=True)
    append("reading", rows)
