"""The ways to call an Upscaler: files, many pictures, closing, processes, and what it says of itself."""

import asyncio
import copy
import gc
import multiprocessing
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_torch import (
    CancelledError,
    ConfigError,
    Frame,
    ImageReadError,
    ImageWriteError,
    Picture,
    Tiling,
    Upscaler,
    read_frames,
    read_image,
    write_frames,
    write_image,
)
from tests.torch.networks import small_compact, small_rrdb
from tests.torch.test_upscaler import photo

MODEL = small_compact()
STEPS = ("esrgan-read", "esrgan-compute", "esrgan-write")  # names of threads
PIXELS = photo(9, 11)


@pytest.fixture
def upscaler() -> Upscaler:
    return Upscaler(MODEL, "cpu", "float32", engine="eager")


def test_a_path_gives_a_path(upscaler: Upscaler, tmp_path: Path) -> None:
    write_image(tmp_path / "cat.jpg", PIXELS)
    result = upscaler(tmp_path / "cat.jpg")
    assert result == tmp_path / "cat-x4.png"
    expected = upscaler(read_image(tmp_path / "cat.jpg"))
    np.testing.assert_array_equal(read_image(result).pixels, expected.pixels)
    assert upscaler(str(tmp_path / "cat.jpg"), str(tmp_path / "b.webp")) == tmp_path / "b.webp"
    assert read_image(tmp_path / "b.webp").height == 36


