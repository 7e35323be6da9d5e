"""From the frames of one picture file to the frames of its result, and how they came about."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from esrgan_cli.finish import Finish
from esrgan_torch.picture import Frame, Frames, Picture
from esrgan_torch.upscale import Upscaled, Upscaler

Progress = Callable[[float], None]


class Enlarging:
    """Enlarges a picture, or one frame after another, and adds up how.

    Args:
        upscaler: enlarges each.
        finish: is done to each then.
        progress: called with the share that is done, from 0 to 1.
    """

    def __init__(self, upscaler: Upscaler, finish: Finish, progress: Progress) -> None:
        self._upscaler = upscaler
        self._finish = finish
        self._progress = progress
        self._sum: Upscaled | None = None

    @property
    def outcome(self) -> Upscaled:
        """The first result, with times and tiles of all, and not exact where one is not."""
        assert self._sum is not None  # something was enlarged
        return self._sum

    def picture(self, original: Picture, done: float = 0, share: float = 1) -> Picture:
        """One picture, `done` of all before it and `share` of all its own."""
        result = self._upscaler.upscale(original, lambda part: self._progress(done + share * part))
        result = replace(result, picture=self._finish(result.picture, original))
        self._sum = result if self._sum is None else _added(self._sum, result)
        return result.picture

    def frames(self, frames: Frames) -> Iterator[Frame]:
        """All frames, one at a time."""
        for number, frame in enumerate(frames):
            yield replace(frame, picture=self.picture(frame.picture, number / frames.count, 1 / frames.count))


def _added(first: Upscaled, later: Upscaled) -> Upscaled:
    return replace(
        first,
        plan=first.plan if later.exact else later.plan,
        redone=first.redone + later.redone,
        divided=first.divided + later.divided,
        seconds=first.seconds + later.seconds,
    )
