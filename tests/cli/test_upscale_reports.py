"""What public reports tell of names and folders, tried here: docs/compatibility.md has the links."""

from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_torch.images.files import read_image
from tests.support.folders import made

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_files_of_operating_systems_are_no_pictures(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("in/a.jpg"))
    for name in ("._a.jpg", ".DS_Store", "desktop.ini", "Thumbs.db"):
        (Path("in") / name).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    assert upscale("in", "-o", "out") == 0
    assert made("out") == ["a-x4.png"]
    assert "1 done, 0 skipped, 0 failed" in capsys.readouterr().err


def test_spaces_and_accents_in_every_part_of_a_path(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("mis imágenes/Screenshot from 2022-03-03 14-00-52.jpg"))
    assert upscale("mis imágenes", "-o", "lámpara/cañón ♥") == 0
    assert made("lámpara/cañón ♥") == ["Screenshot from 2022-03-03 14-00-52-x4.png"]


def test_results_beside_their_sources_are_not_enlarged_again(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    for name in ("in/a.png", "in/b.png"):
        make_picture(Path(name))
    assert upscale("in/a.png", "in/b.png") == 0
    make_picture(Path("in/c.png"))
    assert upscale("in", "-o", "in/large") == 0
    assert made("in/large") == ["a-x4.png", "b-x4.png", "c-x4.png"]
    assert upscale(*(str(path) for path in sorted(Path("in").glob("*.png")))) == 0
    assert made("in") == sorted(
        [
            *(f"{name}{end}.png" for name in "abc" for end in ("", "-x4")),
            *(f"large/{n}-x4.png" for n in "abc"),
        ]
    )


def test_a_file_with_the_suffix_of_another_format(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("0.png"), 10, 12, 4).rename("0.jpg")
    assert upscale("0.jpg", "-o", "out", "--format", "same", "--suffix", "") == 0
    assert made("out") == ["0.png"]
    assert read_image("out/0.png").has_alpha


def test_names_unchanged_have_their_suffix_once(upscale: Upscale, make_picture: MakePicture) -> None:
    names = ["tex1_128x128_5A7AFE0A_2.png", "v1.2.png", "x.jpg"]
    for name in names:
        make_picture(Path("in") / name)
    assert upscale("in", "-o", "out", "--format", "same", "--suffix", "") == 0
    assert made("out") == names


def test_two_kinds_of_one_name_lose_nothing(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("in/a.jpg"), 9)
    make_picture(Path("in/a.png"), 11)
    assert upscale("in", "-o", "out") == 0
    assert made("out") == ["a-jpg-x4.png", "a-png-x4.png"]
    assert [read_image(f"out/{name}").height for name in made("out")] == [36, 44]