def test_what_nobody_named_is_not_replaced(upscaler: Upscaler, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", PIXELS)
    write_image(tmp_path / "a-x4.png", PIXELS[:3])
    with pytest.raises(ImageWriteError, match="name it as the output"):
        upscaler(tmp_path / "a.png")
    assert read_image(tmp_path / "a-x4.png").height == 3
    upscaler(tmp_path / "a.png", tmp_path / "a-x4.png")
    assert read_image(tmp_path / "a-x4.png").height == 36


def test_a_missing_picture_is_said(upscaler: Upscaler, tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"none\.png"):
        upscaler(tmp_path / "none.png")
    with pytest.raises(ConfigError, match="write_image"):
        upscaler(PIXELS, "out.png")  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_all_frames_of_a_file(upscaler: Upscaler, tmp_path: Path) -> None:
    frames = [Frame(Picture(photo(6, size)[:, :7]), 0.25) for size in (7, 8, 9)]
    write_frames(tmp_path / "moving.webp", frames, loop=3, lossless=True)
    told: list[float] = []
    upscaler(tmp_path / "moving.webp", tmp_path / "large.png", progress=told.append)
    large = read_frames(tmp_path / "large.png")
    assert (large.count, large.loop, large.timed) == (3, 3, True)
    for frame, given in zip(large, frames, strict=True):
        np.testing.assert_array_equal(frame.picture.pixels[:, :, :3], upscaler(given.picture.pixels))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_map_gives_results_in_order_and_begins_when_asked(upscaler: Upscaler) -> None:
    taken: list[int] = []

    def pictures():
        for number in range(12):
            taken.append(number)
            yield photo(4, 5 + number)

    told: list[float] = []
    results = upscaler.map(pictures(), progress=told.append)
    assert taken == []
    first = next(results)
    assert len(taken) <= 6  # what goes on meanwhile is bounded
    expected = [(16, 4 * (5 + number), 3) for number in range(12)]
    assert [first.shape, *(result.shape for result in results)] == expected
    assert told.count(1.0) >= 12


def test_map_computes_while_a_result_is_used_and_the_next_picture_made(upscaler: Upscaler) -> None:
    together = threading.Barrier(3, timeout=20)

    def pictures():
        for number in range(4):
            if number == 2:
                together.wait()
            yield np.full((5 + number, 5, 3), number, np.uint8)

    class Slow:
        def is_set(self) -> bool:  # asked while the second is computed
            nonlocal meets
            if threading.current_thread().name.startswith("esrgan-compute") and meets.pop(0):
                together.wait()
            return False

    meets = [False] * 2 + [True] + [False] * 100  # twice a picture of one colour
    results = upscaler.map(pictures(), cancel=Slow())
    assert next(results).shape == (20, 20, 3)
    together.wait()
    assert [result.shape[0] for result in results] == [24, 28, 32]


def test_threads_may_share_a_map(upscaler: Upscaler) -> None:
    results = upscaler.map(np.full((3, 3 + number, 3), number, np.uint8) for number in range(40))

    def take() -> list[int]:
        return [result.shape[1] // 4 - 3 for result in results]

    with ThreadPoolExecutor(4) as pool:
        parts = [part.result() for part in [pool.submit(take) for _ in range(4)]]
    assert sorted(number for part in parts for number in part) == list(range(40))
    assert all(part == sorted(part) for part in parts)


def test_a_map_that_is_left_ends_its_threads(upscaler: Upscaler) -> None:
    def threads() -> list[str]:
        return [each.name for each in threading.enumerate() if each.name.startswith(STEPS)]

    results = upscaler.map(PIXELS for _ in range(1000))
    next(results)
    assert threads()
    results.close()
    assert threads() == []
    assert list(results) == []
    for _ in upscaler.map(PIXELS for _ in range(1000)):
        break
    gc.collect()
    assert threads() == []


def test_closing_a_map_ends_a_thread_that_waits_for_it(upscaler: Upscaler) -> None:
    begun, closed = threading.Event(), threading.Event()

    def wait(share: float) -> None:
        if share == 0:
            begun.set()
            assert closed.wait(10)

    results = upscaler.map([PIXELS], progress=wait)
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(list, results)
        assert begun.wait(10)
        closing = pool.submit(results.close)
        while not results._stages.stop.is_set():
            time.sleep(0.01)
        closed.set()
        closing.result(10)
        with pytest.raises(CancelledError):
            waiting.result(10)


@pytest.mark.parametrize("before", [0, 1])
def test_closing_a_map_whose_next_picture_never_comes(upscaler: Upscaler, before: int) -> None:
    begun, release = threading.Event(), threading.Event()
    passed: list[bool] = []

    def pictures():
        yield from [PIXELS] * before
        begun.set()
        release.wait()
        yield PIXELS
        passed.append(True)

    results = upscaler.map(pictures())
    for _ in range(before):
        assert next(results).shape == (36, 44, 3)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, results)
        assert begun.wait(10)
        results.close()
        assert waiting.result(10) == []
    assert list(results) == []
    # it waits as long as the iterable
    [last] = [each for each in threading.enumerate() if each.name.startswith(STEPS)]
    release.set()
    last.join(10)
    assert not passed


def test_a_map_in_asyncio(upscaler: Upscaler) -> None:
    """As docs/library.md has it."""

    async def enlarged(pictures):
        results = upscaler.map(pictures)
        while (larger := await asyncio.to_thread(next, results, None)) is not None:
            yield larger

    async def main() -> list[int]:
        return [larger.shape[1] async for larger in enlarged([photo(4, 5), photo(4, 6)])]

    assert asyncio.run(main()) == [20, 24]


def test_one_bad_picture_does_not_cost_the_others(upscaler: Upscaler, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", PIXELS)
    results = upscaler.map([PIXELS, str(tmp_path / "none.png"), PIXELS.astype(int), str(tmp_path / "a.png")])
    assert next(results).shape == (36, 44, 3)
    for error in (ImageReadError, ConfigError):
        with pytest.raises(error):
            next(results)
    assert next(results) == tmp_path / "a-x4.png"
    assert list(results) == []


def test_a_flag_ends_a_map(upscaler: Upscaler) -> None:
    cancel = threading.Event()
    results = upscaler.map([PIXELS, PIXELS], cancel=cancel)
    next(results)
    cancel.set()
    with pytest.raises(CancelledError):
        next(results)


def test_closing(upscaler: Upscaler) -> None:
    with upscaler as same:
        assert same is upscaler
        same(PIXELS)
    assert "closed" in repr(upscaler)
    for call in (lambda: upscaler(PIXELS), lambda: upscaler.plan(3, 3)):
        with pytest.raises(ConfigError, match="closed; make another"):
            call()
    upscaler.close()
    again = pickle.loads(pickle.dumps(upscaler))
    np.testing.assert_array_equal(again(PIXELS), Upscaler(MODEL, "cpu", "float32", engine="eager")(PIXELS))


def test_closing_gives_memory_back_and_lets_pictures_end(upscaler: Upscaler) -> None:
    expected = upscaler(PIXELS)
    results = upscaler.map([PIXELS], progress=lambda share: upscaler.close() if share else None)
    np.testing.assert_array_equal(next(results), expected)
    assert upscaler._made is None


def test_it_is_pickled_by_what_it_was_made_of() -> None:
    made = Upscaler(small_rrdb(), "cpu", "fp32", Tiling("exact", 32), "resize", 3, "eager", tta=True)
    expected = made(PIXELS)
    for other in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made)):
        assert (other.alpha, other.scale, other.tta, other.dtype) == ("resize", 3, True, torch.float32)
        assert other.tiling == made.tiling
        np.testing.assert_array_equal(other(PIXELS), expected)


