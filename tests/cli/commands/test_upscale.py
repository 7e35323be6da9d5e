import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from esrgan_torch.images.files import read_image
from esrgan_torch.upscaler import Upscaler
from esrgan_weights.loading import load
from tests.support.folders import made

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_a_picture_beside_its_source(
    upscale: Upscale, make_picture: MakePicture, tiny_model: Path, capsys: Capture
) -> None:
    source = make_picture(Path("photo.png"))
    assert upscale("photo.png") == 0
    captured = capsys.readouterr()
    assert captured.out == "photo-x4.png\n"
    [line, summary] = captured.err.splitlines()
    assert line.startswith("[1/1] photo.png: 12 x 10 to 48 x 40 pixels in ")
    assert "CPU, " in line
    assert re.search(r"float32, engine (native|openvino|eager); whole picture, exact", line)
    assert summary.startswith("1 done, 0 skipped, 0 failed in ")
    expected = Upscaler(load(tiny_model), "cpu", "float32").upscale(read_image(source)).picture
    np.testing.assert_array_equal(read_image("photo-x4.png").pixels, expected.pixels)


def test_folders_keep_their_structure(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    for name in ("in/a.png", "in/ä/日本.jpg", "in/.hidden.png"):
        make_picture(Path(name))
    for number in range(7):
        Path(f"in/{number}.txt").write_text("no picture")
    assert upscale("in", "-o", "out") == 0
    assert made("out") == ["a-x4.png", "ä/日本-x4.png"]
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [str(Path("out/a-x4.png")), str(Path("out/ä/日本-x4.png"))]
    assert "warning: in/0.txt is no picture: left out" in captured.err.replace("\\", "/")
    assert "warning: 2 more files are not pictures" in captured.err
    assert "in/5.txt" not in captured.err


def test_raw_files_in_a_folder_are_named(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("in/a.png"))
    Path("in/b.NEF").touch()
    assert upscale("in", "-o", "out") == 0
    errors = capsys.readouterr().err.replace("\\", "/")
    assert "warning: in/b.NEF is a camera's raw file, whose sensor data must be developed first" in errors
    assert "RawTherapee: left out" in errors


def test_existing_results_stay(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    make_picture(Path("in/a.png"))
    make_picture(Path("in/b.png"))
    Path("in-x4").mkdir()
    Path("in-x4/a-x4.png").write_text("earlier")
    assert upscale("in") == 0
    assert Path("in-x4/a-x4.png").read_text() == "earlier"
    captured = capsys.readouterr()
    assert captured.out == f"{Path('in-x4/b-x4.png')}\n"
    assert "a-x4.png exists; --overwrite makes it again" in captured.err
    assert "1 done, 1 skipped, 0 failed" in captured.err
    assert upscale("in", "--scale", "4", model="missing.pth") == 0  # nothing to do: no network is loaded
    assert "0 done, 2 skipped, 0 failed" in capsys.readouterr().err
    assert upscale("in", "--overwrite") == 0
    assert read_image("in-x4/a-x4.png").width == 48


def test_a_pattern_given_a_second_time_makes_nothing_new(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    assert upscale("a.png", "a.png") == 0
    capsys.readouterr()
    assert upscale("a-x4.png", "a.png") == 0
    errors = capsys.readouterr().err
    assert "left out: a-x4.png is the result of a.png" in errors
    assert "0 done, 1 skipped, 0 failed" in errors
    assert upscale("a-x4.png", "a.png", "--overwrite") == 0
    assert "1 done, 0 skipped, 0 failed" in capsys.readouterr().err
    assert made() == ["a-x4.png", "a.png"]


def test_an_original_with_the_name_of_a_result_is_never_overwritten(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    before = make_picture(Path("a-x4.png")).read_bytes()
    assert upscale("a-x4.png", "a.png", "--overwrite") == 0
    errors = capsys.readouterr().err
    assert "left out: a-x4.png has the name of the result of a.png" in errors
    assert "skipped: a-x4.png is an input, and not known to be a result: it stays" in errors
    assert Path("a-x4.png").read_bytes() == before
    assert made() == ["a-x4.png", "a.png"]


def test_options_reach_the_result(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("alpha.png"), 10, 12, 4)
    make_picture(Path("gray.png"), 10, 12, 1)
    assert (
        upscale("alpha.png", "-o", "deep/er/a.jpg", "--alpha", "drop", "--scale", "2.5", "--quality", "60")
        == 0
    )
    picture = read_image("deep/er/a.jpg")
    assert (picture.height, picture.width, picture.channels) == (25, 30, 3)
    assert (
        upscale("gray.png", "alpha.png", "-o", "out", "--format", "webp", "--lossless", "--scale", "2") == 0
    )
    assert made("out") == ["alpha-x2.webp", "gray-x2.webp"]
    assert read_image("out/alpha-x2.webp").channels == 4


def test_tiles(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    make_picture(Path("a.png"), 40, 40)
    assert upscale("a.png", "--tile", "16", "--overlap", "1") == 0
    errors = capsys.readouterr().err
    assert "9 tiles of 14 pixels, overlap 1, not exact" in errors
    assert "esrgan: warning: a.png: NOT EXACT" in errors
    assert upscale("a.png", "--tile", "off", "--overwrite") == 0
    errors = capsys.readouterr().err
    assert "tiling is off" in errors
    assert "NOT EXACT" not in errors


def test_a_page_of_the_run(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    make_picture(Path("a.png"))
    make_picture(Path("b.png"))
    assert upscale("a.png", "b.png", "-o", "out", "--page", "pages/all.html") == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(Path("pages/all.html"))
    assert Path("pages/all.html").read_text(encoding="utf-8").count('class="picture"') == 2
    assert upscale("a.png", "-o", "out", "--page", "again.html") == 0
    assert "again.html was not written: this run made no picture" in capsys.readouterr().err
    assert not Path("again.html").exists()


def test_a_folder_without_pictures_fails(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    Path("empty").mkdir()
    make_picture(Path("a.png"))
    assert upscale("empty", "a.png", "-o", "out") == 1
    errors = capsys.readouterr().err
    assert "failed: empty holds no pictures" in errors
    assert "1 done, 0 skipped, 1 failed" in errors
    assert upscale("empty") == 1


def test_an_unknown_model(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    make_picture(Path("a.png"))
    assert upscale("a.png", model="realesrgan-x5plus") == 1
    assert "nearest names: realesrgan-x" in capsys.readouterr().err
    assert upscale("a.png", model="missing.pth") == 1
    assert "missing.pth: there is no such file" in capsys.readouterr().err
    assert upscale("a.png", "--offline", "--cache", "nothing", model="realesrgan-x4plus") == 1
    assert "realesrgan-x4plus" in capsys.readouterr().err
    assert made() == ["a.png"]


def test_an_empty_name_is_not_this_folder(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    for arguments in ([""], ["a.png", "-o", ""], ["a.png", "--page", ""]):
        with pytest.raises(SystemExit) as end:
            upscale(*arguments)
        assert end.value.code == 2
        assert "an empty name" in capsys.readouterr().err
    assert made() == ["a.png"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--quality", "90"], "png loses nothing"),
        (["--format", "psd"], "'psd' is not a format that can be written"),
        (["--format", "tga"], "'tga' is not a format that can be written"),
        (["-o", "b.png", "--format", "jpg"], "contradict"),
        (["--format", "jpg", "--lossless"], "jpg cannot be written without loss"),
        (["--scale", "0"], "--scale must be above 0"),
        (["--scale", "nan"], "--scale must be above 0"),
        (["--max-pixels", "0"], "--max-pixels counts"),
        (["--tile", "big"], "--tile must be auto"),
        (["--overlap", "5"], "--overlap needs a tile size"),
        (["--device", "tpu"], "'tpu' is not a device"),
        (["--device", "cpu,cuda:99"], "no device cuda:99"),
        (["--page", "a.png"], "ends in .html"),
        (["-o", "a.png"], "would overwrite the input"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_model_is_loaded(
    options: list[str], words: str, upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    arguments = ["a.png", "--offline", "--cache", "nothing", *options]  # loading would fail otherwise
    assert upscale(*arguments, model="realesrgan-x4plus") == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
    assert made() == ["a.png"]


def test_one_file_for_several_results_is_refused(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    make_picture(Path("b.png"))
    assert upscale("a.png", "b.png", "-o", "c.png") == 2
    assert "-o c.png names one picture, and there are several inputs" in capsys.readouterr().err
    assert made() == ["a.png", "b.png"]


def test_alike_formats_do_not_contradict(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("a.png"))
    assert upscale("a.png", "-o", "b.JPEG", "--format", "jpg") == 0
    assert Path("b.JPEG").read_bytes().startswith(b"\xff\xd8")
