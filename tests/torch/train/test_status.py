import io
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
