import io
import re
import sys
from collections.abc import Callable

import pytest

from esrgan_torch.train.status import Status


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(Terminal):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[..., io.StringIO]:
    def put(stream: io.StringIO) -> io.StringIO:
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return put


def test_a_line_outside_a_terminal(on: Callable[..., io.StringIO]) -> None:
    log = on(io.StringIO())
    status = Status(2000)
    status.begin(500)
    status.advance()
    status.tell(1000, "loss 0.1")
    status.warn("left out: a\x1b[2Jb.png")
    status.close()
    first, second = log.getvalue().splitlines()
    assert first.startswith("step 1,000/2,000 (50%), 0:00:0")
    assert first.endswith(" left, loss 0.1")
    assert second == r"left out: a\x1b[2Jb.png"


def test_a_bar_on_a_terminal_with_the_same_numbers(on: Callable[..., io.StringIO]) -> None:
    terminal = on(Terminal())
    status = Status(4)
    with status.counting("decoded", shown=True) as count:
        status.warn("left out: one")
        for done in range(1, 4):
            count(done, 3)
    status.begin(1)
    status.tell(2, "loss 0.1")
    for _ in range(3):
        status.advance()
    status.say("validation")
    status.close()
    drawn = terminal.getvalue()
    assert "left out: one\n" in drawn
    assert "decoded" in drawn
    assert "\rvalidation" in drawn or "\nvalidation" in drawn
    assert "4/4" in drawn
    assert "loss 0.1" in drawn
    assert "step 2/4" not in drawn


@pytest.mark.parametrize("progress", [None, True])
def test_a_terminal_that_is_gone_costs_nothing(on: Callable[..., io.StringIO], progress: bool | None) -> None:
    status = Status(4, progress)
    on(Gone())
    status.warn("one")
    status.advance()
    status.tell(1, "loss 0.1")
    status.close()


def test_a_terminal_that_goes_while_the_bar_is_drawn(on: Callable[..., io.StringIO]) -> None:
    terminal = Terminal()
    on(terminal)
    status = Status(10**6)
    status.begin(0)
    terminal.close()
    for _ in range(100):
        status.advance()
        status.warn("one")
    status.close()


def test_quiet(on: Callable[..., io.StringIO]) -> None:
    log = on(io.StringIO())
    status = Status(4, progress=False)
    status.begin(0)
    status.say("one")
    status.tell(1, "two")
    status.warn("three")
    status.close()
    assert log.getvalue() == "three\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of POSIX")
@pytest.mark.parametrize(("rows", "columns", "drawing"), [(0, 0, False), (24, 80, True)])
def test_a_terminal_without_a_size_gets_lines(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int, drawing: bool
) -> None:
    import fcntl
    import os
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with os.fdopen(slave, "w") as terminal, os.fdopen(master, "rb", buffering=0) as drawn:
        monkeypatch.setattr(sys, "stderr", terminal)
        status = Status(4)
        status.begin(0)
        status.tell(2, "loss 0.1")
        status.close()
        shown = drawn.read(10_000).decode()
    assert status.drawing is drawing
    assert ("step 2/4" in shown) is not drawing


def test_numbers_that_do_not_fit_beside_the_bar_stand_above_it(
    on: Callable[..., io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = on(Terminal())
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda *_: (80, 24))
    status = Status(2000)
    status.begin(0)
    numbers = "rate 1.59e-03, loss 0.07046, pixel 0.07046, perceptual 0.7, waiting 4%, 1.04 MP/s"
    status.tell(1000, numbers)
    status.close()
    [line] = [
        line for line in re.split(r"[\r\n]", terminal.getvalue()) if line.startswith("step 1,000/2,000")
    ]
    assert line.endswith(f" left, {numbers}")
