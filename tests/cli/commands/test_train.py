import json
import re
from pathlib import Path

import pytest
import torch

from esrgan_cli.main import main
from esrgan_torch.train.recipe import read_recipe
from esrgan_weights import load
from esrgan_weights.registry import find

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with the recipe's pictures in it."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESRGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_the_smoke_recipe_learns_and_its_weights_load(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "smoke"]) == 0
    assert capsys.readouterr().out == "runs/smoke/weights.safetensors\n"
    lines = [json.loads(line) for line in (folder / "runs/smoke/log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 120
    assert lines[-1]["loss"] < 0.9 * lines[0]["loss"]
    network = load("runs/smoke/weights.safetensors")
    assert network.scale == 4
    assert (
        main(["upscale", "examples/cat.jpg", "-o", "cat.png", "--model", "runs/smoke/weights.safetensors"])
        == 0
    )


def test_a_run_goes_on_where_it_stopped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--set", "data.batch=2", "--set", "network.convolutions=1"]
    assert main(["train", "smoke", *short, "--set", "steps=2", "-o", "run"]) == 0
    assert main(["train", "smoke", *short, "-o", "run"]) == 2
    assert "run holds a run of 2 steps; go on with: esrgan train --resume run" in capsys.readouterr().err
    assert main(["train", "--resume", "run", "--set", "steps=4"]) == 0
    assert read_recipe("run/recipe.toml").steps == 4
    assert sorted(path.name for path in Path("run/checkpoints").iterdir())[-1] == "step-00000004.pt"


def test_a_run_starts_from_weights(folder: Path) -> None:
    short = ["--set", "data.batch=2", "--set", "steps=1", "--set", "optimiser.rate=1e-12"]
    assert main(["train", "smoke", *short, "-o", "first"]) == 0
    again = [*short, "--set", "network.initial=first/weights.safetensors", "--set", "seed=5", "-o", "second"]
    assert main(["train", "smoke", *again]) == 0
    first, second = (load(f"{name}/weights.safetensors").state_dict() for name in ("first", "second"))
    assert all(torch.allclose(first[name], second[name]) for name in first)


def test_a_dry_run_prints_a_recipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "esrgan-x4", "--set", "data.batch=4", "--dry-run"]) == 0
    Path("own.toml").write_text(capsys.readouterr().out)
    assert read_recipe("own.toml") == read_recipe("esrgan-x4", ("data.batch=4",))
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a recipe, or a run"),
        (["smoke", "--resume", "run"], "the recipe smoke does not go with --resume run"),
        (["--resume", "run", "-o", "x"], "--output does not go with --resume"),
        (["--resume", "nowhere"], "nowhere holds no run: nowhere/recipe.toml is missing"),
        (["smok"], "did you mean smoke?"),
        (["smoke", "--set", "data.btach=2"], "unknown option data.btach; did you mean batch?"),
    ],
)
def test_what_cannot_be(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_lite_recipe_is_the_network_that_ships() -> None:
    recipe = read_recipe("lite-x4")
    network = load("esrgan-lite-x4", offline=True)
    built = recipe.network.build()
    assert {name: value.shape for name, value in network.state_dict().items()} == {
        name: value.shape for name, value in built.state_dict().items()
    }
    # 3x3 convolutions at the input's resolution are all there is
    multiply_adds = sum(value.numel() for name, value in network.state_dict().items() if value.dim() == 4)
    assert multiply_adds <= 1_200_000
    assert find("esrgan-lite-x4").alternatives[0].files[0].size <= 1_500_000
    allowed = {"CID22", "CLIC2025", "gb82", "Kodak24"}
    assert {re.split("/", folder)[-1] for folder in recipe.data.folders} == allowed
