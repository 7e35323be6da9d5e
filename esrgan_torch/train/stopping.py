"""Ctrl-C, and the signals by which a machine, a scheduler or a closed terminal ask a run to stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from esrgan_torch.errors import StoppedError

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopper:
    """While it is entered, a signal to stop is kept until the run asks for it; a second one counts at once.

    Before the first step there is nothing to store, so a signal raises there. Signals that the process was
    told to ignore, as by `nohup`, stay ignored, and outside the main thread, where Python has no signals,
    nothing is changed.

    Attributes:
        asked: the signal that came, or None.
        at_once: whether a signal raises; set to False when steps begin.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.at_once = True
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before.clear()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.at_once or self.asked is not None:
            self.asked = number
            raise StoppedError(
                f"stopped by {name_of(number)}"
                + (" before the first step" if self.at_once else " again, without a checkpoint"),
                number,
            )
        self.asked = number


def name_of(number: int) -> str:
    """Such as "Ctrl-C" and "SIGTERM"."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


def ignore_signals(_: int = 0) -> None:
    """For worker processes: a signal to the whole group is the run's to answer, which ends them itself."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
