"""Ctrl-C at the one place where it would leave a lock behind."""

import threading
from collections.abc import Callable, Iterator

import pytest

from esrgan_torch.pipeline.ahead import Ahead
from esrgan_torch.pipeline.changes import Changes
from esrgan_torch.pipeline.stages import Piece, Stages

NUMBERS = range(1000)


class Number(Piece[int, int, int]):
    def read(self) -> Iterator[int]:
        yield 1

    def compute(self, given: Iterator[int], lane: int) -> Iterator[int]:
        return given

    def write(self, made: Iterator[int]) -> int:
        return sum(made)


def take_all_ahead() -> None:
    with Ahead(iter(NUMBERS), 2) as ahead:
        assert list(ahead) == list(NUMBERS)


def take_all_of_stages() -> None:
    assert len(list(Stages(100).run(Number() for _ in NUMBERS))) == len(NUMBERS)


@pytest.mark.parametrize("take_all", [take_all_ahead, take_all_of_stages])
@pytest.mark.parametrize("time", [2, 3, 50])
def test_ctrl_c_between_the_lock_and_its_block(
    take_all: Callable[[], None], time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted: list[BaseException] = []
    enter = Changes.__enter__
    taken = 0

    def interrupting(changes: Changes) -> bool:
        nonlocal taken
        result = enter(changes)
        if threading.current_thread() is waiting:  # it stands for the main thread, which could hang here
            taken += 1
            if taken == time:
                raise KeyboardInterrupt
        return result

    def wait() -> None:
        try:
            take_all()
        except KeyboardInterrupt as error:
            interrupted.append(error)

    monkeypatch.setattr(Changes, "__enter__", interrupting)
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(60)
    assert not waiting.is_alive()
    assert interrupted


def test_letting_go_of_what_is_not_held_does_nothing() -> None:
    changes = Changes()
    changes.let_go()
    with changes, changes:
        changes.notify_all()
    changes.let_go()
    assert changes.acquire(blocking=False)
