"""`esrgan evaluate --paper`: published figures beside measured ones, and what is missing."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.main import main
from esrgan_weights import registry
from esrgan_weights.cache import model_folder


@pytest.fixture
def sets(tmp_path: Path, make_picture: Callable[..., Path]) -> Path:
    """A folder of two usual sets and another, of one picture each."""
    for name in ("Set5", "Urban100", "mine"):
        make_picture(tmp_path / "sets" / name / "HR" / "one.png", 40, 48)
    return tmp_path / "sets"


def _there(model: registry.Model, _: object) -> registry.Alternative:
    return model.alternatives[0]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["evaluate", *arguments, "--device", "cpu", "--dtype", "float32"]) == 0
    return capsys.readouterr().out


def row_of(text: str, title: str) -> list[str]:
    """The cells of the first row that is called so, behind the head of the table."""
    table = text[text.index("as published") :]
    [line] = [line for line in table.splitlines() if line.strip().startswith(title)][:1]
    return re.split(r"  +", line.strip())[1:]


def test_published_beside_measured(
    sets: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = str(tmp_path / "cache")
    text = run(capsys, str(tiny_model), "bicubic", "--paper", "--dataset", str(sets), "--cache", cache)
    assert re.search(
        r"^x4, PSNR-Y in dB / SSIM-Y +Set5 +Set14 +BSD100 +Urban100 +Manga109$", text, re.MULTILINE
    )
    assert row_of(text, "RRDB_PSNR [1]") == [
        "32.73 / 0.9011", "28.99 / 0.7917", "27.85 / 0.7455", "27.03 / 0.8153", "31.66 / 0.9196"
    ]  # fmt: skip
    assert row_of(text, "RLFN")[-1] == "-"
    measured = text[text.index("bicubic interpolation") :]
    first = re.search(r"^Set5 .*\n.*\nmean of 1 +(\d+\.\d\d)", measured, re.MULTILINE)
    assert first is not None
    cells = row_of(text, "bicubic")
    assert cells[0].startswith(f"{first[1]} / ")
    assert [cell == "-" for cell in cells] == [False, True, True, False, True]
    colours = text[text.index("PSNR of RGB") :]
    assert re.search(r"^  bicubic +\d+\.\d\d +- +- +\d+\.\d\d +-$", colours, re.MULTILINE)
    assert f"sets that were not measured: Set14, BSD100, Manga109; in {sets}" in text
    assert "file that is missing: RRDB_PSNR_x4.pth of RRDB_PSNR; esrgan weights fetch esrgan-psnr-x4" in text
    assert "arXiv:1809.00219" in text
    assert "mine" not in text
    assert "Set14 has a gray picture" not in text


def test_another_scale_has_its_own_table(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(capsys, "bicubic", "--paper", "--scale", "2", "--dataset", str(sets / "Set5"))
    assert "x2, PSNR-Y" in text
    assert "RRDB_PSNR" not in text
    assert row_of(text, "RLFN")[0] == "38.07 / 0.9607"
    assert "no figures of x8" in run(capsys, "bicubic", "--paper", "--scale", "8", "--dataset", str(sets))


def test_without_a_model_what_is_at_hand_is_measured(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--paper", "--dataset", str(sets / "Set5"), "--cache", str(tmp_path))
    assert run(capsys, *arguments).count("bicubic interpolation (MATLAB's imresize)") == 2
    for module in ("esrgan_cli.commands.evaluate_paper", "esrgan_weights.sources.fetching"):
        monkeypatch.setattr(f"{module}.cached", _there)
    text = run(capsys, "bicubic", *arguments)
    assert "not measured: RRDB_PSNR, whose weights are here; name esrgan-psnr-x4" in text
    # they would be loaded: the cache is said to have them, and has not
    assert main(["evaluate", *arguments]) == 1
    folder = model_folder(registry.find("esrgan-x4"), tmp_path)
    assert str(folder / "RRDB_ESRGAN_x4.pth") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a MODEL to measure, or --paper"),
        (["--paper", "--lr", "."], "leave --lr out"),
        (["--paper", "--format", "csv"], "leave --format csv out"),
        (["--paper", "--dataset", "empty"], "no folder is called Set5, Set14, BSD100, Urban100 or Manga109"),
    ],
)
def test_options_that_cannot_be(
    arguments: list[str],
    words: str,
    sets: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(sets)
    (sets / "empty").mkdir()
    if not arguments:  # argparse says so
        with pytest.raises(SystemExit, match="2"):
            main(["evaluate", "--dataset", "Set5"])
    else:
        assert main(["evaluate", "--dataset", "Set5", *arguments]) == 2
    assert words in capsys.readouterr().err
