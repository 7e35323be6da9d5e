import json
import os
import re
import signal
import subprocess
import tomllib
from collections.abc import Callable
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
    assert "run holds a run of 2 steps; resume it with: esrgan train --resume run" in capsys.readouterr().err
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
        (["smoke", "--resume", "run"], "the recipe smoke cannot be combined with --resume run"),
        (["--resume", "run", "-o", "x"], "--output cannot be combined with --resume"),
        (["--resume", "nowhere"], "nowhere contains no run: nowhere/recipe.toml is missing"),
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


SHORT = ("data.batch=2", "data.patch=32", "network.convolutions=1", "network.features=8", "log_every=1")


def train(*arguments: str) -> int:
    return main(["train", *(part for setting in SHORT for part in ("--set", setting)), *arguments])


def test_resume_alone_finds_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train("smoke", "--set", "steps=1") == 0
    for step, arguments in enumerate((["--resume"], ["smoke", "--resume"], ["--resume", "smoke"]), 2):
        assert main(["train", *arguments, "--set", f"steps={step}"]) == 0
        assert f"the run is resumed after step {step - 1}" in capsys.readouterr().err
    # and in its own folder, with pictures that were given from another one
    monkeypatch.chdir("runs/smoke")
    assert main(["train", "--resume", "--set", "steps=5"]) == 0
    assert capsys.readouterr().out == "weights.safetensors\n"
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5]


def test_a_run_that_was_killed_in_its_first_checkpoint_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has a recipe, a log and half a checkpoint: neither a new start nor --resume may be stuck."""
    assert train("smoke", "--set", "steps=2", "-o", "run") == 0
    [checkpoint] = Path("run/checkpoints").iterdir()
    part = checkpoint.rename(checkpoint.with_name(".0123456789abcdef.part.pt"))
    part.write_bytes(part.read_bytes()[:1000])
    Path("run/weights.safetensors").unlink()
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 0
    assert "run holds no checkpoint yet; the run begins with its first step" in capsys.readouterr().err
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    checkpoint.unlink()
    assert train("smoke", "--set", "steps=1", "-o", "run") == 0  # and a new start
    assert len(Path("run/log.jsonl").read_text().splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_signal_prints_the_command_that_goes_on(
    folder: Path, start_command: Callable[..., "subprocess.Popen[str]"]
) -> None:
    code = "import sys; from esrgan_cli.main import main; sys.exit(main(sys.argv[1:]))"
    settings = [part for setting in SHORT for part in ("--set", setting)]
    arguments = ["train", "smoke", *settings, "--set", "steps=100000", "-o", "a run"]
    with start_command(code, *arguments) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step 3/"):
                break
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        assert process.wait(60) == 128 + signal.SIGTERM
    assert "esrgan: stopped by SIGTERM after " in said
    assert "; resume with: esrgan train --resume 'a run'\n" in said
    assert "Traceback" not in said
    [checkpoint] = Path("a run/checkpoints").iterdir()
    assert checkpoint.name.startswith("step-")


def test_a_run_that_diverges_says_what_to_do_and_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("smoke", "--set", "steps=2", "-o", "run") == 0
    wild = ["--set", "optimiser.rate=100", "--set", "optimiser.clip=0", "--set", "steps=100"]
    assert main(["train", "--resume", "run", *wild]) == 1
    said = capsys.readouterr().err
    assert re.search(r"esrgan: step \d+: .*; resume with: esrgan train --resume run$", said, re.MULTILINE)


def test_sizes_come_from_the_weights_to_start_from(
    folder: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    initial = ["--set", f"network.initial={tiny_model}"]
    assert main(["train", "psnr-x4", *initial, "--dry-run"]) == 0
    network = tomllib.loads(capsys.readouterr().out)["network"]
    assert (network["kind"], network["features"], network["convolutions"]) == ("CompactNet", 8, 1)
    given = [
        "--set",
        "network.kind=CompactNet",
        "--set",
        "network.features=9",
        "--set",
        "network.convolutions=1",
    ]
    assert main(["train", "smoke", *initial, *given, "--set", "steps=1", "-o", "run"]) == 2
    said = capsys.readouterr().err
    assert (
        "is a CompactNet with features 8, convolutions 1, scale 4, and the recipe's is a CompactNet with"
        in said
    )


def test_a_dry_run_needs_no_network(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = ["--set", "network.initial=realesrgan-x4plus", "--dry-run", "--cache", str(folder / "empty")]
    assert main(["train", "smoke", *nowhere]) == 0
    said = capsys.readouterr()
    assert "sizes that are not given will be those of network.initial, which is not at hand" in said.err
    assert tomllib.loads(said.out)["network"]["initial"] == "realesrgan-x4plus"
