"""A film enlarged: the same frames, times, sound and colours."""

import threading
import weakref
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from esrgan_torch.errors import CancelledError, FilmReadError
from esrgan_torch.films.colour import Colour, colour_of, to_rgb
from esrgan_torch.films.parts import folder_of
from esrgan_torch.films.read import FilmReader
from esrgan_torch.images.picture import Picture
from esrgan_torch.upscaler import Upscaler
from tests.torch.films.clips import frames_of, make_clip, noise, shown, turned
from tests.torch.films.conftest import Enlarge


def pixels_of(path: Path) -> list[Any]:
    """The frames as RGB."""
    with FilmReader(path) as reader:
        return [still.pixels for still in reader.stills()]


@pytest.mark.parametrize("form", ["yuv420p", "yuv444p10le", "bgr0"])
def test_frames_are_those_of_pictures_enlarged_one_by_one(
    form: str, tmp_path: Path, enlarge: Enlarge, upscaler: Upscaler
) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=6, form=form)
    enlarge(source, tmp_path / "b.mkv")
    given = [to_rgb(frame, colour_of(frame, 2, 2)) for frame in frames_of(source)]
    found = [to_rgb(frame, colour_of(frame, 2, 2)) for frame in frames_of(tmp_path / "b.mkv")]
    assert len(found) == 6
    for before, after in zip(given, found, strict=True):
        assert np.array_equal(after, upscaler.upscale(Picture(before)).picture.pixels)


@pytest.mark.parametrize(
    ("form", "colour", "codec"),
    [
        ("yuv420p", (1, 1, 1, 1), "h264"),
        ("yuv420p", (6, 6, 6, 2), "h264"),
        ("yuv420p10le", (9, 9, 16, 1), "hevc"),
    ],
)
def test_what_a_film_says_of_its_colours_stays(
    form: str, colour: tuple[int, int, int, int], codec: str, tmp_path: Path, enlarge: Enlarge
) -> None:
    source = make_clip(tmp_path / "a.mkv", codec="libx264", form=form, colour=colour, frames=2)
    enlarge(source, tmp_path / "b.mp4", codec=codec)
    with FilmReader(source) as before, FilmReader(tmp_path / "b.mp4") as after:
        matrix, primaries, transfer, span = colour
        assert before.film.colour == Colour(matrix, primaries, transfer, span == 2)
        assert after.film.colour == before.film.colour
        assert after.film.deep == before.film.deep


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_a_flat_film_keeps_its_level(codec: str, tmp_path: Path, enlarge: Enlarge) -> None:
    grey = [np.full((16, 16, 3), level, np.uint8) for level in (0, 16, 128, 235, 255)]
    source = make_clip(
        tmp_path / "a.mkv", pixels=grey, frames=5, width=16, codec="libx264", options={"crf": "0"}
    )
    enlarge(source, tmp_path / "b.mkv", codec=codec)
    for before, after in zip(pixels_of(source), pixels_of(tmp_path / "b.mkv"), strict=True):
        assert np.abs(after.astype(int) - int(before[0, 0, 0])).max() <= 1


def test_a_turned_film_is_laid_upright_and_its_pixels_too(tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(
        tmp_path / "a.mp4", codec="libx264", frames=2, height=16, width=32, aspect=Fraction(4, 3)
    )
    lying = pixels_of(source)[0]
    turned(source, 0, 1, -1, 0)
    enlarge(source, tmp_path / "b.mp4", codec="h264")
    with FilmReader(source) as before, FilmReader(tmp_path / "b.mp4") as after:
        assert (before.film.height, before.film.width, before.film.aspect) == (32, 16, Fraction(3, 4))
        assert (after.film.height, after.film.width, after.film.aspect) == (128, 64, Fraction(3, 4))
        assert after.film.orientation(np.zeros((2, 3, 1), np.uint8)).shape == (2, 3, 1)
    assert np.array_equal(pixels_of(source)[0], np.rot90(lying, -1))


def test_repeated_frames_are_computed_once(
    tmp_path: Path, enlarge: Enlarge, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = noise(3, 16, 24)
    pixels = [kinds[kind] for kind in (0, 0, 0, 1, 1, 2, 0)]
    source = make_clip(tmp_path / "a.mkv", frames=7, pixels=pixels)
    computed: list[Any] = []
    original = Upscaler.upscale

    def counted(self: Upscaler, picture: Any, *more: Any) -> Any:
        computed.append(picture)
        return original(self, picture, *more)

    monkeypatch.setattr(Upscaler, "upscale", counted)
    result = enlarge(source, tmp_path / "b.mkv")
    assert (len(computed), result.repeated, result.frames) == (4, 3, 7)
    found = pixels_of(tmp_path / "b.mkv")
    assert [np.array_equal(found[0], frame) for frame in found] == [
        True,
        True,
        True,
        False,
        False,
        False,
        True,
    ]


def test_several_devices_share_the_frames_in_order(
    tmp_path: Path, enlarge: Enlarge, upscaler: Upscaler
) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=9)
    enlarge(source, tmp_path / "one.mkv")
    enlarge(source, tmp_path / "two.mkv", upscalers=[upscaler, Upscaler(upscaler.model, "cpu", "float32")])
    for one, two in zip(pixels_of(tmp_path / "one.mkv"), pixels_of(tmp_path / "two.mkv"), strict=True):
        assert np.abs(one.astype(int) - two).max() <= 1  # two engines


def test_an_odd_result_is_cut_for_codecs_of_even_sides(
    tmp_path: Path, upscaler: Upscaler, enlarge: Enlarge
) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=2, height=15, width=25, form="yuv444p")
    odd = Upscaler(upscaler.model, "cpu", "float32", scale=1)
    assert enlarge(source, tmp_path / "b.mkv", upscalers=[odd]).notes == ()
    even = make_clip(tmp_path / "c.mkv", frames=2, height=15, width=25)
    result = enlarge(even, tmp_path / "d.mp4", codec="h264", upscalers=[odd])
    assert (result.height, result.width) == (14, 24)
    assert "24 x 14 pixels instead of 25 x 15" in result.notes[0]


