"""All frames of an animation or all pages enlarged, one after another."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from esrgan_cli.upscaling.finish import Finish
from esrgan_torch.images.files import Frame, Frames, Picture
from esrgan_torch.images.formats import Format
from esrgan_torch.upscaler import Upscaled, Upscaler


class Enlarging:
    """Enlarges what a file holds: all frames, where the format of the result holds them, else the first.

    Going through it, once, does the work; results are not held.

    Args:
        frames: as read.
        form: the format of the result.
        upscaler: does the work.
        check: called with each picture before it is enlarged, to raise what stands against it.
        progress: called with the share that is done, from 0 to 1.
        finish: what is done to each picture then.

    Attributes:
        first: the first picture, before.
        result: how it went: that of the first picture, with the sums over all of them; after the first.
        note: what of the file is not in the result, "" if nothing.
        count: how many pictures are enlarged.
    """

    result: Upscaled

    def __init__(
        self,
        frames: Frames,
        form: Format,
        upscaler: Upscaler,
        check: Callable[[Picture], None],
        progress: Callable[[float], None],
        finish: Finish,
    ) -> None:
        whole = form.holds(frames)
        self.first = frames.first()
        self.count = frames.count if whole else 1
        self.note = _note(frames, self.first, form, whole)
        self._frames = frames if self.count > 1 else [Frame(self.first)]
        self._upscaler, self._check, self._progress, self._finish = upscaler, check, progress, finish

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(self._frames):
            self._check(frame.picture)

            def progress(share: float, number: int = number) -> None:
                self._progress((number + share) / self.count)

            result = self._upscaler.upscale(frame.picture, progress)
            result = replace(result, picture=self._finish(result.picture, frame.picture))
            self.result = result if number == 0 else _joined(self.result, result)
            yield Frame(result.picture, frame.seconds)


def _joined(total: Upscaled, result: Upscaled) -> Upscaled:
    """The first result with what came about in another added."""
    return replace(
        total,
        plan=total.plan if not total.plan.exact else result.plan,
        redone=total.redone + result.redone,
        divided=total.divided + result.divided,
        seconds=total.seconds + result.seconds,
    )


def _note(frames: Frames, first: Picture, form: Format, whole: bool) -> str:
    if not whole:
        kind, formats = ("frame", "png, webp, avif or gif") if frames.timed else ("page", "tiff")
        return (
            f"the first {kind} of {frames.count} was taken, since {form.name} holds one picture; give "
            f"--format {formats} for all"
        )
    if frames.count == 1 and first.frames > 1:
        return f"the main picture of {first.frames} in the file was taken"
    if frames.count > 1 and frames.timed and form.frames == "pages":
        return f"{frames.count} frames became pages, and {form.name} does not say how long each is shown"
    return ""
