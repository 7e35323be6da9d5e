"""Vulkan's drivers are found where containers have them."""

import json
import os
from pathlib import Path

import pytest

from esrgan_benchmarks.studies.gpu import vulkan_driver

GLX, EGL = vulkan_driver.NVIDIA


def loadable(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    """These are on this machine, and no others."""

    def loads(library: str) -> bool:
        return library in libraries

    monkeypatch.setattr(vulkan_driver, "loads", loads)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Variables are as they were afterwards, and no driver is there."""
    for name in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES", "LD_LIBRARY_PATH"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(vulkan_driver, "DRIVERS", ())
    monkeypatch.setattr(vulkan_driver, "MOUNTED", str(tmp_path / "mounted"))
    loadable(monkeypatch)


@pytest.mark.parametrize(("there", "taken"), [((GLX,), GLX), ((EGL,), EGL), ((EGL, GLX), GLX)])
def test_nvidia_s_libraries_are_found_without_a_file_that_tells_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], taken: str
) -> None:
    loadable(monkeypatch, *there)
    facts = vulkan_driver.prepare_vulkan(tmp_path, None)
    told = json.loads(Path(os.environ["VK_DRIVER_FILES"]).read_text())
    assert told["ICD"]["library_path"] == taken
    assert os.environ["LD_LIBRARY_PATH"] == str(tmp_path / "lib")
    assert facts["loader"] == "the bundle's"
    assert facts["driver"] == "nvidia.json"
    assert facts["nvidia_library"] == taken


def test_a_driver_that_the_system_tells_of_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia_icd.json").write_text("{}")
    monkeypatch.setattr(vulkan_driver, "DRIVERS", (str(tmp_path),))
    loadable(monkeypatch, GLX, vulkan_driver.VULKAN)
    facts = vulkan_driver.prepare_vulkan(tmp_path, None)
    assert os.environ["VK_DRIVER_FILES"] == os.environ["LD_LIBRARY_PATH"] == ""
    assert facts["loader"] == "the system's"
    assert facts["drivers"] == [str(tmp_path / "nvidia_icd.json")]


def test_a_system_s_file_whose_library_does_not_load_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvidia_icd.json").write_text("{}")
    monkeypatch.setattr(vulkan_driver, "DRIVERS", (str(tmp_path),))
    loadable(monkeypatch, EGL)
    vulkan_driver.prepare_vulkan(tmp_path, None)
    assert EGL in Path(os.environ["VK_DRIVER_FILES"]).read_text()


def test_a_mounted_file_is_taken_where_no_library_is_on_the_path(tmp_path: Path) -> None:
    assert vulkan_driver.prepare_vulkan(tmp_path, None)["driver"] is None
    (mounted := tmp_path / "mounted").mkdir()
    (mounted / "nvidia_icd.json").write_text("{}")
    assert vulkan_driver.prepare_vulkan(tmp_path, None)["driver"] == "nvidia_icd.json"
    assert os.environ["VK_DRIVER_FILES"] == str(mounted / "nvidia_icd.json")


def test_a_driver_that_is_named_is_taken_before_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loadable(monkeypatch, GLX)
    (named := tmp_path / "named.json").write_text("{}")
    assert vulkan_driver.prepare_vulkan(tmp_path, named)["driver"] == "named.json"
    assert os.environ["VK_ICD_FILENAMES"] == str(named)
