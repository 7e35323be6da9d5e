"""What the parts of a film become: times, sound, subtitles and words."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.films.read import FilmReader
from tests.torch.films.clips import make_clip, shown
from tests.torch.films.conftest import Enlarge

PAL = Fraction(1, 12800)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
@pytest.mark.parametrize("starts", [None, (0, 512, 700, 2048, 2049, 9000, 9512, 20000, 20512, 30000)])
def test_times_are_kept(codec: str, starts: Any, tmp_path: Path, enlarge: Enlarge) -> None:
    times = starts or [512 * number for number in range(10)]
    source = make_clip(
        tmp_path / "a.mp4",
        codec="libx264",
        frames=10,
        base=PAL,
        starts=times,
        height=32,
        width=32,
        sound="aac",
    )
    enlarge(source, tmp_path / "b.mp4", codec=codec)
    assert shown(source) == [start * PAL for start in times]
    assert shown(tmp_path / "b.mp4") == shown(source)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_is_copied_and_in_step_at_the_end(suffix: str, tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(tmp_path / "a.mp4", codec="libx264", frames=50, sound="aac", height=16, width=16)
    target = tmp_path / f"b{suffix}"
    enlarge(source, target, codec="h264")

    def ends(path: Path) -> tuple[list[bytes], float]:
        sound: list[tuple[float, bytes]] = []
        last = 0.0
        with av.open(str(path)) as film:
            for packet in film.demux():
                if packet.size and packet.stream.type == "audio":
                    sound.append((float(packet.pts * packet.time_base), bytes(packet)))
                elif packet.size:
                    last = max(last, float(packet.pts * packet.time_base))
        return [data for _, data in sound], sound[-1][0] - last

    (before, step_before), (after, step_after) = ends(source), ends(target)
    assert before == after
    assert abs(step_before - step_after) <= 0.001  # Matroska counts milliseconds


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [("b.mp4", "vp9", True), ("b.mkv", "h264", True), ("b.webm", "vp9", False)],
)
def test_the_shape_of_pixels(name: str, codec: str, kept: bool, tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(tmp_path / "a.mp4", codec="libx264", aspect=Fraction(2), frames=2)
    result = enlarge(source, tmp_path / name, codec=codec)
    with FilmReader(tmp_path / name) as reader:
        assert reader.film.aspect == (2 if kept else 1)
    assert result.notes == (
        ()
        if kept
        else (
            "its pixels are 2 times as wide as high, which vp9 in this container does not say, so it is "
            "shown squeezed or stretched; give --codec h264 or hevc, or -o NAME.mp4",
        )
    )


def test_transparency_that_webm_stores_apart(tmp_path: Path, enlarge: Enlarge) -> None:
    source = tmp_path / "a.webm"
    plain = make_clip(tmp_path / "b.webm", codec="libvpx-vp9", frames=2)
    with av.open(str(plain)) as film, av.open(str(source), "w") as output:
        copy = output.add_stream_from_template(film.streams.video[0], opaque=True)
        copy.metadata["alpha_mode"] = "1"
        for packet in film.demux():
            if packet.size:
                packet.stream = copy
                output.mux_one(packet)
    assert enlarge(source, tmp_path / "c.webm", codec="vp9").notes == ("its transparency is left out",)
    with av.open(str(tmp_path / "c.webm")) as film:
        assert "alpha_mode" not in {key.lower() for key in film.streams.video[0].metadata}


@pytest.mark.parametrize(
    ("sound", "advice"),
    [
        ("adpcm_ima_wav", "convert it first: ffmpeg -i IN -c copy -c:a flac"),
        ("pcm_mulaw", "give -o NAME.mov"),
    ],
)
def test_sound_that_matroska_does_not_hold(sound: str, advice: str, tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(tmp_path / "a.avi", codec="mpeg4", sound=sound, frames=2)
    with pytest.raises(ConfigError, match=rf"\.mkv cannot hold the film's sound \({sound}\); {advice}"):
        enlarge(source, tmp_path / "b.mkv")


def test_chapters_subtitles_and_words_are_carried(tmp_path: Path, enlarge: Enlarge) -> None:
    plain = make_clip(tmp_path / "a.mkv", frames=25)
    source = tmp_path / "b.mkv"
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,200 --> 00:00:00,500\nHello\n", encoding="utf-8")
    with av.open(str(plain)) as film, av.open(str(words)) as text, av.open(str(source), "w") as output:
        output.metadata["title"] = "A title"
        copy = output.add_stream_from_template(film.streams.video[0], opaque=True)
        lines = output.add_stream_from_template(text.streams.subtitles[0], opaque=True)
        lines.metadata["language"] = "deu"
        output.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 500,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "One"},
                },
                {"id": 2, "start": 500, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {}},
            ]
        )
        for packet in [*film.demux(film.streams.video[0]), *text.demux()]:
            if packet.size:
                packet.stream = copy if packet.stream.type == "video" else lines
                output.mux_one(packet)
    result = enlarge(source, tmp_path / "c.mkv")
    assert result.notes == ()
    with av.open(str(tmp_path / "c.mkv")) as film:
        assert film.metadata["title"] == "A title"
        assert [
            (float(chapter["start"] * chapter["time_base"]), chapter["metadata"])
            for chapter in film.chapters()
        ] == [(0.0, {"title": "One"}), (0.5, {})]
        assert film.streams.subtitles[0].metadata["language"] == "deu"
        found = [packet for packet in film.demux(film.streams.subtitles[0]) if packet.size]
        assert [(bytes(line), line.pts, line.duration) for line in found] == [(b"Hello", 200, 300)]
    # MP4 does not hold this kind of subtitles, which is said
    result = enlarge(source, tmp_path / "c.mp4", codec="h264")
    assert "subtitles (srt) are left out" in result.notes[0]


def test_sound_that_a_container_does_not_hold_is_found_out_before_the_work(
    tmp_path: Path, enlarge: Enlarge
) -> None:
    source = make_clip(tmp_path / "a.mp4", codec="libx264", sound="aac")
    with pytest.raises(ConfigError, match=r"\.webm cannot hold the film's sound \(aac\); give -o NAME.mkv"):
        enlarge(source, tmp_path / "b.webm", codec="vp9")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]
