"""What every package says of itself."""

import re
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import esrgan_bridge
import esrgan_torch
import esrgan_weights

PUBLIC = [esrgan_torch, esrgan_weights, esrgan_bridge]


@pytest.mark.parametrize(
    "name", ["esrgan_torch", "esrgan_weights", "esrgan_bridge", "esrgan_benchmarks", "esrgan_cli"]
)
def test_every_package_has_the_version(name: str) -> None:
    package = import_module(name)
    assert re.match(r"\d+\.\d+\.\d+$|\(not installed", package.__version__)
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_dir_and_all_name_what_there_is(package: ModuleType) -> None:
    assert set(package.__all__) <= set(dir(package))
    assert {"__doc__", "__file__"} <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is not None, name


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_every_error_is_exported(package: ModuleType) -> None:
    errors = vars(import_module(f"{package.__name__}.errors"))
    of_the_package = {
        name
        for name, error in errors.items()
        if isinstance(error, type) and error.__module__ == f"{package.__name__}.errors"
    }
    assert of_the_package <= set(package.__all__)


def test_asking_for_the_version_imports_nothing_heavy() -> None:
    program = "import sys, esrgan_torch; esrgan_torch.__version__; print({'torch', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
