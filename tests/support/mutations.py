"""Picture files of every kind that is read, made from nothing, and damaged in the ways that files are.

As a program it reads damaged files until a count is reached, in a child process whose memory is limited:

    python -m tests.support.mutations [COUNT] [SEED] [--kinds png16,tiff-lzw] [--keep FOLDER]

A file that ends the child, takes too long, or raises anything but the documented errors is printed, and kept.
"""

import argparse
import io
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)
PIXELS[4:20, 3:28] = (200, 30, 90)
MEMORY = 3 << 30  # bytes of the child
SECONDS = 20.0  # for one file
BOUNDARIES = (
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


def pillow(form: str, mode: str = "RGB", **options: object) -> bytes:
    """A file as Pillow writes it."""
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, form, **options)
    return stream.getvalue()


def animated(form: str, **options: object) -> bytes:
    """Four frames."""
    images = [Image.fromarray(np.roll(PIXELS, 3 * number, 1)) for number in range(4)]
    stream = io.BytesIO()
    images[0].save(stream, form, save_all=True, append_images=images[1:], duration=80, **options)
    return stream.getvalue()


def tiff(pixels: "np.ndarray | None" = None, **options: object) -> bytes:
    """A file as tifffile writes it."""
    import tifffile

    stream = io.BytesIO()
    pixels = PIXELS if pixels is None else pixels
    options = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack", **options}
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def _coded(name: str, pixels: np.ndarray, **options: object) -> bytes:
    import imagecodecs

    return bytes(getattr(imagecodecs, f"{name}_encode")(pixels, **options))


def _heif() -> bytes:
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PIXELS)).save(stream, quality=60)
    return stream.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "Camera", 6
    exif.get_ifd(0x8769).update({0x829A: 0.004, 0x9286: b"ASCII\0\0\0said"})
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 0.0)})
    return exif.tobytes()


