"""What a run tells: a progress bar, `log.jsonl`, TensorBoard's events and validation strips."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import write_image
from esrgan_torch.train.options import Options

STRIP_SIDE = 256  # pixels of a picture in a strip


class Journal:
    """Writes into the run's folder; every value is a mean over the steps since the last line.

    Args:
        folder: of the run.
        options: for the steps between two lines, and whether TensorBoard is asked for.
        first: steps done before, when resuming.
        progress: draw a progress bar on stderr; None: only on a terminal.

    Raises:
        ConfigError: TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, options: Options, first: int, progress: bool | None = None) -> None:
        self.folder = folder
        self.every = options.log_every
        self.bar = tqdm(
            total=options.steps,
            initial=first,
            unit="step",
            disable=None if progress is None else not progress,
            dynamic_ncols=True,
        )
        self.events: Any = _tensorboard(folder) if options.tensorboard else None
        self.psnr: float | None = None
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
        self.bar.update()
        if step % self.every == 0:
            seconds = time.perf_counter() - self.started
            means = {name: total / self.steps for name, total in self.sums.items()}
            self._line(
                step,
                {name: float(f"{value:.6g}") for name, value in means.items()}
                | {
                    "rate": float(f"{rate:.4g}"),
                    "steps_a_second": float(f"{self.steps / seconds:.4g}"),
                    "waiting": float(f"{self.waited / seconds:.3g}"),
                },
            )
            self.bar.set_postfix(
                loss=f"{means['loss']:.5f}", psnr="-" if self.psnr is None else f"{self.psnr:.2f}"
            )
            self._begin()

    def validated(self, step: int, psnr: float, strip: NDArray[np.uint8]) -> None:
        """Keep a validation's mean PSNR (dB) and its strip of pictures; its time counts for no step."""
        self.psnr = psnr
        self._line(step, {"psnr": round(psnr, 4)})
        write_image(self.folder / "validation.png", strip)
        if self.events is not None:
            self.events.add_image("validation", strip, step, dataformats="HWC")

    def close(self) -> None:
        """End the bar and the event file."""
        self.bar.close()
        if self.events is not None:
            self.events.close()

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
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": step, **values}) + "\n")
        if self.events is not None:
            for name, value in values.items():
                self.events.add_scalar(name, value, step)


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError(
            'tensorboard = true needs TensorBoard: pip install "esrgan-torch[train]", or set it to false'
        ) from error
    return SummaryWriter(str(folder / "tensorboard"))


def make_strip(pictures: list[NDArray[np.uint8]], side: int = STRIP_SIDE) -> NDArray[np.uint8]:
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