def test_progress_counts_frames(tmp_path: Path, enlarge: Enlarge) -> None:
    told: list[Any] = []
    enlarge(make_clip(tmp_path / "a.mkv", frames=9), tmp_path / "b.mkv", progress=told.append)
    done = [each.done for each in told]
    assert done == sorted(done)
    assert done[-1] == 9
    assert {(each.frames, each.kept) for each in told} == {(9, 0)}


def test_a_flag_ends_it_and_what_is_whole_stays(tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=20)
    target = tmp_path / "b.mkv"
    flag = threading.Event()

    def progress(told: Any) -> None:
        if told.done >= 10:
            flag.set()

    with pytest.raises(CancelledError):
        enlarge(source, target, progress=progress, cancel=flag)
    assert not target.exists()
    kept = len(list(folder_of(target).glob("*.nut"))) * 4
    assert 4 <= kept <= 12
    result = enlarge(source, target)
    assert (result.kept, result.frames) == (kept, 20)
    assert not folder_of(target).exists()
    enlarge(source, tmp_path / "whole.mkv")
    whole = pixels_of(tmp_path / "whole.mkv")
    assert all(np.array_equal(*pair) for pair in zip(pixels_of(target), whole, strict=True))
    assert shown(target) == shown(tmp_path / "whole.mkv") == shown(source)


def test_parts_that_were_made_otherwise_are_made_again(
    tmp_path: Path, enlarge: Enlarge, upscaler: Upscaler
) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=12)
    flag = threading.Event()

    def progress(told: Any) -> None:
        if told.done >= 9:
            flag.set()

    with pytest.raises(CancelledError):
        enlarge(source, tmp_path / "b.mkv", progress=progress, cancel=flag)
    twice = Upscaler(upscaler.model, "cpu", "float32", scale=2)
    result = enlarge(source, tmp_path / "b.mkv", upscalers=[twice])
    assert (result.kept, result.height) == (0, 32)
    assert "of an earlier run were made otherwise" in result.notes[0]


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "avi"])
def test_a_film_that_is_cut_off_is_found_before_the_work(
    suffix: str, tmp_path: Path, enlarge: Enlarge
) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    source = make_clip(tmp_path / f"a.{suffix}", codec=codec, frames=100, height=64, width=64)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    if suffix == "ts":  # which may begin and end anywhere
        assert enlarge(source, tmp_path / "b.mkv").frames < 100
        return
    with pytest.raises(FilmReadError, match=r"a\.\w+"):
        enlarge(source, tmp_path / "b.mkv")
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name]


@pytest.mark.parametrize(("form", "size"), [("yuv420p", (16, 24)), ("yuv420p10le", (180, 320))])
def test_raw_frames_are_coded_as_players_take_their_size(
    form: str, size: tuple[int, int], tmp_path: Path, enlarge: Enlarge
) -> None:
    height, width = size
    colours = [np.full((height, width, 3), colour, np.uint8) for colour in ((200, 60, 30), (30, 120, 220))]
    source = make_clip(
        tmp_path / "a.mkv",
        frames=2,
        pixels=colours,
        form=form,
        height=height,
        width=width,
        codec="ffv1",
        colour=(9, 9, 14, 1),
    )
    result = enlarge(source, tmp_path / "b.y4m", codec=None)
    taken = "BT.709" if width * 4 >= 1280 else "BT.601"
    assert f"they are {taken}, limited range" in result.notes[-1]
    enlarge(source, tmp_path / "b.mkv")
    exact, raw = pixels_of(tmp_path / "b.mkv"), pixels_of(tmp_path / "b.y4m")
    assert len(raw) == 2
    for one, other in zip(exact, raw, strict=True):
        off = np.abs(one.astype(int) - other).max() / np.iinfo(one.dtype).max
        assert off <= 1.6 / 256


def test_a_film_of_another_size_further_on_is_damaged(tmp_path: Path, enlarge: Enlarge) -> None:
    parts = [
        make_clip(tmp_path / f"{size}.ts", codec="mpeg2video", frames=4, height=size, width=size)
        for size in (32, 48)
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(FilmReadError, match="48 x 48 pixels, and the first was 32 x 32"):
        enlarge(both, tmp_path / "b.mkv")
    assert not (tmp_path / "b.mkv").exists()


def test_few_frames_are_held_however_many_there_are(
    tmp_path: Path, enlarge: Enlarge, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=60)
    held: list[weakref.ref[Any]] = []
    most: list[int] = []
    original = Upscaler.upscale

    def watched(self: Upscaler, picture: Any, *more: Any) -> Any:
        result = original(self, picture, *more)
        held.append(weakref.ref(result.picture))
        most.append(sum(each() is not None for each in held))
        return result

    monkeypatch.setattr(Upscaler, "upscale", watched)
    enlarge(source, tmp_path / "b.mkv")
    assert len(held) == 60
    assert max(most) <= 10
