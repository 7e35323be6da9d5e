"""What people and programs see: results on stdout; a line a file, warnings and a bar on stderr."""

import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TextIO

from tqdm import tqdm

from esrgan_cli.output.streams import put
from esrgan_torch.words import one_line

BAR = "{percentage:3.0f}% |{bar}| {n:.1f} of {total} pictures{postfix}, {elapsed} gone, {remaining} to go"


class Console:
    """Writes lines without tearing the progress bar, from any thread. A stream that fails costs nothing else.

    The bar is drawn on a terminal only; in a log it would be noise.

    Args:
        files: how many files the bar stands for.

    Attributes:
        names_lost: whether a path of a result could not be printed, and not because its reader has gone, as
            in `esrgan upscale ... | head -1`.
    """

    def __init__(self, files: int) -> None:
        self.names_lost = False
        self._stdout, self._stderr = sys.stdout, sys.stderr
        self._lock = threading.RLock()
        self._lost: set[int] = set()
        self._shares: dict[Path, float] = {}
        self._pixels = 0.0  # that are done
        self._bar: tqdm[NoReturn] | None = None
        if files and self._stderr.isatty():
            self._bar = tqdm(total=files, file=self._stderr, bar_format=BAR, leave=False, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    def result(self, path: Path) -> None:
        """A path that was made, on stdout, for programs."""
        name = str(path)
        # a program gets the very name; a terminal would do what it holds
        error = self._write(one_line(name) if self._stdout.isatty() else name, self._stdout)
        if error is not None and not isinstance(error, BrokenPipeError):
            self.names_lost = True
            self.warn(f"stdout cannot be written ({error}): the paths of results are not printed any more")

    def say(self, text: str) -> None:
        """A line on stderr."""
        self._write(one_line(text), self._stderr)

    def warn(self, text: str) -> None:
        """A line on stderr that should not be overlooked."""
        self.say(f"esrgan: warning: {text}")

    def sum_up(self, done: int, skipped: int, failed: int, left: int, seconds: float) -> None:
        """How many files ended how; `left` were not come to, or not known of."""
        self.say(
            f"{done} done, {skipped} skipped, {failed} failed"
            + (f", {left} not finished" if left else "")
            + f" in {seconds:.1f} s"
        )

    def progress(self, file: Path, share: float, pixels: int = 0) -> None:
        """`share` of `file`, 0 to 1, is done, which has so many pixels."""
        with self._lock:
            before = self._shares.get(file, 0.0)
            self._shares[file] = max(share, before)
            more = self._shares[file] - before
            self._pixels += more * pixels
            if self._bar is not None:
                elapsed = self._bar.format_dict["elapsed"]
                if elapsed > 0:
                    self._bar.set_postfix_str(f"{self._pixels / elapsed / 1e6:.3g} MP/s", refresh=False)
                self._bar.update(more)

    def _write(self, text: str, stream: TextIO) -> Exception | None:
        with self._lock:
            if id(stream) in self._lost:
                return None
            if self._bar is not None:
                self._bar.clear()
            error = put(text, stream)
            if self._bar is not None:
                self._bar.refresh()
            if error is not None:
                self._lost.add(id(stream))
            return error
