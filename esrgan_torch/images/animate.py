"""Animations as GIF, WebP and AVIF files. Frames are held as they are coded, never all of them as pixels."""

import io
import struct
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from PIL import GifImagePlugin, Image, PngImagePlugin

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.apng import changed, check_alike, encode_apng
from esrgan_torch.images.picture import Frame, Picture, Pixels

_GIF_CLEAR, _GIF_KEEP = 2, 1  # what becomes of a frame's area before the next
_LOOPS = 0xFFFF
_GIF_LONGEST = 655.34  # seconds of a frame: 16 bits of hundredths, less one for rounding
_LONGEST, _ALL = 16_777.0, 2_147_000.0  # of a WebP or AVIF frame, and of all: 24 and 31 bits of milliseconds


def encode_gif(frames: Iterable[Frame], plays: int) -> tuple[bytes, int]:
    """The whole file and the number of its frames: 8-bit pictures of one size and number of channels.

    Each frame has its own 256 colours, 255 where it has alpha; what is less than half opaque is clear. Up to
    that many colours are kept as they are, more are chosen and dithered. Where there is no alpha, the
    smallest rectangle that changed is stored. (Graphics Interchange Format, Version 89a, CompuServe 1990.)

    Args:
        plays: how many times it is played, 0 for ever.

    Raises:
        ConfigError: the frames differ in kind, or there are none.
    """
    first: Picture | None = None
    before: Pixels | None = None
    parts: list[bytes] = []
    seconds, hundredths = 0.0, 0
    count = 0
    for frame in frames:
        pixels = frame.picture.pixels
        first = first or frame.picture
        check_alike(first, frame.picture)
        if before is None or frame.picture.has_alpha:
            top, left, area = 0, 0, pixels
        else:
            top, left, area = changed(before, pixels)
        before = pixels
        seconds += _shown(frame, _GIF_LONGEST, "gif")
        options: dict[str, Any] = {"duration": (round(seconds * 100) - hundredths) * 10}
        hundredths = round(seconds * 100)
        if frame.picture.has_alpha:
            options |= {"disposal": _GIF_CLEAR, "transparency": 255}
        else:
            options["disposal"] = _GIF_KEEP
        image = _with_palette(area)
        parts += GifImagePlugin.getdata(image, (left, top), include_color_table=True, **options)
        count += 1
    if first is None:
        raise ConfigError("there are no frames to write")
    head = b"GIF89a" + struct.pack("<2H3B", first.width, first.height, 0, 0, 0)
    if count > 1 and plays != 1:  # the file says how often it is repeated after the first time
        head += b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", min(max(plays - 1, 0), _LOOPS), 0)
    comment = next((text.encode() for key, text in first.texts if key == "Comment"), b"")
    blocks = [comment[at : at + 255] for at in range(0, len(comment), 255)]
    if blocks:
        head += b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return b"".join((head, *parts, b";")), count


def encode_by_pillow(
    frames: Iterable[Frame], plays: int, form: str, options: dict[str, Any]
) -> tuple[bytes, int]:
    """A whole WEBP or AVIF file (`form`) and the number of its frames, as in `encode_gif`.

    Pillow asks for all pictures at once. It gets them from an animated PNG in memory, a frame at a time.

    Args:
        options: of Pillow's `save`.
    """
    durations: list[int] = []

    def noted() -> Iterator[Frame]:
        seconds = 0.0
        for frame in frames:
            before = round(seconds * 1000)
            seconds += _shown(frame, min(_LONGEST, _ALL - seconds), form.lower())
            durations.append(round(seconds * 1000) - before)
            yield frame

    data, count = encode_apng(noted(), plays, bare=True)
    stream = io.BytesIO()
    with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
        image.save(stream, form, save_all=True, duration=durations, loop=min(plays, _LOOPS), **options)
    return stream.getvalue(), count


def _shown(frame: Frame, longest: float, form: str) -> float:
    """Seconds that the frame is shown, at most what the format can say."""
    seconds = frame.seconds or 0.0
    if seconds <= longest:
        return seconds
    warnings.warn(
        f"{form} cannot show a frame for {seconds:,.0f} seconds: it is shown for {longest:,.0f}", stacklevel=2
    )
    return max(longest, 0.0)


def _with_palette(pixels: Pixels) -> Image.Image:
    """Pixels (H, W, C) of 8 bits in at most 256 colours; with alpha, 255 is the clear one."""
    has_alpha = pixels.shape[2] in (2, 4)
    colour = pixels[:, :, :-1] if has_alpha else pixels
    colour = np.ascontiguousarray(colour.repeat(3, axis=2) if colour.shape[2] == 1 else colour)
    clear = pixels[:, :, -1] < 128 if has_alpha else np.zeros(pixels.shape[:2], bool)
    most = 255 if has_alpha else 256
    visible = colour[~clear]
    keys = visible.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    found = np.unique(keys)
    if found.size <= most:
        indices = np.full(clear.shape, 255, np.uint8)
        indices[~clear] = np.searchsorted(found, keys)
        palette = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.uint8)
    else:
        chosen = Image.fromarray(visible[None]).quantize(most)
        indices = np.array(
            Image.fromarray(colour).quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)
        )
        indices[clear] = 255
        palette = np.array(chosen.getpalette("RGB"), np.uint8).reshape(-1, 3)
    image = Image.fromarray(indices)
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = palette[:256]
    image.putpalette(table.tobytes())
    return image