_WIDE = PIXELS.astype(np.uint16) * 257
SAMPLES: dict[str, Callable[[], bytes]] = {
    "png": lambda: pillow("PNG", exif=_exif(), dpi=(72, 72)),
    "png-palette": lambda: pillow("PNG", "P", transparency=3),
    "png16": lambda: _coded("png", _WIDE),
    "apng": lambda: animated("PNG"),
    "jpeg": lambda: pillow("JPEG", exif=_exif(), comment="said"),
    "jpeg-progressive": lambda: pillow("JPEG", progressive=True),
    "jpeg-cmyk": lambda: pillow("JPEG", "CMYK"),
    "webp": lambda: pillow("WEBP", exif=_exif()),
    "webp-lossless": lambda: pillow("WEBP", "RGBA", lossless=True),
    "webp-animated": lambda: animated("WEBP"),
    "avif": lambda: pillow("AVIF", exif=_exif(), speed=10),
    "avif-animated": lambda: animated("AVIF", speed=10),
    "gif": lambda: animated("GIF"),
    "bmp": lambda: pillow("BMP"),
    "bmp-palette": lambda: pillow("BMP", "P"),
    "tga": lambda: pillow("TGA", compression="tga_rle"),
    "dds": lambda: pillow("DDS"),
    "qoi": lambda: _coded("qoi", PIXELS),
    "ico": lambda: pillow("ICO", sizes=[(16, 16), (32, 32)]),
    "ppm": lambda: pillow("PPM"),
    "pgm16": lambda: b"P5 31 24 65535\n" + _WIDE[:, :, 0].astype(">u2").tobytes(),
    "pfm": lambda: b"PF\n31 24\n-1.0\n" + (PIXELS / np.float32(255)).astype("<f4").tobytes(),
    "jxl": lambda: _coded("jpegxl", PIXELS),
    "jxl16": lambda: _coded("jpegxl", _WIDE, lossless=True),
    "heif": _heif,
    "tiff": lambda: tiff(),
    "tiff-exif": lambda: pillow("TIFF", exif=_exif(), dpi=(300, 300)),
    "tiff16-deflate": lambda: tiff(_WIDE, compression="zlib", predictor=True),
    "tiff-tiled": lambda: tiff(compression="zlib", tile=(16, 16)),
    "tiff-planar": lambda: tiff(PIXELS.transpose(2, 0, 1).copy(), planarconfig="separate"),
    "tiff-float": lambda: tiff(
        (PIXELS / np.float32(255)).astype(np.float32), compression="zlib", predictor=3
    ),
    "tiff-lzw": lambda: pillow("TIFF", compression="tiff_lzw"),
    "tiff16-lzw": lambda: tiff(_WIDE, compression="lzw", predictor=True),
    "tiff-packbits": lambda: pillow("TIFF", compression="packbits"),
    "tiff-jpeg": lambda: tiff(compression="jpeg"),
    "tiff-palette": lambda: pillow("TIFF", "P", compression="tiff_lzw"),
    "tiff-fax": lambda: pillow("TIFF", "1", compression="group4"),
    "tiff-lzma": lambda: tiff(compression="lzma"),
    "tiff-zstd": lambda: tiff(compression="zstd"),
    "tiff-webp": lambda: tiff(compression="webp"),
    "tiff-jxl": lambda: tiff(compression="jpegxl"),
    "tiff-jpeg2000": lambda: tiff(compression="jpeg2000"),
    "tiff-jpegxr": lambda: tiff(compression="jpegxr"),
    "tiff-png": lambda: tiff(compression="png"),
    "tiff-lerc": lambda: tiff(compression="lerc"),
    "bigtiff": lambda: tiff(bigtiff=True),
}
"""Name of each kind -> makes a small, whole file of it."""


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A damaged variant: cut off, bits turned over, bytes replaced, parts moved, sizes inflated."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        if len(result) < 8:
            break
        # headers stand at the front, or in TIFF at the end
        end = chance.choice((min(64, len(result)), min(400, len(result)), len(result)))
        place = chance.randrange(end) if chance.random() < 0.8 else len(result) - 1 - chance.randrange(end)
        way = chance.randrange(6)
        if way == 0:
            del result[max(place, 1) :]
        elif way == 1:
            result[place] ^= 1 << chance.randrange(8)
        elif way == 2:
            result[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif way == 3:
            size = chance.choice((2, 4))
            value = chance.choice(BOUNDARIES) & (256**size - 1)
            result[place : place + size] = value.to_bytes(size, chance.choice(("big", "little")))
        elif way == 4:
            part = result[place : place + chance.randrange(1, 40)]
            other = chance.randrange(len(result))
            result[other:other] = part
        else:
            del result[place : place + chance.randrange(1, 20)]
    return bytes(result)


def sequence(kinds: "list[str]", seed: int) -> Iterator[tuple[str, bytes]]:
    """Kinds in turn, each with a damaged file; the same for a seed."""
    files = {kind: SAMPLES[kind]() for kind in kinds}
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        yield kind, mutated(files[kind], random.Random(f"{seed}-{number}"))
        number += 1


def suffix_of(kind: str) -> str:
    """By which TGA is recognised."""
    return ".tga" if kind == "tga" else ".bin"


def read_all(path: Path) -> str:
    """Read every frame of a file; "" where that works or is refused as documented, else what was raised."""
    from esrgan_torch.errors import ImageReadError
    from esrgan_torch.images.files import read_frames

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frames = read_frames(path, max_pixels=1 << 22)
            frames.first()
            for _ in frames:
                pass
    except ImageReadError:
        return ""
    except BaseException:
        return traceback.format_exc()
    return ""


def _child(kinds: "list[str]", seed: int, begin: int, count: int, folder: Path) -> None:
    """Tries `count` files from number `begin` on; the one being tried is in the folder."""
    import logging
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable()
    for number, (kind, data) in enumerate(sequence(kinds, seed)):
        if number >= begin + count:
            return
        if number < begin:
            continue
        path = folder / f"tried{suffix_of(kind)}"
        path.write_bytes(data)
        (folder / "number").write_text(f"{number} {kind}")
        os.utime(folder / "number")
        fault = read_all(path)
        if fault:
            name = folder / f"fault-{number}-{kind}{suffix_of(kind)}"
            name.write_bytes(data)
            name.with_suffix(".txt").write_text(fault)


def search(kinds: "list[str]", seed: int, count: int, folder: Path) -> list[str]:
    """Try so many files in child processes; what went wrong, a line each. The files are kept there."""
    found: list[str] = []
    begin = 0
    while begin < count:
        command = [sys.executable, "-m", __name__ if __name__ != "__main__" else "tests.support.mutations"]
        command += [
            "--child",
            str(folder),
            "--begin",
            str(begin),
            "--kinds",
            ",".join(kinds),
            str(count - begin),
        ]
        with subprocess.Popen(
            [*command, str(seed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as child:
            cause = _watched(child, folder / "number")
        if not cause:
            break
        words = (folder / "number").read_text().split()
        number, kind = int(words[0]), words[1]
        kept = folder / f"fatal-{number}-{kind}{suffix_of(kind)}"
        kept.write_bytes((folder / f"tried{suffix_of(kind)}").read_bytes())
        found.append(f"{kind}: {cause}: {kept}")
        begin = number + 1
    for text in sorted(folder.glob("fault-*.txt")):
        lines = text.read_text().strip().splitlines()
        found.append(f"{text.stem.split('-', 2)[2]}: {lines[-1][:150]} ({_place(lines)}): {text}")
    return found


def _place(lines: "list[str]") -> str:
    own = [line.strip() for line in lines if "esrgan_torch" in line and line.strip().startswith("File")]
    return own[-1].split("/")[-1] if own else ""


def _watched(child: "subprocess.Popen[bytes]", number: Path) -> str:
    """Wait for it; how it ended where that was no good end."""
    started = time.time()
    while child.poll() is None:
        time.sleep(0.1)
        changed = number.stat().st_mtime if number.exists() else started
        if time.time() - max(changed, started) > SECONDS:
            child.kill()
            child.wait()
            return f"longer than {SECONDS:.0f} s"
    return "" if child.returncode == 0 else f"ended by {child.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=2000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--kinds", default=",".join(SAMPLES))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--child", type=Path)
    parser.add_argument("--begin", type=int, default=0)
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    if options.child:
        _child(kinds, options.seed, options.begin, options.count, options.child)
        return
    folder = options.keep or Path(tempfile.mkdtemp(prefix="esrgan-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    found = search(kinds, options.seed, options.count, folder)
    print("\n".join(found) or f"{options.count} damaged files: nothing but documented errors")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
