"""Pictures that come and go by rows: as `upscale` makes them; planned memory; files; what is refused."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from esrgan_benchmarks.core.measure import in_child, peak_memory
from esrgan_torch import Upscaler, by_rows
from esrgan_torch.errors import CancelledError, ConfigError, OutOfMemoryError
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.images.picture import Picture, Samples
from tests.torch.networks import small_compact, small_rrdb, small_span

NETWORKS = {
    "compact": small_compact(),
    "rrdb": small_rrdb(),
    "rrdb x2": small_rrdb(scale=2),
    "rrdb x1": small_rrdb(scale=1),
    "span": small_span(),
}


def picture(height: int, width: int, channels: int = 3, kind: str = "uint8") -> Any:
    values = np.random.default_rng(width).random((height, width, channels), np.float32)
    return values if kind == "float32" else (values * np.iinfo(kind).max).astype(kind)


def bands(whole: Samples, rows: int) -> Iterator[Samples]:
    for top in range(0, len(whole), rows):
        yield whole[top : top + rows]


def enlarged(upscaler: Upscaler, given: Samples, rows: int) -> Samples:
    return np.concatenate(list(upscaler.upscale_rows(bands(given, rows), *given.shape[:2])))


def assert_same(found: Samples, expected: Samples) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if expected.dtype == np.float32:
        assert np.abs(found - expected).max() < 1e-5
    else:
        assert np.abs(found.astype(np.int64) - expected).max() <= (1 if expected.dtype == np.uint8 else 8)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("height", "width", "rows"), [(1, 1, 1), (3, 61, 2), (157, 13, 9), (141, 35, 200)])
def test_it_is_the_picture_of_upscale(name: str, height: int, width: int, rows: int) -> None:
    upscaler = Upscaler(NETWORKS[name], "cpu", "float32")
    given = picture(height, width)
    assert_same(enlarged(upscaler, given, rows), upscaler(given))


@pytest.mark.parametrize("name", ["compact", "rrdb x2"])
def test_it_is_that_by_other_engines_too(name: str) -> None:
    upscaler = Upscaler(NETWORKS[name], "cpu", "float32", engine="eager")
    height, width, rows = 141, 12, 30
    given = picture(height, width)
    assert_same(enlarged(upscaler, given, rows), upscaler(given))


@pytest.mark.parametrize("kind", ["uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_all_kinds_of_pixels(kind: str, channels: int) -> None:
    upscaler = Upscaler(NETWORKS["rrdb"], "cpu", "float32")
    given = picture(30, 20, channels, kind)
    assert_same(enlarged(upscaler, given, 7), upscaler(given))


def test_gray_without_an_axis_for_channels_and_empty_bands() -> None:
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    given = picture(30, 20, 1)
    rows = [given[:0, :, 0], given[:11, :, 0], given[11:, :, 0]]
    assert_same(np.concatenate(list(upscaler.upscale_rows(rows, 30, 20))), upscaler(given))


@pytest.mark.parametrize("until", [0, 1, 25, 30])
def test_one_colour_does_not_go_through_the_network(until: int) -> None:
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    given = picture(30, 20)
    given[:until] = (200, 10, 40)
    assert_same(enlarged(upscaler, given, 5), upscaler(given))


@pytest.mark.parametrize("height", [29, 31])
def test_another_number_of_rows_than_was_said(height: int) -> None:
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    with pytest.raises(ConfigError, match="rows were given"):
        list(upscaler.upscale_rows(bands(picture(30, 20), 7), height, 20))


@pytest.mark.parametrize(
    "band",
    [
        np.zeros((5, 21, 3), np.uint8),
        np.zeros((5, 20, 4), np.uint8),
        np.zeros((5, 20, 3), np.int32),
        np.zeros(5, np.uint8),
        np.zeros((5, 20, 1), np.uint8),
    ],
)
def test_rows_that_do_not_fit_the_others(band: Samples) -> None:
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    with pytest.raises(ConfigError):
        list(upscaler.upscale_rows([picture(5, 20), band], 10, 20))


def test_progress_and_a_wish_to_stop() -> None:
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    shares: list[float] = []
    given = picture(300, 20)
    for _ in upscaler.upscale_rows(bands(given, 10), 300, 20, progress=shares.append):
        pass
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    flag = threading.Event()
    larger = upscaler.upscale_rows(bands(given, 10), 300, 20, cancel=flag)
    next(larger)
    flag.set()
    with pytest.raises(CancelledError):
        list(larger)


def test_what_does_not_go_by_rows_is_said() -> None:
    for upscaler in (
        Upscaler(NETWORKS["compact"], "cpu", tta=True),
        Upscaler(NETWORKS["compact"], "cpu", scale=3),
    ):
        with pytest.raises(ConfigError, match="neither tta nor a scale"):
            upscaler.upscale_rows([picture(5, 5)], 5, 5)
    with pytest.raises(ConfigError, match="at least one pixel"):
        Upscaler(NETWORKS["compact"], "cpu").plan_rows(0, 5)


def test_too_wide_for_the_memory_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_rows, "recent_free_memory", lambda _: 2**20)
    upscaler = Upscaler(NETWORKS["rrdb"], "cpu", "float32")
    with pytest.raises(OutOfMemoryError, match=r"5000 columns by rows needs .* MiB, and 1 MiB are free"):
        upscaler.upscale_rows([picture(5, 5000)], 5, 5000)


@pytest.mark.parametrize(
    "names", [("cat.png", "large.tif"), ("cat.tif", "large.png"), ("cat.jpg", "large.png")]
)
def test_from_file_to_file(tmp_path: Path, names: tuple[str, str]) -> None:
    source, target = (tmp_path / name for name in names)
    write_image(source, Picture(picture(120, 33).astype(np.uint8), density=(300.0, 300.0)))
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    assert upscaler.upscale_file(source, target) == target
    expected = upscaler(read_image(source))
    found = read_image(target)
    assert_same(found.pixels, expected.pixels)
    assert found.density == pytest.approx((300, 300), abs=0.02)


def test_transparency_and_other_formats_are_refused_before_anything_is_computed(tmp_path: Path) -> None:
    upscaler = Upscaler(NETWORKS["compact"], "cpu", "float32")
    source = tmp_path / "cat.png"
    write_image(source, Picture(picture(12, 12, 4).astype(np.uint8)))
    with pytest.raises(ConfigError, match="transparency"):
        upscaler.upscale_file(source, tmp_path / "large.png")
    with pytest.raises(ConfigError, match=r"ends in \.png or \.tif"):
        upscaler.upscale_file(source, tmp_path / "large.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["cat.png"]


def test_a_device_whose_memory_the_trunk_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA, which is not here: what is planned is by the memory that its driver says is free."""
    upscaler = Upscaler(NETWORKS["rrdb"], "cpu", "float32", engine="eager")
    height, width = 400, 16
    given = picture(height, width)
    expected = upscaler(given)
    rows = upscaler._row_engine()
    assert rows is not None
    asked: list[Any] = []

    class Driver:
        @staticmethod
        def mem_get_info(device: Any) -> tuple[int, int]:
            asked.append(device)
            return int(rows.bytes(height, width, 128) / 0.79), 1 << 40

        memory_reserved = memory_allocated = staticmethod(lambda _: 0)
        get_device_name = staticmethod(lambda _: "a GPU")

    monkeypatch.setattr(torch, "get_device_module", lambda _: Driver)
    upscaler.device = torch.device("cuda", 0)
    result = upscaler.upscale(Picture(given))
    assert asked == [upscaler.device]
    assert result.plan.by_rows
    assert result.exact
    assert (result.device, result.dtype) == ("a GPU (cuda:0)", "float32")
    assert_same(result.picture.pixels, expected)
    assert_same(enlarged(upscaler, given, 30), expected)
    assert upscaler.plan(40, width).by_rows is False


def grown_and_planned(engine: str) -> tuple[int, int]:
    model = small_compact(features=32, convolutions=8)
    upscaler = Upscaler(model, "cpu", "float32", engine=engine)
    height, width = 200, 3000
    given = picture(64, width)
    for _ in upscaler.upscale_rows([given[:8, :16]], 8, 16):
        pass
    planned, before = upscaler.plan_rows(height, width), peak_memory()
    rows = (np.ascontiguousarray(given[: min(64, height - top)]) for top in range(0, height, 64))
    for _ in upscaler.upscale_rows(rows, height, width):
        pass
    return peak_memory() - before, planned


@pytest.mark.parametrize("engine", ["auto", "eager"])
def test_memory_is_what_was_planned(engine: str) -> None:
    grown, planned = in_child(grown_and_planned, engine)
    assert grown <= 1.1 * planned
    assert grown >= 0.4 * planned
