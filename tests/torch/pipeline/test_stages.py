import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from esrgan_torch.errors import CancelledError
from esrgan_torch.pipeline.stages import Piece, Stages, begun

STEPS = ("esrgan-read", "esrgan-compute", "esrgan-write")  # names of threads
Meet = Callable[[str, int], None]


class Number(Piece[int, int, list[int]]):
    """Parts are numbers, which are doubled; each step calls `meet` with its name."""

    def __init__(self, number: int, meet: Meet = lambda step, number: None) -> None:
        self.number, self.meet = number, meet

    def read(self) -> Iterator[int]:
        self.meet("read", self.number)
        self.weight = 10
        yield self.number
        if self.number == 7:  # of several parts
            yield from range(20)

    def compute(self, given: Iterator[int], lane: int) -> Iterator[int]:
        for number in given:
            self.meet("compute", self.number)
            yield 2 * number

    def write(self, made: Iterator[int]) -> list[int]:
        made = begun(made)
        self.meet("write", self.number)
        return list(made)


def numbers(count: int, meet: Meet = lambda step, number: None) -> Iterator[Number]:
    return (Number(number, meet) for number in range(count))


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(("lanes", "writers"), [(1, 1), (3, 2)])
def test_every_piece_comes_through_once(lanes: int, writers: int, in_order: bool) -> None:
    expected = [[2 * number] for number in range(50)]
    expected[7] += [2 * number for number in range(20)]
    results = [made.result() for made in Stages(100, lanes, writers, in_order=in_order).run(numbers(50))]
    assert (results if in_order else sorted(results)) == expected


def test_the_three_steps_run_beside_one_another() -> None:
    together = threading.Barrier(3, timeout=10)
    meeting = {("write", 1), ("compute", 2), ("read", 3)}

    def meet(step: str, number: int) -> None:
        if (step, number) in meeting:
            together.wait()  # would time out if one of the three came after another

    results = [made.result() for made in Stages(100, in_order=True).run(numbers(5, meet))]
    assert results == [[0], [2], [4], [6], [8]]


def test_bytes_in_flight_are_bounded() -> None:
    under_way: set[int] = set()
    most: list[int] = []

    def meet(step: str, number: int) -> None:
        if step == "read":
            under_way.add(number)
            most.append(len(under_way))
        elif step == "write":
            time.sleep(0.002)
            under_way.remove(number)

    list(Stages(limit=9, in_order=True).run(numbers(8, meet)))
    assert max(most) == 1  # each weighs 10
    most.clear()
    list(Stages(limit=19, in_order=True).run(numbers(8, meet)))
    assert max(most) == 2


def test_their_number_is_bounded_too_and_results_that_wait_count() -> None:
    read: list[int] = []

    def meet(step: str, number: int) -> None:
        if step == "read":
            read.append(number)

    results = Stages(limit=1000, in_order=True).run(numbers(50, meet))
    assert next(results).result() == [0]
    time.sleep(0.05)
    assert len(read) <= 5
    results.close()


def test_errors_cost_one_piece_each() -> None:
    def meet(step: str, number: int) -> None:
        if (step, number) in (("read", 1), ("compute", 3), ("write", 5)):
            raise ValueError(f"{step} {number}")

    errors = [made.exception() for made in Stages(100, in_order=True).run(numbers(7, meet))]
    told = [None, "read 1", None, "compute 3", None, "write 5", None]
    assert [error and str(error) for error in errors] == told


def test_what_gives_the_pieces_may_fail_and_those_before_come_first() -> None:
    def pieces() -> Iterator[Number]:
        yield from numbers(3)
        raise OSError("no more to be had")

    results = Stages(100, in_order=True).run(pieces())
    assert [next(results).result() for _ in range(3)] == [[0], [2], [4]]
    with pytest.raises(OSError, match="no more to be had"):
        next(results)
    assert list(Stages(100, in_order=True).run(iter(()))) == []


def test_leaving_early_ends_every_thread_and_what_was_computed_is_written() -> None:
    computed = threading.Event()
    written: list[int] = []
    stages = Stages(1000)

    def meet(step: str, number: int) -> None:
        if step == "compute" and number == 1:
            computed.set()
        if step == "write":
            if number == 1:
                stages.stop.wait(10)
            written.append(number)

    results = stages.run(numbers(50, meet))
    assert next(results).result() == [0]
    assert computed.wait(10)
    results.close()
    assert written[:2] == [0, 1]
    assert len(written) < 6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(STEPS)]


def test_pieces_that_were_not_begun_are_told_so() -> None:
    stages = Stages(1000, in_order=True)
    read = threading.Event()
    ended: list[str] = []

    class Told(Number):
        def write(self, made: Iterator[int]) -> list[int]:
            try:
                return list(made)
            except CancelledError as error:
                ended.append(str(error))
                raise

    def meet(step: str, number: int) -> None:
        if step == "compute" and number == 1:
            stages.stop.wait(10)
        if step == "read" and number == 2:
            read.set()

    results = stages.run(Told(number, meet) for number in range(9))
    next(results)
    assert read.wait(10)
    results.close()
    assert ended
    assert set(ended) == {"stopped before it started"}


@pytest.mark.parametrize(("slow", "most"), [("read", "reading"), ("compute", "busy"), ("write", "writing")])
def test_times_add_up_and_say_what_was_waited_for(slow: str, most: str) -> None:
    def meet(step: str, number: int) -> None:
        time.sleep(0.03 if step == slow else 0)

    stages = Stages(1000)
    began = time.perf_counter()
    list(stages.run(numbers(7, meet)))
    seconds = vars(stages.times)
    assert 0.2 < sum(seconds.values()) <= time.perf_counter() - began
    assert max(seconds, key=lambda name: seconds[name]) == most


def test_a_piece_that_was_given_is_not_held() -> None:
    """Results are large: none is kept while the next one is waited for."""
    alive: weakref.WeakSet[Number] = weakref.WeakSet()
    most: list[int] = []

    def pieces() -> Iterator[Number]:
        for number in range(12):
            piece = Number(number, lambda step, number: time.sleep(0.002))
            alive.add(piece)
            yield piece
            del piece

    for made in Stages(15, in_order=True).run(pieces()):
        made.result()
        del made
        most.append(len(alive))
    assert max(most) <= 3
    gc.collect()
    assert not alive
