"""What a run tells of its steps and validations: to the log, the terminal and trackers."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ImageWriteError
from esrgan_torch.images.files import write_image
from esrgan_torch.train.log import append
from esrgan_torch.train.options import Options
from esrgan_torch.train.status import Status
from esrgan_torch.train.trackers import Tracker
from esrgan_torch.train.validation import Validation

STRIP_SIDE = 256  # pixels of a picture in a strip
_MOST_PICTURES = 8  # in a strip


class Journal:
    """Writes into the run's folder; every value is a mean over the steps since the last line.

    Args:
        folder: of the run.
        options: for the steps between two lines.
        status: where people look.
        trackers: programs that draw curves.
    """

    def __init__(self, folder: Path, options: Options, status: Status, trackers: Sequence[Tracker]) -> None:
        self.folder = folder
        self.every = options.log_every
        self.batch = options.data.batch
        self.megapixels = options.data.batch * options.data.patch**2 / 1e6
        self.status = status
        self.trackers = list(trackers)  # those that have not failed
        self._writable = True
        self._begin()

    def note(self, step: int, values: dict[str, float], rate: float, waited: float) -> None:
        """Take in one step; a line is written after every `log_every`.

        Args:
            step: steps done, this one included.
            values: losses.
            rate: learning rate.
            waited: seconds for which the step waited for its batch.
        """
        self.steps += 1
        self.waited += waited
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.status.advance()
        if step % self.every == 0:
            seconds = time.perf_counter() - self.started
            speed = self.steps / seconds
            losses = {name: float(f"{total / self.steps:.6g}") for name, total in self.sums.items()}
            waiting = float(f"{self.waited / seconds:.3g}")
            self._line(
                step,
                losses
                | {
                    "rate": float(f"{rate:.4g}"),
                    "steps_a_second": float(f"{speed:.4g}"),
                    "waiting": waiting,
                    "crops": step * self.batch,
                    "megapixels_a_second": float(f"{speed * self.megapixels:.4g}"),
                },
            )
            told = ", ".join(f"{name} {value:.4g}" for name, value in losses.items())
            figures = f"waiting {waiting:.0%}, {speed * self.megapixels:.3g} MP/s"
            if not self.status.drawing:  # the bar has it
                figures += f", {speed:.3g} steps/s, {step * self.batch:,} crops"
            self.status.tell(step, f"rate {rate:.2e}, {told}, {figures}")
            self._begin()

    def validated(self, step: int, results: Sequence[Validation]) -> None:
        """Keep what the validation of every set came to, and strips of its pictures.

        The first set's numbers are "psnr", "ssim" and "psnr_rgb"; others have the set's name behind, as
        "psnr/Set14" has.
        """
        numbers: dict[str, float] = {}
        strips: dict[str, NDArray[np.uint8]] = {}
        for place, result in enumerate(results):
            name = f"/{result.name}" if place else ""
            for failure in result.failures:
                self.status.warn(f"validation leaves out: {failure.cause}")
            if not result.pictures:
                self.status.warn(f"validation of {result.name}: no picture could be measured")
                continue
            numbers |= {
                f"psnr{name}": round(result.psnr, 4),
                f"ssim{name}": round(result.ssim, 6),
                f"psnr_rgb{name}": round(result.psnr_rgb, 4),
            }
            strips[f"validation{name}"] = make_strip(result.pictures[:_MOST_PICTURES])
        if not numbers:
            return
        self._line(step, numbers)
        told = ", ".join(
            f"{result.name} {result.psnr:.2f} dB, {result.ssim:.4f}" for result in results if result.pictures
        )
        self.status.say(f"validation after step {step:,}: {told}")
        for name, strip in strips.items():
            path = self.folder / f"{name.replace('/', '-')}.png"
            try:
                write_image(path, strip)
            except ImageWriteError as error:
                self.status.warn(str(error))
        self._tell_trackers(lambda tracker: tracker.pictures(step, strips))

    def pause(self) -> float:
        """Now; give it to `go_on` after something that is no part of the steps."""
        return time.perf_counter()

    def go_on(self, since: float) -> None:
        """Leave the time since out of the steps' time."""
        self.started += time.perf_counter() - since

    def _begin(self) -> None:
        self.started = time.perf_counter()
        self.steps = 0
        self.waited = 0.0
        self.sums: dict[str, float] = {}

    def _line(self, step: int, values: dict[str, float]) -> None:
        try:
            append(self.folder, {"step": step, **values})
        except OSError as error:  # a disk that is full for a while must not end a run of days
            if self._writable:
                self.status.warn(f"the log cannot be written: {error.strerror or error}; the run continues")
            self._writable = False
        self._tell_trackers(lambda tracker: tracker.scalars(step, values))

    def _tell_trackers(self, tell: Callable[[Tracker], object]) -> None:
        """A tracker that fails, whatever it raises, costs its own curves and not the run."""
        for tracker in tuple(self.trackers):
            try:
                tell(tracker)
            except Exception as error:
                self.trackers.remove(tracker)
                name = type(tracker).__name__
                self.status.warn(f"{name} gets no further values: {error}; the run continues")


def make_strip(pictures: Sequence[NDArray[np.uint8]], side: int = STRIP_SIDE) -> NDArray[np.uint8]:
    """The middles of pictures side by side; (side, side * len(pictures), 3).

    Args:
        pictures: at least one, (H, W, 3); smaller ones are set on black.
        side: in pixels.
    """
    strip = np.zeros((side, side * len(pictures), 3), np.uint8)
    for place, picture in enumerate(pictures):
        height, width = (min(side, length) for length in picture.shape[:2])
        top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
        strip[:height, place * side : place * side + width] = picture[top : top + height, left : left + width]
    return strip
