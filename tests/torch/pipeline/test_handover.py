import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from esrgan_torch.pipeline.handover import Handover


def test_all_things_arrive_in_order() -> None:
    handover = Handover[int]()
    with ThreadPoolExecutor(1) as giver:
        giver.submit(handover.fill, lambda: range(100))
        assert list(handover.taken()) == list(range(100))


def test_an_error_comes_after_what_was_given_before_it() -> None:
    def things() -> Iterator[int]:
        yield 1
        raise ValueError("the second is damaged")

    handover = Handover[int]()
    handover.fill(things)  # the first is laid down without a taker
    taken = handover.taken()
    assert next(taken) == 1
    with pytest.raises(ValueError, match="the second is damaged"):
        next(taken)


def test_what_cannot_even_begin_is_an_error_of_the_taker_s() -> None:
    def things() -> Iterator[int]:
        raise OSError("no such file")

    handover = Handover[int]()
    handover.fill(things)
    with pytest.raises(OSError, match="no such file"):
        next(handover.taken())


def test_the_giver_is_one_thing_ahead_and_no_more() -> None:
    made: list[int] = []
    ahead = threading.Semaphore(0)

    def things() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            ahead.release()
            yield number

    handover = Handover[int]()
    with ThreadPoolExecutor(1) as giver:
        giver.submit(handover.fill, things)
        for number in handover.taken():
            for _ in range(2 if number == 0 else number < 4):
                assert ahead.acquire(timeout=10)
            assert made == list(range(min(number + 2, 5)))


def test_a_giver_ends_when_nobody_takes() -> None:
    closed = threading.Event()

    def things() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    handover = Handover[int]()
    with ThreadPoolExecutor(1) as giver:
        filled = giver.submit(handover.fill, things)
        assert next(handover.taken()) == 1
        handover.hang_up()
        filled.result(timeout=10)
    assert closed.is_set()
