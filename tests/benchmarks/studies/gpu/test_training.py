"""A training elsewhere: what is carried there, and what comes back."""

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.studies.gpu import training, training_bundle
from esrgan_benchmarks.studies.gpu.training import collect, command_of, environment_of, train_for
from esrgan_benchmarks.studies.gpu.training_bundle import make_bundle, size_of
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.train.carried import unpack
from esrgan_torch.train.loop import train
from esrgan_torch.train.recipe import read_recipe
from esrgan_weights.loading import load

ROOT = Path(__file__).parents[4]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photographs of three sets, one of them large, and a set to validate on; no package is fetched."""
    monkeypatch.setattr(training_bundle, "PACKAGES", ())
    pixels = read_image(ROOT / "examples" / "cat.jpg").pixels
    for name, shape in (("gb82/a.png", (64, 80)), ("CID22/b.jpg", (64, 64)), ("CLIC2025/c.jpg", (60, 1100))):
        path = tmp_path / "data" / "train" / name
        path.parent.mkdir(parents=True)
        write_image(path, np.resize(pixels, (*shape, 3)))
    (tmp_path / "data" / "eval" / "Set5" / "HR").mkdir(parents=True)
    write_image(tmp_path / "data" / "eval" / "Set5" / "HR" / "x.png", pixels[:32, :32].copy())
    return tmp_path / "data"


def test_photographs_are_taken_while_there_is_room(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    sizes = make_bundle(folder, data, "", 10**6, tmp_path)
    assert set(sizes) == {"pictures", "Set5"}
    assert [path.name for path in sorted((folder / "pictures").iterdir())] == [
        "CID22-b.jpg",
        "CLIC2025-c.jpg",
        "gb82-a.jpg",
    ]
    assert read_image(folder / "pictures" / "CLIC2025-c.jpg").pixels.shape == (30, 550, 3)
    assert (folder / "pictures" / "CID22-b.jpg").read_bytes() == (
        data / "train" / "CID22" / "b.jpg"
    ).read_bytes()
    limit = size_of(folder) - 1
    assert sum(make_bundle(folder, data, "", limit, tmp_path).values()) <= limit
    assert len(list((folder / "pictures").iterdir())) == 2
    with pytest.raises(BenchmarkError, match="finds room in 10 bytes"):
        make_bundle(folder, data, "", 10, tmp_path)


def test_what_the_run_finds_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle"
    for name in ("wheels/a-1-py3-none-any.whl", "weights/model/x.bin"):
        (bundle / name).parent.mkdir(parents=True)
        (bundle / name).write_bytes(b"x")
    monkeypatch.setenv("PYTHONPATH", "here")
    environment = environment_of(bundle, tmp_path / "cache")
    assert environment["PYTHONPATH"] == os.pathsep.join(
        ["here", str(bundle / "wheels" / "a-1-py3-none-any.whl")]
    )
    assert Path(environment["ESRGAN_CACHE"], "model", "x.bin").read_bytes() == b"x"
    command = command_of("r.toml", bundle, tmp_path / "run", tmp_path / "r.pt", ["steps=3"])
    assert command[-1] == "steps=3"
    assert f'data.folders=["{bundle / "pictures"}"]' in command
    assert command[command.index("--from") + 1] == str(tmp_path / "r.pt")


def test_a_run_that_is_not_done_in_time_is_asked_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(script: str, seconds: float = 3) -> int:
        return train_for(["sh", "-c", script], seconds, dict(os.environ))

    assert run("true", 60) == 0
    assert run("trap 'exit 7' TERM; while :; do sleep 0.05; done") == 7
    monkeypatch.setattr(training, "ENDING", 0.1)
    assert run("trap '' TERM; exec sleep 60") == -signal.SIGKILL


def test_what_comes_back(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, run = tmp_path / "bundle", tmp_path / "run"
    make_bundle(bundle, data, "", 10**6, tmp_path)
    settings = (
        f'data.folders=["{bundle / "pictures"}"]', f"data.validation={bundle / 'Set5'}", "data.patch=16",
        f"data.cache={tmp_path / 'cache'}", "data.batch=2", "network.features=4", "network.convolutions=1",
        "steps=2", "validate_every=2",
    )  # fmt: skip
    options = read_recipe("smoke", settings)
    network = train(options, run, progress=False)
    files = collect(run, tmp_path / "out", "name")
    names = {"name.safetensors", "name.pt", "recipe.toml", "log.jsonl", "validation.png"}
    assert {path.name for path in files} == names
    back = load(tmp_path / "out" / "name.safetensors")
    assert all((back.state_dict()[name] == value).all() for name, value in network.state_dict().items())
    assert unpack(tmp_path / "out" / "name.pt")["step"] == 2
    with pytest.raises(ConfigError):
        collect(tmp_path / "nowhere", tmp_path / "out", "name")


def test_the_make_target_and_what_git_ignores_go_together() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "training-bundle"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "gpu.training_bundle training-bundle --data ../shared/data" in done.stdout
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
    assert "/training-bundle/" in ignored
