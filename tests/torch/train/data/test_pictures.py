"""What a picture's decoded form depends on, and what happens when the cache loses it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from esrgan_torch.errors import ConfigError, TrainingError
from esrgan_torch.images.files import write_image
from esrgan_torch.train.data import keys
from esrgan_torch.train.data.pictures import Pair, prepare

LARGE = np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One original, and its low-resolution picture under another name."""
    for name, pixels in (("HR/0801.png", LARGE), ("LR_bicubic/X4/0801x4.png", LARGE[:12, :10])):
        (tmp_path / name).parent.mkdir(parents=True)
        write_image(tmp_path / name, pixels)
    return tmp_path


@pytest.fixture
def get(data: Path) -> Callable[..., list[Pair]]:
    """Prepares the pictures; `told` holds what was said."""

    def prepared(*small: str, **options: object) -> list[Pair]:
        told: list[str] = []
        found = prepare(
            (str(data / "HR"),),
            small,
            data / "cache",
            4,
            32,
            tell=told.append,
            **options,
        )
        prepared.told = told
        return found

    return prepared


def test_small_pictures_that_are_made_anew_in_place_are_read_anew(
    data: Path, get: Callable[..., list[Pair]]
) -> None:
    place = data / "LR_bicubic" / "X4" / "0801x4.png"
    folder = str(data / "LR_bicubic")  # above X4, as DIV2K comes
    assert np.array_equal(get(folder)[0].open()[1], LARGE[:12, :10])
    size, times = place.stat().st_size, place.stat()
    write_image(place, LARGE[20:32, 20:30])
    assert np.array_equal(get(folder)[0].open()[1], LARGE[20:32, 20:30])
    # also where a program that unpacks has set size and time of the content back
    write_image(place, LARGE[3:15, :10])
    with place.open("ab") as file:
        file.write(bytes(max(0, size - place.stat().st_size)))
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert np.array_equal(get(folder)[0].open()[1], LARGE[3:15, :10])


def test_another_decoder_is_another_picture(
    data: Path, get: Callable[..., list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = get()[0]
    assert get()[0] == first
    keys._decoders.cache_clear()
    monkeypatch.setattr(keys.metadata, "version", lambda name: "99")
    assert get()[0].large != first.large
    keys._decoders.cache_clear()


def test_the_working_folder_changes_nothing(
    data: Path, get: Callable[..., list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = get()[0]
    monkeypatch.chdir(data)
    assert prepare(("HR",), (), data / "cache", 4, 32)[0].large == first.large


def test_the_size_is_told_before_it_is_written(data: Path, get: Callable[..., list[Pair]]) -> None:
    get()
    assert get.told == [
        f"pictures: 1 in {data / 'HR'}, low-resolution ones made from the originals by MATLAB's bicubic; 1 "
        f"to decode into {data / 'cache'}, about 6 kB"
    ]
    get()
    assert get.told == [
        f"pictures: 1 in {data / 'HR'}, low-resolution ones made from the originals by MATLAB's bicubic"
    ]
    get(str(data / "LR_bicubic"))
    assert f"low-resolution ones {data / 'LR_bicubic'}; 1 to" in get.told[0]
    get(degrading=True)
    assert get.told[0].endswith("low-resolution ones made crop by crop")
    with pytest.raises(ConfigError, match=r"take 6 kB, and data.cache_limit is 1 kB"):
        get(limit=1000.0)


def test_a_folder_of_other_pictures_is_named_as_the_cause(data: Path, get: Callable[..., list[Pair]]) -> None:
    other = data / "other" / "0999x4.png"
    other.parent.mkdir()
    write_image(other, LARGE[:12, :10])
    with pytest.raises(ConfigError, match=r"none of the 1 pictures in .* can be used: 0801.png has no low"):
        get(str(other.parent))


def test_what_the_cache_has_lost_is_made_again(data: Path, get: Callable[..., list[Pair]]) -> None:
    [pair] = get()
    assert pair.small is not None
    pair.large.unlink()
    pair.small.write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"0801.png was decoded into .* cannot be decoded again"):
        pair.open()  # a damaged file is no reason to write over it while others read it
    pair.small.unlink()
    large, small = pair.open()
    assert np.array_equal(large, LARGE)
    assert small.shape == (12, 10, 3)
    pair.large.write_bytes(b"damaged")
    assert np.array_equal(get()[0].open()[0], LARGE)  # the next start does
    (data / "HR" / "0801.png").unlink()
    pair.large.unlink()
    with pytest.raises(TrainingError, match=r"cannot be decoded again: .*0801.png does not exist"):
        pair.open()


def test_without_a_partner_and_beside_low_resolution_folders(
    data: Path, get: Callable[..., list[Pair]], capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(data / "HR" / "0802.png", LARGE)
    assert [pair.name for pair in get(str(data / "LR_bicubic"))] == ["0801"]
    assert "left out: 0802.png has no low-resolution picture in" in get.told[-1]
    # the folder above: only the originals are originals
    found = prepare((str(data),), (), data / "cache", 4, 8)
    assert [pair.name for pair in found] == ["0801", "0802"]
    told = capsys.readouterr().err
    assert f"left out: 1 pictures in {data / 'LR_bicubic'}, which looks like low-resolution ones" in told


def test_names_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "SRF_4"
    folder.mkdir()
    write_image(folder / "img_001_SRF_4_HR.png", LARGE)
    write_image(folder / "img_001_SRF_4_LR.png", LARGE[:12, :10])
    [pair] = prepare((str(folder),), (str(folder),), tmp_path / "cache", 4, 32)
    assert np.array_equal(pair.open()[1], LARGE[:12, :10])
    [alone] = prepare((str(folder),), (), tmp_path / "cache", 4, 8)
    assert not np.array_equal(alone.open()[1], LARGE[:12, :10])


def test_degraded_crops_need_no_small_pictures(data: Path, get: Callable[..., list[Pair]]) -> None:
    [pair] = get(degrading=True)
    assert pair.small is None
    assert [path.name for path in (data / "cache").iterdir()] == [pair.large.name]


def test_transparent_originals_are_laid_on_white(tmp_path: Path) -> None:
    alpha = np.zeros((48, 40, 1), np.uint8)
    write_image(tmp_path / "a.png", np.concatenate([LARGE, alpha], 2))
    [pair] = prepare((str(tmp_path),), (), tmp_path / "cache", 4, 32)
    assert (pair.open()[0] == 255).all()


def test_folders_that_cannot_be() -> None:
    with pytest.raises(
        ConfigError, match=r"names no folder of pictures, such as 'data.folders=\[\"DIV2K/HR\"\]'"
    ):
        prepare((), (), Path("cache"), 4, 32)
    with pytest.raises(
        ConfigError, match=r"a,b is not a folder; several are given as 'data.folders=\[\"a\",\"b\"\]'"
    ):
        prepare(("a,b",), (), Path("cache"), 4, 32)
