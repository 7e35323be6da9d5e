"""What is published holds what it must, and nothing heavy is imported too early."""

import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest

from release.contents import MADE, PACKAGES, faults

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_package_and_its_data(wheel: Path) -> None:
    """What `make wheel` makes before may be there from an earlier time, or not."""
    assert set(faults(wheel)) <= {f"lacks {name}" for name in MADE}


def test_the_page_of_a_registry_leads_nowhere_that_it_lacks(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    text = archive.read(metadata).decode()
    assert "# esrgan-torch" in text
    assert "Description-Content-Type: text/markdown" in text
    assert re.findall(r"\]\((?!https?:)[^)]*\)", text) == []


def test_the_installed_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import sys; sys.path.insert(0, 'site'); import esrgan_weights, esrgan_cli.output.page, esrgan_torch;"
        "assert esrgan_torch.__file__.startswith('site') or '/site/' in esrgan_torch.__file__;"
        "print(len(esrgan_weights.models()))"
    )
    command = [sys.executable, "-P", "-c", code]
    result = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert int(result.stdout) >= 10


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_imports_nothing_heavy(package: str) -> None:
    heavy = ("torch", "numpy", "PIL", "tensorflow")
    code = f"import sys, {package}; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[]"


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {
        line.split("==")[0].split("<")[0].lower().replace("_", "-") for line in lines if line[:1].isalpha()
    }
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {name.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip().lower() for name in wanted}
    assert {name.replace("_", "-") for name in names} - pinned - {"pip", "esrgan-torch"} == set()
