"""A thread that works ahead, and ends."""

import threading
from collections.abc import Iterator

import pytest

from esrgan_torch.pipeline.ahead import Ahead


def test_results_come_in_order_and_the_end_stays_the_end() -> None:
    with Ahead(iter(range(20)), 2) as ahead:
        assert list(ahead) == list(range(20))
        assert next(ahead, "none") == "none"
        assert next(ahead, "none") == "none"


def test_an_error_comes_where_the_result_would() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("two")

    with Ahead(items(), 4) as ahead:
        assert next(ahead) == 1
        with pytest.raises(ValueError, match="two"):
            next(ahead)


def test_no_more_than_its_depth_waits() -> None:
    made: list[int] = []
    started = threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 2:
                started.set()
            yield number

    with Ahead(items(), 2) as ahead:
        assert started.wait(10)
        next(ahead)
    assert len(made) <= 4


def test_leaving_it_ends_thread_and_generator() -> None:
    closed = threading.Event()
    stop = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    with Ahead(items(), 1, stop) as ahead:
        next(ahead)
    assert closed.is_set()
    assert stop.is_set()