def test_a_name_is_pickled_as_a_name(tmp_path: Path) -> None:
    made = Upscaler("esrgan-lite-x4", "cpu", "float32")
    dumped = pickle.dumps(made)
    assert len(dumped) < 1000
    assert "esrgan-lite-x4" in repr(pickle.loads(dumped))


def test_a_spawned_worker(upscaler: Upscaler) -> None:
    expected = upscaler(PIXELS)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(upscaler, (PIXELS,)), expected)


FORK = """
import os, sys
import numpy as np
from esrgan_torch import CompactNet, ForkedError, Upscaler
upscaler = Upscaler(CompactNet(8, 1), "cpu", "float32")
upscaler(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
child = os.fork()
if not child:
    try:
        upscaler(np.zeros((4, 4, 3), np.uint8))
    except ForkedError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
upscaler(np.zeros((4, 4, 3), np.uint8))
print("the parent goes on")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_after_a_fork_it_says_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=60, check=True
    )
    assert 'multiprocessing.get_context("spawn")' in done.stdout
    assert "the parent goes on" in done.stdout


def test_eight_threads_and_every_tiling_give_the_same() -> None:
    pixels = photo(40, 37, 4)
    for model in (MODEL, small_rrdb()):
        expected = Upscaler(model, "cpu", "float32")(pixels)
        shared = Upscaler(model, "cpu", "float32", tiling=16)
        with ThreadPoolExecutor(8) as pool:
            for result in pool.map(shared, [pixels] * 16):
                assert np.abs(result.astype(int) - expected).max() <= 1
                np.testing.assert_array_equal(result, shared(pixels))


def test_short_names_of_options() -> None:
    made = Upscaler(MODEL, "cpu", "bf16", tiling=128)
    assert made.dtype == torch.bfloat16
    assert made.tiling == Tiling("auto", 128)
    with pytest.raises(ConfigError, match="float16 is not supported on the CPU"):
        Upscaler(MODEL, "cpu", "fp16")
    if not torch.accelerator.is_available():
        with pytest.raises(ConfigError, match="no device cuda:0"):
            Upscaler(MODEL, device=0)
    with pytest.raises(ConfigError, match="16 pixels"):
        Upscaler(MODEL, "cpu", tiling=0)


def test_what_it_says_of_itself() -> None:
    made = Upscaler(small_compact(), "cpu", "float32", engine="eager", scale=2)
    assert repr(made).startswith("<Upscaler CompactNet x2, CPU, ")
    assert repr(made).endswith("threads, float32, CompactEngine>")
    assert repr(made.upscale(PIXELS)).startswith(
        "Upscaled(picture=<Picture 22x18 RGB, 8 bits>, plan=<Plan whole"
    )
    assert "scale=4, from scratch" in repr(MODEL)
    assert "scale=2, unshuffle=2" in repr(small_rrdb(scale=2, unshuffle=2))
