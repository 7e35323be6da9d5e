"""`Frames` of one picture, and of animations, whose frames are brought to one number of channels."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from esrgan_torch.images.picture import Frame, Frames, Picture, Pixels


def single(picture: Callable[[], Picture], memory: int) -> Frames:
    """A file that holds one picture, of at most so many bytes of pixels."""

    def frames() -> Iterator[Frame]:
        yield Frame(picture())

    return Frames(1, timed=False, loop=0, first=picture, decode=frames, memory=memory)


def animation(count: int, plays: int, decode: Callable[[], Iterator[Frame]], memory: int) -> Frames:
    """Frames cut down to the channels that any of them needs.

    A first way through them finds out which: the network takes far longer than a decoder, and a writer must
    know before the first frame. It finds damage too, before any work is done.

    Args:
        decode: starts a way through frames of one size and depth.
        memory: bytes of a frame's pixels.
    """
    channels: list[int] = []

    def frames() -> Iterator[Frame]:
        if not channels:
            needs = {_channels_needed(frame.picture.pixels) for frame in decode()}
            channels.append((3 if max(needs) > 2 else 1) + any(need in (2, 4) for need in needs))
        for frame in decode():
            yield replace(frame, picture=_cut(frame.picture, channels[0], count))

    def first() -> Picture:
        picture = next(iter(decode())).picture
        return _cut(picture, _channels_needed(picture.pixels), count)

    return Frames(count, timed=True, loop=plays, first=first, decode=frames, memory=memory)


def _channels_needed(pixels: Pixels) -> int:
    channels = pixels.shape[2]
    opaque = channels in (2, 4) and bool((pixels[:, :, -1] == np.iinfo(pixels.dtype).max).all())
    return channels - opaque


def _cut(picture: Picture, channels: int, count: int) -> Picture:
    return replace(picture, pixels=with_channels(picture.pixels, channels), frames=count)


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Gray becomes RGB, and alpha is left out or added (opaque), as `channels` asks."""
    has_alpha = pixels.shape[2] in (2, 4)
    colour = pixels[:, :, :-1] if has_alpha else pixels
    if channels >= 3 and colour.shape[2] == 1:
        colour = colour.repeat(3, axis=2)
    if channels in (1, 3):
        return np.ascontiguousarray(colour)
    opaque = np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    return np.concatenate([colour, pixels[:, :, -1:] if has_alpha else opaque], axis=2)
