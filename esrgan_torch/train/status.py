"""What a run says while it goes on: a bar on a terminal, lines everywhere else."""

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn

from tqdm import tqdm

from esrgan_torch.words import one_line


class Status:
    """Writes to stderr. A stderr that is gone, as after a terminal was closed, costs the run nothing.

    Args:
        steps: of the whole run.
        progress: draw a bar; None: on a terminal that says how large it is, and lines elsewhere; False: only
            what cannot be overlooked.
    """

    def __init__(self, steps: int, progress: bool | None = None) -> None:
        self.steps = steps
        self.quiet = progress is False
        self.drawing = _has_place_for_a_bar() if progress is None else progress
        self._bar: tqdm[NoReturn] | None = None
        self._first, self._started = 0, time.perf_counter()

    def begin(self, first: int) -> None:
        """The steps begin; so many are done already."""
        self._first, self._started = first, time.perf_counter()
        if self.drawing:
            self._bar = tqdm(
                total=self.steps,
                initial=first,
                unit="step",
                file=sys.stderr,
                dynamic_ncols=True,
                smoothing=0.05,
            )

    def say(self, text: str) -> None:
        """A line, unless the run is to be quiet."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """A line that should not be overlooked."""
        text = one_line(text)  # names of pictures may hold what moves a cursor
        try:
            if self._bar is not None:
                self._bar.write(text, file=sys.stderr)
            else:
                print(text, file=sys.stderr, flush=True)
        except (OSError, ValueError):
            self._lose()

    def advance(self) -> None:
        """One step is done."""
        if self._bar is not None:
            try:
                self._bar.update()
            except (OSError, ValueError):
                self._lose()

    def tell(self, step: int, numbers: str) -> None:
        """The numbers of the last steps: in the bar, or as a line with step and time left.

        Where the bar's line is too short for them, the line stands above it.
        """
        fits = self._bar is not None and _fits(self._bar, numbers)
        if self._bar is not None:
            self._bar.set_postfix_str(numbers if fits else "", refresh=False)
        if not fits and (self._bar is not None or not self.drawing):
            share = f"step {step:,}/{self.steps:,} ({step / self.steps:.0%})"
            self.say(f"{share}, {self._left(step)} left, {numbers}")

    @contextmanager
    def counting(self, what: str, shown: bool) -> Generator[Callable[[int, int], None]]:
        """Yield a function that is told how many of how many are done: a bar, or every tenth as a line."""

        def count(done: int, total: int) -> None:
            if not shown:
                return
            if not self.drawing:
                if done % max(100, total // 10) == 0:
                    self.say(f"{what}: {done:,} of {total:,}")
            elif self._bar is None:
                self._bar = tqdm(
                    desc=what, total=total, initial=done, leave=False, file=sys.stderr, dynamic_ncols=True
                )
            else:
                self.advance()

        try:
            yield count
        finally:
            self.close()

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            try:
                self._bar.close()
            except (OSError, ValueError):
                self._lose()
            self._bar = None

    def _left(self, step: int) -> str:
        """Hours, minutes and seconds by the mean of this start, validations and checkpoints included."""
        spent = time.perf_counter() - self._started
        return str(timedelta(seconds=round(spent / max(step - self._first, 1) * (self.steps - step))))

    def _lose(self) -> None:
        if self._bar is not None:
            self._bar.disable = True
        self._bar = None
        self.quiet = True


def _has_place_for_a_bar() -> bool:
    """Whether stderr is a terminal, and not one of no columns or rows, on which tqdm draws nothing."""
    if not sys.stderr.isatty():
        return False
    try:
        return all(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError):  # no file, as in a notebook
        return True


def _fits(bar: "tqdm[NoReturn]", numbers: str) -> bool:
    """Whether a bar that is as short as may be leaves room for the numbers."""
    facts: dict[str, Any] = dict(bar.format_dict)
    columns: int | None = facts["ncols"]
    if columns is None:  # as wide as is asked for
        return True
    draw: Callable[..., str] = bar.format_meter
    return len(draw(**facts | {"ncols": None, "postfix": numbers})) <= columns
