"""Signals: a checkpoint, then the end; what was stopped comes to the same result."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from esrgan_torch.errors import ConfigError, StoppedError
from esrgan_torch.train import moves
from esrgan_torch.train.log import read_log
from esrgan_torch.train.loop import train
from esrgan_torch.train.options import Options
from esrgan_torch.train.state import checkpoints_of, latest
from esrgan_torch.train.stopping import Stopper

MakeOptions = Callable[..., Options]


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Also where the tests run in the background, whose processes ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler, "a handler stayed"
    signal.signal(signal.SIGINT, before)


def kill_in(monkeypatch: pytest.MonkeyPatch, call: int, *signals: int) -> None:
    """Send signals to this process while the losses of that step are computed."""
    honest = moves.generator_step
    calls: list[int] = []

    def step(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            for number in signals:
                os.kill(os.getpid(), number)
        return honest(*given)

    monkeypatch.setattr(moves, "generator_step", step)


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_stores_a_checkpoint_and_the_run_goes_on(
    number: int, name: str, make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = make_options("steps=6", "log_every=1", "data.workers=0")
    whole = train(options, tmp_path / "whole")
    with monkeypatch.context() as patch:
        kill_in(patch, 3, number)
        with pytest.raises(
            StoppedError, match=rf"stopped by {name} after 3 of 6 steps, which are stored"
        ) as caught:
            train(options, tmp_path / "run")
    assert caught.value.signal == number
    assert latest(tmp_path / "run")["step"] == 3
    resumed = train(options, tmp_path / "run", resume=True)
    for key, value in resumed.state_dict().items():
        assert torch.equal(value, whole.state_dict()[key])
    assert [line["step"] for line in read_log(tmp_path / "run")] == [1, 2, 3, 4, 5, 6]


def test_a_second_signal_ends_it_at_once(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_in(monkeypatch, 2, signal.SIGINT, signal.SIGINT)
    with pytest.raises(StoppedError, match="stopped by Ctrl-C again, without a checkpoint"):
        train(make_options("steps=6"), tmp_path / "run")
    assert checkpoints_of(tmp_path / "run") == []


def test_what_a_killed_run_logged_after_its_checkpoint_is_logged_once(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = make_options("steps=6", "log_every=1", "checkpoint_every=2")

    class Killed(Exception):
        """As by kill -9, of which nothing hears."""

    def die(*_: Any) -> None:
        raise Killed

    honest = moves.Mover.step

    def step(self: moves.Mover, number: int, *given: Any) -> Any:
        return honest(self, number, *given) if number < 5 else die()

    with monkeypatch.context() as patch:
        patch.setattr(moves.Mover, "step", step)
        with pytest.raises(Killed):
            train(options, tmp_path / "run")
    assert [line["step"] for line in read_log(tmp_path / "run")] == [1, 2, 3, 4, 5]
    train(options, tmp_path / "run", resume=True)
    assert [line["step"] for line in read_log(tmp_path / "run")] == [1, 2, 3, 4, 5, 6]


def test_fewer_steps_than_were_done_are_an_error(make_options: MakeOptions, tmp_path: Path) -> None:
    train(make_options("steps=3"), tmp_path / "run")
    with pytest.raises(ConfigError, match="has done 3 steps, and steps = 2 is fewer; set steps to 3 or more"):
        train(make_options("steps=2"), tmp_path / "run", resume=True)
    train(make_options("steps=3"), tmp_path / "run", resume=True)  # all is done: its result again


def test_ignored_signals_stay_ignored_and_other_threads_change_nothing() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Stopper() as stopper:
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
            stopper.at_once = False
            os.kill(os.getpid(), signal.SIGINT)
            assert stopper.asked == signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)

    def elsewhere() -> None:
        with Stopper():
            seen.append(signal.getsignal(signal.SIGINT))

    seen: list[Any] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_before_the_first_step_a_signal_ends_it_at_once() -> None:
    with pytest.raises(StoppedError, match="before the first step"), Stopper():
        os.kill(os.getpid(), signal.SIGINT)
