"""SIGTERM and SIGHUP end a command as Ctrl-C does."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli import main as module
from esrgan_cli.main import main
from esrgan_cli.signals import ENDING, Ended, heed_endings

START = """
import sys, time
import esrgan_cli.commands.demo as demo
from esrgan_cli.main import main
from esrgan_torch.storage.leftovers import temporary_folder
def run(arguments):
    with temporary_folder("work") as folder:
        print(folder, flush=True)
        try:
            time.sleep(60)
        finally:
            time.sleep(0.2)  # something that takes a while to clean up
demo.run = run
sys.exit(main(["demo"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes otherwise")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_command_cleans_up(name: str, start_command: Callable[..., subprocess.Popen[str]]) -> None:
    process = start_command(START)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert folder.is_dir()
    process.send_signal(getattr(signal, name))
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)  # an impatient batch system
    _, said = process.communicate(timeout=20)
    assert process.returncode == 128 + getattr(signal, name)
    assert said == f"esrgan: stopped by {name}\n"
    assert not folder.exists()


def test_it_is_what_ctrl_c_is() -> None:
    def work() -> None:
        with heed_endings():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        work()
    os.kill(os.getpid(), signal.SIGTERM)  # does nothing any more: this process is ending
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


def test_afterwards_all_is_as_before() -> None:
    with heed_endings():
        assert all(signal.getsignal(number) != signal.SIG_DFL for number in ENDING)
    assert all(signal.getsignal(number) == signal.SIG_DFL for number in ENDING)


def test_what_is_ignored_stays_ignored() -> None:
    """As SIGHUP is under nohup."""
    before = signal.signal(ENDING[-1], signal.SIG_IGN)
    try:
        with heed_endings():
            assert signal.getsignal(ENDING[-1]) == signal.SIG_IGN
            os.kill(os.getpid(), ENDING[-1])
        assert signal.getsignal(ENDING[-1]) == signal.SIG_IGN
    finally:
        signal.signal(ENDING[-1], before)


def test_another_thread_s_command_leaves_signals_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with heed_endings():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_the_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: object) -> int:
        raise Ended(signal.SIGTERM)

    monkeypatch.setattr("esrgan_cli.commands.doctor.run", run)
    assert main(["doctor"]) == module.ENDED + signal.SIGTERM
    assert capsys.readouterr().err == "esrgan: stopped by SIGTERM\n"
