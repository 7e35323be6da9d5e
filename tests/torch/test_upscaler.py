"""Upscaler: every kind of picture, and the same picture however it is cut."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from esrgan_torch import Picture, Tiling, Upscaler
from esrgan_torch import upscaler as upscale
from esrgan_torch.engines.choose import Precision
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.turns import turned, turned_back
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling import plan
from esrgan_torch.upscaler import AlphaMode
from tests.support.rounding import assert_equal_to_rounding
from tests.torch.networks import small_compact, small_rrdb

RRDB = small_rrdb()
COMPACT = small_compact()


def photo(height: int, width: int, channels: int = 3, dtype: type = np.uint8) -> NDArray:
    rng = np.random.default_rng(height * 1000 + width)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def untiled(model: Generator, pixels: NDArray) -> NDArray:
    """What the bare network gives, rounded."""
    batch = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max).permute(2, 0, 1)[None]
    with torch.inference_mode():
        values = model(batch)[0].permute(1, 2, 0).clamp(0, 1).numpy()
    return np.rint(values * np.iinfo(pixels.dtype).max).astype(pixels.dtype)


@pytest.mark.parametrize("model", [RRDB, COMPACT], ids=["rrdb", "compact"])
@pytest.mark.parametrize("size", [(1, 2), (1, 40), (33, 17), (50, 64)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_result_is_the_networks(model: Generator, size: tuple[int, int], dtype: type) -> None:
    pixels = photo(*size, dtype=dtype)
    result = Upscaler(model, "cpu", "float32")(pixels)
    expected = untiled(model, pixels)
    assert result.dtype == dtype
    assert result.shape == expected.shape
    # a value in the middle between two levels may be rounded either way
    assert np.abs(result.astype(int) - expected.astype(int)).max() <= 1
    assert (result != expected).mean() < (0.001 if dtype is np.uint8 else 0.1)


@pytest.mark.parametrize(
    "sizes", [{}, {"scale": 2, "unshuffle": 2}, {"scale": 1, "unshuffle": 4}, {"scale": 2}]
)
@pytest.mark.parametrize("size", [(70, 41), (33, 90)])
def test_exact_tiling_gives_the_untiled_picture(sizes: dict[str, int], size: tuple[int, int]) -> None:
    model = small_rrdb(**sizes)
    pixels = photo(*size)
    whole = Upscaler(model, "cpu", "float32", "off")(pixels)
    for tiling in ("exact", Tiling("exact", 16), Tiling("auto", 32)):
        assert_equal_to_rounding(Upscaler(model, "cpu", "float32", tiling)(pixels), whole)


@pytest.mark.parametrize("model", [RRDB, COMPACT, small_rrdb(scale=2, unshuffle=2)])
def test_tiles_that_reach_as_far_as_the_network_are_exact(model: Generator) -> None:
    pixels = photo(61, 75)
    whole = Upscaler(model, "cpu", "float32", "off")(pixels)
    upscaler = Upscaler(model, "cpu", "float32", Tiling("overlap", 24, model.receptive_field))
    result = upscaler.upscale(Picture(pixels))
    assert result.exact
    assert len(result.plan.windows) > 4
    assert_equal_to_rounding(result.picture.pixels, whole)


def test_more_overlap_is_nearer_and_cross_fading_leaves_no_gap() -> None:
    pixels = photo(90, 70)
    whole = Upscaler(RRDB, "cpu", "float32", "off")(pixels).astype(int)
    errors = []
    for overlap in (0, 4, 12):
        result = Upscaler(RRDB, "cpu", "float32", Tiling("overlap", 24, overlap)).upscale(Picture(pixels))
        assert not result.exact
        errors.append(np.abs(result.picture.pixels.astype(int) - whole).mean())
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("model", [RRDB, COMPACT], ids=["rrdb", "compact"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_gray_stays_gray_and_alpha_stays(model: Generator, channels: int) -> None:
    result = Upscaler(model, "cpu")(photo(9, 7, channels))
    assert result.shape == (36, 28, channels)


def test_gray_is_the_luma_of_the_networks_colours() -> None:
    gray = photo(8, 8, 1)
    colour = untiled(RRDB, np.repeat(gray, 3, axis=2)).astype(float)
    expected = colour @ np.array([0.299, 0.587, 0.114])
    result = Upscaler(RRDB, "cpu", "float32")(gray)[:, :, 0].astype(float)
    assert np.abs(result - expected).max() <= 1.01


def test_a_network_for_gray_takes_colours_one_by_one() -> None:
    model = small_rrdb(in_channels=1, out_channels=1)
    upscaler = Upscaler(model, "cpu", "float32")
    pixels = photo(6, 5, 3)
    result = upscaler(pixels)
    for channel in range(3):
        np.testing.assert_array_equal(
            result[:, :, channel : channel + 1], upscaler(pixels[:, :, channel : channel + 1])
        )


def test_alpha_by_the_network_by_resizing_or_not_at_all() -> None:
    pixels = photo(10, 12, 4)
    by_model = Upscaler(RRDB, "cpu", "float32", alpha="model")(pixels)
    resized = Upscaler(RRDB, "cpu", "float32", alpha="resize")(pixels)
    dropped = Upscaler(RRDB, "cpu", "float32", alpha="drop")(pixels)
    assert by_model.shape == resized.shape == (40, 48, 4)
    assert dropped.shape == (40, 48, 3)
    np.testing.assert_array_equal(by_model[:, :, :3], resized[:, :, :3])
    assert (by_model[:, :, 3] != resized[:, :, 3]).any()


def test_opaque_stays_opaque_and_colour_is_that_of_the_opaque_picture() -> None:
    pixels = photo(10, 12, 4)
    pixels[:, :, 3] = 255
    result = Upscaler(RRDB, "cpu", "float32")(pixels)
    assert (result[:, :, 3] == 255).all()
    np.testing.assert_array_equal(result[:, :, :3], Upscaler(RRDB, "cpu", "float32")(pixels[:, :, :3].copy()))


def test_colour_hidden_under_full_transparency_does_not_matter() -> None:
    pixels = photo(16, 16, 4)
    pixels[:, :8, 3] = 0
    other = pixels.copy()
    other[:, :8, :3] = 0
    upscaler = Upscaler(RRDB, "cpu", "float32")
    np.testing.assert_array_equal(upscaler(pixels), upscaler(other))


@pytest.mark.parametrize("colour", [(0, 0, 0), (254, 254, 254), (255, 0, 0), (20, 90, 200)])
@pytest.mark.parametrize("scale", [None, 2, 3.5])
def test_a_flat_picture_stays_within_one_level(colour: tuple[int, ...], scale: float | None) -> None:
    flat = np.full((12, 9, 3), colour, np.uint8)
    result = Upscaler(RRDB, "cpu", scale=scale)(flat)
    assert np.abs(result.astype(int) - np.array(colour)).max() <= 1
    assert result.shape[0] == round(12 * (scale or 4))


@pytest.mark.parametrize(
    ("scale", "size"), [(1, (7, 5)), (2, (14, 10)), (2.5, (18, 12)), (0.1, (1, 1)), (8, (56, 40))]
)
def test_another_scale_resizes_the_networks_result(scale: float, size: tuple[int, int]) -> None:
    assert Upscaler(RRDB, "cpu", scale=scale)(photo(7, 5)).shape[:2] == size


def test_metadata_travels() -> None:
    picture = Picture(photo(5, 5), icc_profile=b"profile", exif=b"II*\0")
    result = Upscaler(COMPACT, "cpu")(picture)
    assert (result.icc_profile, result.exif) == (b"profile", b"II*\0")


def test_progress_goes_up_to_one() -> None:
    told: list[float] = []
    Upscaler(RRDB, "cpu", tiling=Tiling("overlap", 16, 4)).upscale(Picture(photo(40, 40, 4)), told.append)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize("alpha", ["model", "resize", "drop"])
@pytest.mark.parametrize("tta", [False, True])
@pytest.mark.parametrize("kind", ["flat", "opaque", "flat and seen through", "any"])
def test_progress_counts_what_is_computed_and_ends_at_one(alpha: AlphaMode, tta: bool, kind: str) -> None:
    pixels = photo(20, 20, 4)
    if kind.startswith("flat"):
        pixels[:, :, :3] = 9
    if kind in ("flat", "opaque"):
        pixels[:, :, 3] = 255
    told: list[float] = []
    Upscaler(RRDB, "cpu", "float32", Tiling("exact", 16), alpha, tta=tta).upscale(
        Picture(pixels), told.append
    )
    assert told == sorted(told)
    assert told[-1] == 1
    assert 1 not in told[:-3]  # the last run says so, and the picture


@pytest.mark.parametrize(
    ("model", "channels", "dtype"),
    [
        (RRDB, 1, np.uint8),
        (COMPACT, 4, np.uint8),
        (COMPACT, 2, np.uint16),
        (small_rrdb(scale=2, unshuffle=2), 3, np.uint8),
    ],
)
def test_with_tta_turning_the_picture_turns_the_result(model: Generator, channels: int, dtype: type) -> None:
    pixels = photo(7, 10, channels, dtype)
    pixels[2:6, 3:9, -1] = 0  # where there is alpha, colour has to be filled in
    upscaler = Upscaler(model, "cpu", "float32", tta=True)
    whole = upscaler(pixels)
    for number in (1, 6):
        back = turned_back(upscaler(np.ascontiguousarray(turned(pixels, number))), number)
        assert np.abs(back.astype(int) - whole).max() <= 1
        assert (back != whole).mean() < (0.001 if dtype is np.uint8 else 0.1)
    plain = Upscaler(model, "cpu", "float32")(pixels).astype(int)
    assert np.abs(plain - whole).max() > np.iinfo(dtype).max / 50  # it is not one of the runs


def test_tta_is_the_mean_before_rounding() -> None:
    pixels = photo(12, 9)
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        runs = []
        for mirrored in (False, True):
            for quarter in range(4):
                laid = torch.rot90(batch.flip(3) if mirrored else batch, quarter, (2, 3))
                back = torch.rot90(RRDB(laid), -quarter, (2, 3))
                runs.append(back.flip(3) if mirrored else back)
        expected = torch.stack(runs).mean(0)[0].permute(1, 2, 0).clamp(0, 1).mul(255).round().numpy()
    result = Upscaler(RRDB, "cpu", "float32", tta=True).upscale(Picture(pixels))
    assert result.tta
    assert_equal_to_rounding(result.picture.pixels, expected)


@pytest.mark.parametrize("tiling", [Tiling("exact", 16), Tiling("overlap", 16, COMPACT.receptive_field)])
def test_tta_in_tiles_is_tta_of_the_whole(tiling: Tiling) -> None:
    pixels = photo(18, 33)
    whole = Upscaler(COMPACT, "cpu", "float32", "off", tta=True)(pixels)
    assert_equal_to_rounding(Upscaler(COMPACT, "cpu", "float32", tiling, tta=True)(pixels), whole)


def test_tta_mixes_seams_of_overlapping_tiles_as_floats() -> None:
    pixels = photo(36, 20, dtype=np.uint16)
    whole = Upscaler(COMPACT, "cpu", "float32", "off", tta=True)(pixels).astype(int)
    tiled = Upscaler(COMPACT, "cpu", "float32", Tiling("overlap", 20, 2), tta=True)(pixels).astype(int)
    once = Upscaler(COMPACT, "cpu", "float32", Tiling("overlap", 20, 2))(pixels).astype(int)
    plain = Upscaler(COMPACT, "cpu", "float32", "off")(pixels).astype(int)
    assert 0 < np.abs(tiled - whole).mean() < np.abs(once - plain).mean()


def test_tta_plans_for_the_mean_beside_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    free = 2**25
    monkeypatch.setattr(upscale, "recent_free_memory", lambda _: free)
    once, eight = (Upscaler(COMPACT, "cpu", "float32", tta=tta).plan(200, 200) for tta in (False, True))
    assert len(once.windows) < len(eight.windows)


def test_the_same_picture_gives_the_same_bytes_each_time() -> None:
    upscaler = Upscaler(RRDB, "cpu")
    pixels = photo(30, 31)
    first = upscaler(pixels)
    for _ in range(3):
        np.testing.assert_array_equal(upscaler(pixels), first)


def test_tta_is_exact_only_if_it_is_so_on_the_side_too(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Upscaler(COMPACT, "cpu", "float32").plan(30, 24)
    tiles = Upscaler(COMPACT, "cpu", "float32", Tiling("overlap", 16, 2)).plan(24, 30)
    plans = [whole, tiles]  # as if memory had become less in between
    monkeypatch.setattr(Upscaler, "_plan", lambda *_: plans.pop(0))
    result = Upscaler(COMPACT, "cpu", "float32", tta=True).upscale(Picture(photo(30, 24)))
    assert not result.exact


def gradient16() -> NDArray:
    values = np.linspace(40000, 45000, 12 * 16).reshape(12, 16, 1).astype(np.uint16)
    return np.repeat(values, 3, axis=2)


@pytest.mark.parametrize(
    ("model", "channels", "tta"), [(RRDB, 3, False), (RRDB, 1, False), (COMPACT, 1, True)]
)
def test_16_bits_are_computed_in_float32_where_8_bits_are_not(
    model: Generator, channels: int, tta: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture(gradient16()[:, :, :channels])
    exact = Upscaler(model, "cpu", "float32", tta=tta).upscale(picture)
    monkeypatch.setattr(
        upscale, "resolve_precision", lambda *_: Precision(torch.bfloat16, "")
    )  # what a faster processor gives
    upscaler = Upscaler(model, "cpu", tta=tta)
    result = upscaler.upscale(picture)
    assert result.dtype == "float32"
    difference = np.abs(result.picture.pixels.astype(int) - exact.picture.pixels)
    assert difference.max() <= 2  # and 18 to 42 in bfloat16
    assert upscaler.upscale(Picture(photo(8, 8, channels))).dtype == "bfloat16"


def test_half_precision_asked_for_is_taken_for_16_bits_too() -> None:
    result = Upscaler(RRDB, "cpu", "bfloat16").upscale(Picture(gradient16()))
    assert result.dtype == "bfloat16"
    assert len(np.unique(result.picture.pixels)) < 300


def test_the_plan_is_that_of_the_engine_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Upscaler(COMPACT, "cpu", "float32")
    monkeypatch.setattr(upscale, "resolve_precision", lambda *_: Precision(torch.bfloat16, ""))
    upscaler = Upscaler(COMPACT, "cpu")
    assert upscaler.plan(64, 64).memory < upscaler.plan(64, 64, 16).memory == exact.plan(64, 64, 16).memory
    assert upscaler.upscale(Picture(photo(9, 9, dtype=np.uint16))).plan.memory == exact.plan(9, 9, 16).memory
    needed, result = exact.plan(64, 64).memory, 6 * 64 * 64 * 16
    monkeypatch.setattr(upscale, "recent_free_memory", lambda _: (needed + 1.5 * result) / plan.SHARE)
    assert exact.plan(64, 64).memory == needed
    assert exact.plan(64, 64, 16).memory < needed  # since twice as much is held for the result


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_16_bits_on_cuda_are_as_fine_as_on_the_processor() -> None:
    picture = Picture(gradient16())
    result = Upscaler(RRDB, "cuda").upscale(picture)
    assert result.dtype == "float32"
    expected = Upscaler(RRDB, "cpu", "float32")(picture).pixels
    assert np.abs(result.picture.pixels.astype(int) - expected).max() <= 2
    assert torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": "keep"}, "keep"),
        ({"scale": 0}, "0"),
        ({"scale": 100}, "32"),
        ({"device": "cuda:7"}, "cuda:7"),
        ({"dtype": "int8"}, "int8"),
        ({"tiling": "some"}, "some"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Upscaler(RRDB, **{"device": "cpu", **options})


def test_networks_for_other_channels_are_refused() -> None:
    with pytest.raises(ConfigError, match="4"):
        Upscaler(small_rrdb(in_channels=4), "cpu")
