"""How far a film is: a bar on a terminal, nothing in a log."""

import sys
import threading
from types import TracebackType
from typing import NoReturn, Self

from tqdm import tqdm

from esrgan_torch.films.run import FilmProgress

BAR = "{percentage:3.0f}% |{bar}| {n:.1f} of {total} frames, {rate_fmt}, {elapsed} gone, {remaining} to go"


class FilmBar:
    """Draws the bar; told from any thread. Use it as a context manager: leaving it removes the bar.

    Args:
        name: of the film, before the bar.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._bar: tqdm[NoReturn] | None = None
        self._drawn = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._drawn = False
            if self._bar is not None:
                self._bar.close()

    def __call__(self, progress: FilmProgress) -> None:
        with self._lock:
            if not self._drawn:
                return
            if self._bar is None:
                self._bar = tqdm(
                    total=progress.frames,
                    initial=progress.kept,
                    desc=self._name,
                    unit=" frames",
                    file=sys.stderr,
                    bar_format="{desc}: " + BAR,
                    leave=False,
                    dynamic_ncols=True,
                )
            self._bar.update(max(progress.done - self._bar.n, 0))
