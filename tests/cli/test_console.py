import io
import logging
import sys
from pathlib import Path

import pytest

from esrgan_cli.console import Console, library_warnings


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
        console.progress(Path("a"), 1.0)
        console.progress(Path("b"), 0.5)
        console.progress(Path("b"), 0.25)  # alpha's turn may begin lower; the bar does not go back
        console.say("a line")
    text = terminal.getvalue()
    assert "1.5 of 4 files" in text
    assert "\ra line\n" in text  # the bar made room for it


def test_warnings_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("esrgan_torch")
    before = list(logger.handlers)
    with Console(0) as console, library_warnings(console):
        logger.warning("out of memory at %d pixels: divided", 512)
        logger.info("not shown")
    assert capsys.readouterr().err == "esrgan: warning: out of memory at 512 pixels: divided\n"
    assert logger.handlers == before
