"""`esrgan cache`: what is kept, and what is deleted."""

import re
from pathlib import Path

import pytest

from esrgan_cli.kept import KINDS, size_of
from esrgan_cli.main import main
from esrgan_torch.storage.leftovers import END, mark

OTHERS = "f" * 8  # another machine's


def put(path: Path, size: int, old: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    if old:
        import os

        os.utime(path, (1, 1))
    return path


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Something of each kind, and what no command may touch."""
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    for name, place in {
        "ESRGAN_CACHE": cache,
        "ESRGAN_TFJS": tmp_path / "tfjs",
        "TMPDIR": temporary,
        "XDG_DATA_HOME": tmp_path / "data",
        "ESRGAN_DATA": tmp_path / "own",
    }.items():
        monkeypatch.setenv(name, str(place))
    monkeypatch.setattr("tempfile.tempdir", None)
    name = "RealESRGAN_x4plus.pth"
    mine = mark()
    return {
        "models": put(cache / "realesrgan-x4plus" / name, 1_000_000),
        "urls": put(cache / "urls" / "0123" / "a-0123456789abcdef.pth", 2_000_000),
        "partial": put(cache / "realesrgan-x4plus" / f"{name}{END}", 3_000_000),
        "partial of a killed one": put(cache / "x" / f".a.{OTHERS}{mine[8:]}{END}", 0, old=True),
        "partial of an earlier release": put(cache / ".package-x1y2z3" / "a.whl", 0),
        "native": put(cache / "native" / "libesrgan.so", 4_000_000),
        "tfjs": put(tmp_path / "tfjs" / "node_modules" / "a.js", 5_000_000),
        "onnx-tf": put(tmp_path / "data" / "esrgan-torch" / "onnx-tf" / "bin" / "python", 6_000_000),
        "temporary": put(temporary / f"esrgan-demo-{OTHERS}{mine[8:]}{END}", 7_000_000, old=True),
        "pictures": put(cache / "pictures" / "0123-large.npy", 8_000_000),
        "own": put(tmp_path / "own" / "models" / "mine.safetensors", 9_000_000),
        "under way": put(cache / "realesrgan-x4plus" / f".{name}.{mine}{END}", 9_000_000),
        "somebody's": put(temporary / "esrgan-photos" / "a.png", 9_000_000),
    }


STAY = ("own", "under way", "somebody's")


def sizes(text: str) -> dict[str, float]:
    return {row[1]: float(row[2]) for row in re.finditer(r"^(\S+) +\d+ +([\d.]+)  \S", text, re.MULTILINE)}


def test_everything_is_shown_and_nothing_touched(
    kept: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache"]) == 0
    said = capsys.readouterr().out
    assert sizes(said) == {kind.name: number + 1 for number, kind in enumerate(KINDS)}
    assert "in all: 36.0 MB" in said
    assert all(path.exists() for path in kept.values())


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_one_kind_is_deleted(kind: str, kept: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "--clear", kind]) == 0
    assert list(sizes(capsys.readouterr().out)) == [kind]
    gone = {name for name, path in kept.items() if not path.exists()}
    assert gone == {name for name in kept if name.split(" of ")[0] == kind}


def test_all_of_it_is_deleted_but_what_is_one_s_own(
    kept: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "--clear", "all"]) == 0
    assert {name for name, path in kept.items() if path.exists()} == set(STAY)
    assert "deleted: 36.0 MB" in capsys.readouterr().out
    assert main(["cache"]) == 0
    assert "in all: 0.0 MB" in capsys.readouterr().out


def test_with_a_folder_nothing_else_is_touched(
    kept: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Else `--clear all` for a folder of one's own would delete what every other program here uses."""
    folder = ["--cache", str(tmp_path / "cache")]
    assert main(["cache", *folder, "--clear", "all"]) == 0
    gone = {name.split(" of ")[0] for name, path in kept.items() if not path.exists()}
    assert gone == {kind.name for kind in KINDS if kind.inside} == {"models", "urls", "partial", "pictures"}
    assert list(sizes(capsys.readouterr().out)) == ["models", "urls", "partial", "pictures"]
    assert main(["cache", *folder, "--clear", "tfjs"]) == 2
    assert kept["tfjs"].exists()


def test_what_cannot_be_deleted_is_told(
    kept: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("esrgan_cli.commands.cache.clear", refuse)
    assert main(["cache", "--clear", "models"]) == 1
    assert capsys.readouterr().err == f"esrgan: {kept['models']}: permission denied\n"


def test_links_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "large", 5_000_000)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "elsewhere")
    assert size_of(tmp_path / "folder")[1] < 1000
    assert size_of(tmp_path / "none") == (0, 0)
