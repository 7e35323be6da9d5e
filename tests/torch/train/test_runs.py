from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.runs import find_run, folder_of, steps_done
from esrgan_torch.train.state import store


def put(folder: str) -> Path:
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "recipe.toml").write_text("")
    return Path(folder)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_is_found_in_its_folder() -> None:
    with pytest.raises(ConfigError, match="neither this folder nor runs/"):
        find_run("", None, None)
    first = put("runs/smoke")
    assert find_run("", None, None) == first
    assert find_run("smoke", None, None) == first
    assert find_run("runs/smoke", None, None) == first
    assert find_run("", "smoke", None) == first
    other = put("elsewhere")
    assert find_run("", "smoke", other) == find_run("", None, other) == other
    put("runs/psnr-x4")
    with pytest.raises(ConfigError, match=r"give the run to resume; there are runs/\S+, runs/"):
        find_run("", None, None)
    with pytest.raises(
        ConfigError, match=r"nowhere holds no run: nowhere/recipe.toml is missing; there are runs/"
    ):
        find_run("nowhere", None, None)
    with pytest.raises(ConfigError, match=r"runs/own holds no run to go on with"):
        find_run("", "own.toml", None)


def test_the_working_folder_may_be_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(put("runs/smoke"))
    assert find_run("", None, None) == Path()


def test_steps_that_are_done() -> None:
    assert folder_of("a/own.toml", None) == Path("runs/own")
    assert steps_done(Path("runs/own")) is None
    store(Path("runs/own"), 12, {}, 1)
    assert steps_done(Path("runs/own")) == 12
