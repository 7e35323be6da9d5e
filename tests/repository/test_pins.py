"""The versions that `make` installs are written down, all of them."""

import platform
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from release import pins
from release.pins import DIRECT, INDIRECT, installed, pinned

HERE = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info[:2] == (3, 11)


@pytest.mark.skipif(not HERE, reason="versions are pinned for Linux on x86-64, by the oldest Python")
def test_everything_that_is_installed_is_pinned() -> None:
    known = {**pinned(DIRECT), **pinned(INDIRECT)}
    found = {name: f"=={version}" for name, version in installed().items()}
    assert found
    wrong = {
        name: (version, known.get(name)) for name, version in found.items() if known.get(name) != version
    }
    assert wrong == {}  # after a change of constraints.txt: python -m release.pins


def test_a_pin_is_for_one_platform_and_is_made_once() -> None:
    """tensorflow-io-gcs-filesystem has no wheel of this version for Windows, for example."""
    lines = [line for line in INDIRECT.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) == len(pinned(INDIRECT)) > 100
    assert all(line.endswith(f" ; {pins.WHERE}") for line in lines)
    exact = {name for name, version in pinned(DIRECT).items() if version.startswith("==")}
    assert exact & set(pinned(INDIRECT)) == set()
    assert "pip" not in pinned(INDIRECT)


def test_the_build_of_torch_for_cpus_is_what_the_constraints_ask_for() -> None:
    known = pinned(DIRECT)
    for name in ("torch", "torchvision"):  # a build such as +cpu is of the same version for pip
        assert known[name] == "==" + distribution(name).version.partition("+")[0]


def test_extras_and_markers_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((pins.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "esrgan-torch"
    text = """
[project]
dependencies = ["numpy", "no-such-package; sys_platform == 'nowhere'"]
[project.optional-dependencies]
two = ["moto[server]"]
dev = ["esrgan-torch[two]"]
"""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(pins, "ROOT", tmp_path)
    found = installed()
    assert found["numpy"] == distribution("numpy").version
    assert {"moto", "flask", "werkzeug"} <= set(found)  # flask comes with the extra alone
    assert not {"esrgan-torch", "torch"} & set(found)
    (tmp_path / "pyproject.toml").write_text(text.replace('"numpy"', '"no-such-package"'), encoding="utf-8")
    with pytest.raises(SystemExit, match="no-such-package is not installed"):
        installed()


def test_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pins, "INDIRECT", tmp_path / "constraints-indirect.txt")
    monkeypatch.setattr(pins, "installed", lambda: {"torch": "2.13.0", "ydf": "0.11.0", "zipp": "1.0"})
    pins.main()
    assert pinned(pins.INDIRECT) == {"ydf": "==0.11.0", "zipp": "==1.0"}  # ydf<0.12 is no version
    assert capsys.readouterr().out == "constraints-indirect.txt: 2 packages\n"
