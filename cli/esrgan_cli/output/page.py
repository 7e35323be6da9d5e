"""The before/after page: one HTML file that shows pictures under a slider, without any other file."""

import base64
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_cli.version import PACKAGE, project_version
from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.html_pages import render
from esrgan_torch.images.encode import encode, to_8_bits
from esrgan_torch.images.formats import EncodeOptions, find_format
from esrgan_torch.images.picture import Picture
from esrgan_torch.storage.atomic import atomic_path, refuse_special
from esrgan_torch.upscaled import Upscaled

PAGE_BYTES = 22_000_000  # of pictures; base64 makes a third more of it, 29 MB
LEAST_BYTES = 300_000  # for one picture; with more pictures than fit so, the last are only listed
LOSSLESS_PIXELS = 4_000_000  # above, a PNG takes long to encode and to decode
LARGEST_PIXELS = 24_000_000  # above, phones fail to show it
QUALITIES = (95, 90, 80)
ORIGINAL_SHARE = 0.25  # of a picture's bytes; it has a sixteenth of the pixels, and is sharper


@dataclass(frozen=True)
class Shown:
    """A picture as the page holds it: an address with its data, and how it was coded, for people."""

    address: str
    size: int
    coding: str


@dataclass(frozen=True)
class _Pair:
    """A picture before and after, with the size of the result in pixels and what is said of it."""

    name: str
    width: int
    height: int
    before: Shown
    after: Shown
    facts: Sequence[tuple[str, str]]


def check_page(path: Path | None) -> None:
    """Refuse `path` before the work where it is no name of a page; so that no picture is overwritten by one.

    Raises:
        ConfigError: it does not end in .html.
        OSError: it is a pipe, a socket or a device.
    """
    if path is None:
        return
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--page {path}: the name of a page ends in .html")
    refuse_special(path)


class Page:
    """Collects pictures and writes the page. `add` may be called from several threads.

    Args:
        path: the HTML file.
        model: the network's name, for people.
        expected: how many pictures will come; they share `PAGE_BYTES`.
    """

    def __init__(self, path: Path, model: str, expected: int) -> None:
        self.path = path
        self._model = model
        self._limit = max(PAGE_BYTES // max(expected, 1), LEAST_BYTES)
        self._left = PAGE_BYTES
        self._lock = threading.Lock()
        self._pictures: dict[Path, _Pair] = {}
        self._left_out: list[Path] = []

    def add(self, source: Path, target: Path, original: Picture, result: Upscaled) -> None:
        """Add a picture: the file that was read and the file that was written, before and after."""
        with self._lock:
            full = self._left < self._limit
            if full:
                self._left_out.append(target)
            else:
                self._left -= self._limit
        if full:
            return
        before = encode_shown(original, int(self._limit * ORIGINAL_SHARE))
        after = encode_shown(result.picture, int(self._limit * (1 - ORIGINAL_SHARE)))
        facts = _facts(target, original, result, self._model)
        facts.append(("Shown here as", f"{before.coding} (original); {after.coding} (result)"))
        large = result.picture
        with self._lock:
            self._pictures[source] = _Pair(source.name, large.width, large.height, before, after, facts)
            self._left += self._limit - before.size - after.size

    def write(self) -> bool:
        """Write the page, whole or not at all; False, and no page, where no picture was added.

        Raises:
            ImageWriteError: the folder is missing, read-only or full.
        """
        if not self._pictures:
            return False
        text = render(
            __name__,
            "page.html",
            made_by=f"{PACKAGE} {project_version()}",
            pictures=[self._pictures[source] for source in sorted(self._pictures)],
            left_out=sorted(self._left_out),
        )
        try:
            with atomic_path(self.path) as temporary:
                temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise ImageWriteError(f"cannot write {self.path}: {error.strerror or error}") from error
        return True


def encode_shown(picture: Picture, limit: int) -> Shown:
    """A picture in at most about `limit` bytes: lossless if that will do, else with loss, else smaller too.

    The colour profile stays, so that colours are right; the EXIF block does not, since it may say where a
    photo was taken.
    """
    pixels = to_8_bits(picture.pixels)
    picture = replace(picture, pixels=pixels, exif=None)
    smaller = math.ceil(math.sqrt(pixels.shape[0] * pixels.shape[1] / LARGEST_PIXELS))
    if smaller > 1:
        picture = picture.with_pixels(_shrink(pixels, smaller))
    elif pixels.shape[0] * pixels.shape[1] <= LOSSLESS_PIXELS:
        data = encode(picture, EncodeOptions("png").coding())
        if len(data) <= limit:
            return _shown(data, "png", "PNG, lossless")
    form = find_format("", "webp" if picture.has_alpha else "jpg")
    factor = max(smaller, 1)
    while True:
        if max(picture.height, picture.width) <= form.max_side:
            for quality in QUALITIES:
                data = encode(picture, EncodeOptions(form.name, quality).coding())
                if len(data) <= limit or (quality == QUALITIES[-1] and max(picture.pixels.shape) <= 64):
                    size = f", 1/{factor} of the size" if factor > 1 else ""
                    kind = {"jpg": "JPEG", "webp": "WebP"}[form.name]
                    return _shown(data, form.name, f"{kind}, quality {quality}{size}")
        factor *= 2
        picture = picture.with_pixels(_shrink(picture.pixels, 2))


def _shrink(pixels: NDArray[Any], factor: int) -> NDArray[Any]:
    """Means of factor x factor pixels (fewer at an axis that has not so many); uint8 -> uint8."""
    high, wide = min(factor, pixels.shape[0]), min(factor, pixels.shape[1])
    height, width = pixels.shape[0] // high, pixels.shape[1] // wide
    blocks = pixels[: height * high, : width * wide].reshape(height, high, width, wide, -1)
    return np.rint(blocks.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)


def _shown(data: bytes, name: str, coding: str) -> Shown:
    kind = {"jpg": "jpeg"}.get(name, name)
    return Shown(f"data:image/{kind};base64,{base64.b64encode(data).decode()}", len(data), coding)


def _facts(target: Path, original: Picture, result: Upscaled, model: str) -> list[tuple[str, str]]:
    large = result.picture
    return [
        ("Model", Path(model).name),
        ("Original", f"{original.width} x {original.height} pixels"),
        ("Result", f"{large.width} x {large.height} pixels, {large.bits} bits"),
        ("Device", result.device),
        ("Precision", result.dtype),
        ("Engine", result.engine),
        ("Tiling", str(result.plan)),
        ("Time", f"{result.seconds:.1f} s"),
        ("File", target.name),
    ]
