import io
import re
import sys
from pathlib import Path

import pytest

from esrgan_cli.output.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_no_bar_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(2) as console:
        console.progress(Path("a"), 0.5)
        console.result(Path("out/a.png"))
        console.say("a line")
        console.warn("look")
    captured = capsys.readouterr()
    assert captured.out == f"{Path('out/a.png')}\n"
    assert captured.err == "a line\nesrgan: warning: look\n"


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Console(4) as console:
        console.progress(Path("a"), 1.0, 1000)
        console.progress(Path("b"), 0.5, 1000)
        console.progress(Path("b"), 0.25)  # alpha's turn may begin lower; the bar does not go back
        console.say("a line")
    text = terminal.getvalue()
    assert "1.5 of 4 pictures" in text
    assert re.search(r"pictures, [\d.e+-]+ MP/s, ", text)
    assert "\ra line\n" in text  # the bar made room for it


def test_a_line_about_an_odd_name_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(0) as console:
        console.say("a\nb\x1b[2J.png is missing")
    assert capsys.readouterr().err == "a\\nb\\x1b[2J.png is missing\n"


def test_a_name_on_a_terminal_moves_nothing_and_a_program_gets_it_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a\nb\x1b[2J\u202egnp.png"
    with Console(0) as console:
        console.result(Path(name))
    assert capsys.readouterr().out == f"{name}\n"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with Console(0) as console:
        console.result(Path(name))
    assert terminal.getvalue() == "a\\nb\\x1b[2J\\u202egnp.png\n"


class Broken(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "lost"), [(BrokenPipeError(32, "Broken pipe"), False), (OSError(28, "No space left"), True)]
)
def test_a_stdout_that_fails_is_said_once_and_costs_nothing(
    error: OSError, lost: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(error))
    with Console(0) as console:
        console.result(Path("a.png"))
        console.result(Path("b.png"))
        console.say("goes on")
    assert console.names_lost == lost
    text = capsys.readouterr().err
    assert text.endswith("goes on\n")
    assert text.count("stdout cannot be written") == lost


def test_a_stderr_that_fails_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(BrokenPipeError(32, "Broken pipe")))
    with Console(0) as console:
        console.say("nobody hears it")
        console.result(Path("a.png"))
    assert capsys.readouterr().out == "a.png\n"
