"""SIGTERM and SIGHUP end a command as Ctrl-C does: what was begun is cleaned up, what is done stays."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

# kill, a service manager, a batch system whose time is over; a terminal that is closed. Windows has no SIGHUP
ENDING = tuple(
    number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


class Ended(KeyboardInterrupt):  # whatever heeds Ctrl-C heeds it
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def heed_endings() -> Generator[None]:
    """Raise `Ended` in this block when a signal asks to end; a second one does not disturb what cleans up.

    A signal that is ignored stays so, as SIGHUP is under nohup, and a program's own handler stays too. Once a
    signal came, the others are passed over until the process ends: that takes a while with PyTorch in it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in ENDING if signal.getsignal(number) == signal.SIG_DFL]

    ended = False

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal ended
        ended = True
        for each in heeded:
            signal.signal(each, signal.SIG_IGN)  # a handler of Python's would be gone before the process is
        raise Ended(number)

    for number in heeded:
        signal.signal(number, end)
    try:
        yield
    finally:
        if not ended:
            for number in heeded:
                signal.signal(number, signal.SIG_DFL)
