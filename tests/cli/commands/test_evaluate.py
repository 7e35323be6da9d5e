import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.main import main
from esrgan_torch.images.files import read_image


@pytest.fixture
def dataset(tmp_path: Path, make_picture: Callable[..., Path]) -> Path:
    """Two originals of 48 x 40 pixels."""
    make_picture(tmp_path / "set" / "HR" / "one.png", 40, 48)
    make_picture(tmp_path / "set" / "HR" / "three.png", 40, 48, 1)
    return tmp_path / "set"


def test_bicubic_by_both_protocols(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "bicubic", "--dataset", str(dataset), "--scale", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("mean of 2") == 2
    assert "protocol: x2; upscaled as RGB" in captured.out
    assert "protocol: x2; classic (SRCNN, VDSR)" in captured.out
    assert "one: " in captured.err


def test_a_model_over_several_folders(
    dataset: Path, tiny_model: Path, make_picture: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_picture(dataset.parent / "other" / "x.png", 24, 24).parent
    arguments = ["evaluate", str(tiny_model), "--dataset", str(dataset), str(other), "--device", "cpu"]
    assert main([*arguments, "--dtype", "float32", "--tile", "exact"]) == 0
    text = capsys.readouterr().out
    assert text.count(f"{tiny_model} on cpu, float32") == 2
    assert re.search(r"^set +PSNR-Y +SSIM-Y +PSNR-RGB +SSIM-RGB$", text, re.MULTILINE)
    assert re.search(r"^x +-?\d+\.\d\d ", text, re.MULTILINE)
    assert text.count("protocol: x4; upscaled as RGB") == 2


def test_bicubic_on_set5(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "bicubic", "--dataset", str(shared_data / "eval" / "Set5")]) == 0
    means = re.findall(r"^mean of 5 +(\S+) +(\S+)", capsys.readouterr().out, re.MULTILINE)
    assert [(float(psnr), round(float(ssim), 3)) for psnr, ssim in means] == [(28.43, 0.811), (28.42, 0.81)]


def test_csv_and_json_hold_the_same_numbers(
    dataset: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "bicubic", str(tiny_model), "--dataset", str(dataset), "--device", "cpu"]
    assert main([*arguments, "--dtype", "float32", "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert main([*arguments, "--dtype", "float32", "--format", "json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [result["model"] for result in results] == ["bicubic", "bicubic", str(tiny_model)]
    scores = [score for result in results for score in (*result["scores"], result["mean"])]
    assert [row["picture"] for row in rows] == [score["name"] for score in scores]
    for row, score in zip(rows, scores, strict=True):
        assert float(row["psnr_y"]) == score["psnr_y"]
        assert row["ssim_rgb"] == ("" if score["ssim_rgb"] is None else str(score["ssim_rgb"]))


def test_a_grid_of_pictures(dataset: Path, tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "bicubic", str(tiny_model), "--dataset", str(dataset), "--device", "cpu"]
    (dataset / "HR" / "damaged.png").write_bytes(b"no picture")
    assert main([*arguments, "--grid", str(tmp_path / "grid.png")]) == 1
    pixels = read_image(tmp_path / "grid.png").pixels
    # two rows of two models and the original, 192 pixels each, 4 between
    assert pixels.shape == (2 * 192 + 4, 3 * 192 + 8, 3)
    original = read_image(dataset / "HR" / "one.png").pixels
    assert (pixels[:40, 392 : 392 + 48] == original).all()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--scale", "0"], 2, "--scale is 1 or more"),
        (["--device", "cpu,cpu"], 2, "one device"),
        (["--tile", "8"], 2, "at least 16"),
        (["--dataset", "nowhere"], 2, "nowhere is not a folder"),
    ],
)
def test_options_that_cannot_be(
    options: list[str], status: int, words: str, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "realesrgan-x4plus", "--offline", "--dataset", str(dataset), *options]) == status
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_an_unknown_model(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "realesrgan-x5", "--dataset", str(dataset)]) == 1
    assert "nearest names: realesrgan-x" in capsys.readouterr().err


def test_a_bad_picture_costs_itself_in_every_format(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "HR" / "bad.png").write_bytes(b"no picture")
    arguments = ["evaluate", "bicubic", "--scale", "2", "--dataset", str(dataset)]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out.count("mean of 2") == 2
    assert said.out.count(f"not measured: {dataset / 'HR' / 'bad.png'} is not a picture") == 2
    assert said.err.count("failed: ") == 1
    assert main([*arguments, "--format", "csv"]) == 1
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["picture"] for row in rows] == ["one", "three", "mean of 2", "bad"] * 2
    assert "bad.png" in rows[3]["failure"]
    assert rows[3]["psnr_y"] == ""
    assert main([*arguments, "--format", "json"]) == 1
    results = json.loads(capsys.readouterr().out)
    assert results[0]["failures"][0]["name"] == "bad"
    assert results[0]["mean"]["name"] == "mean of 2"


def test_all_pictures_bad_and_a_model_that_is_none(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (dataset / "HR").iterdir():
        path.write_bytes(b"no picture")
    assert main(["evaluate", "bicubic", "--dataset", str(dataset), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["mean"] is None
    arguments = ["evaluate", "bicubic", "no-such-model", "--dataset", str(dataset), "--format", "csv"]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert "no-such-model" in said.err
    assert said.out.count("\n") == 5  # what was measured before is written


def test_the_low_resolution_pictures_are_named(
    dataset: Path, make_picture: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "bicubic", "--dataset", str(dataset)]
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("low-resolution pictures: made from the originals by MATLAB's") == 2
    for name in ("one", "three"):
        make_picture(dataset / "LR" / f"{name}x4.png", 10, 12)
        make_picture(dataset / "mine" / f"small-{name}.png", 10, 12)
    assert main(arguments) == 0
    assert f"low-resolution pictures: {dataset / 'LR'}\n" in capsys.readouterr().out
    assert main([*arguments, "--lr", str(dataset / "mine"), "--lr-name", "small-{}"]) == 0
    assert f"low-resolution pictures: {dataset / 'mine'}\n" in capsys.readouterr().out
    assert main([*arguments, "--lr", str(dataset / "mine")]) == 1
    assert "none is called one or onex4" in capsys.readouterr().out
    for options, words in (
        (["--lr", "nowhere"], "--lr nowhere is not a folder"),
        (["--lr", str(dataset), str(dataset)], "--lr names one folder for each of --dataset; given 2 for 1"),
        (["--lr-name", "small"], "a template for names holds {} once"),
    ):
        assert main([*arguments, *options]) == 2
        assert words in capsys.readouterr().err
