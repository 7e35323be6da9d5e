"""The environment of the route `onnx-tf`: where it is, and how it is made.

    python -m esrgan_bridge.onnx_tf.setup [DIR] [--python python3.11]

makes it in DIR, else in $ESRGAN_ONNX_TF, else in `onnx-tf` in the user's data folder. It is one of its own,
since onnx-tf 1.10, its last release, wants a tensorflow, an onnx and a numpy of its own time.

It is found from any working directory: by `--onnx-tf`, by the variable, in the data folder, or beside a
checkout's source, where `make onnx-tf` makes it.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from esrgan_bridge.errors import MissingRuntimeError
from esrgan_torch.storage.paths import expanded

VARIABLE = "ESRGAN_ONNX_TF"
COMMAND = "python -m esrgan_bridge.onnx_tf.setup"
CHECKOUT = ".venv-onnx-tf"
REQUIREMENTS = Path(__file__).with_name("onnx_tf_requirements.txt")
OLDEST, NEWEST = (3, 9), (3, 11)  # of Python, that its tensorflow takes
TRIED = ("python3.11", "python3.10", "python3.9")


def find_python(given: Path | None = None) -> Path:
    """Python of an environment that has onnx-tf.

    Args:
        given: the environment's folder or its Python; None for the variable's, else the one that was made.

    Raises:
        MissingRuntimeError: there is none, or it has no onnx-tf; the message says what to do.
    """
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named:
        source = "" if given else f", which ${VARIABLE} names,"
        python = _python_in(expanded(named))
        if python is None:
            raise MissingRuntimeError(
                f"{named}{source} is no Python, and no environment that has one; make it there: "
                f"{COMMAND} {named}"
            )
    else:
        places = (data_folder(), Path(__file__).resolve().parents[3] / CHECKOUT)
        python = next(filter(None, map(_python_in, places)), None)
        if python is None:
            raise MissingRuntimeError(
                f"onnx-tf has an environment of its own, and it is neither {' nor '.join(map(str, places))}; "
                f"make it with `{COMMAND}`, or name it with --onnx-tf or ${VARIABLE}"
            )
    if not _has_onnx_tf(python):
        raise MissingRuntimeError(f"{python} has no onnx-tf: make its environment with `{COMMAND} DIR`")
    return python


def install(folder: Path | None = None, python: str | None = None) -> Path:
    """Make the environment, or bring it up to date; returns its Python. Takes minutes and 2 GB.

    Args:
        folder: None for the variable's, else `onnx-tf` in the user's data folder.
        python: a program; None for this one or the first of python3.11 to 3.9 that fits.

    Raises:
        MissingRuntimeError: no Python fits, or pip failed; its own words are on stderr.
    """
    folder = expanded(folder or os.environ.get(VARIABLE) or data_folder())
    with_onnx_tf = _python_in(folder)
    if with_onnx_tf is None:
        _run([_fitting(python), "-m", "venv", str(folder)], f"cannot make an environment in {folder}")
        with_onnx_tf = _python_in(folder)
        assert with_onnx_tf is not None
    pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        str(REQUIREMENTS),
    ]
    _run([str(with_onnx_tf), *pip], f"pip failed in {folder}; is the package index within reach?")
    return with_onnx_tf


def data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("esrgan-torch")) / "onnx-tf"


def _python_in(place: Path) -> Path | None:
    """The Python of an environment's folder; a file is one itself. It may be a link, which is kept."""
    names = ("bin/python", "Scripts/python.exe")
    candidates = [place] if place.is_file() else [place / name for name in names]
    return next((path.absolute() for path in candidates if path.is_file()), None)


def _has_onnx_tf(python: Path) -> bool:
    script = "import sys, importlib.util; sys.exit(importlib.util.find_spec('onnx_tf') is None)"
    try:
        return subprocess.run([python, "-I", "-c", script], capture_output=True, check=False).returncode == 0
    except OSError:  # no program
        return False


def _fitting(python: str | None) -> str:
    """A Python of a version that its tensorflow takes."""
    tried = [python] if python else [sys.executable, *TRIED]
    for name in tried:
        path = shutil.which(name)
        if path and OLDEST <= _version(path) <= NEWEST:
            return path
    raise MissingRuntimeError(
        f"onnx-tf needs Python {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}, and of "
        f"{', '.join(tried)} none is; give one with --python"
    )


def _version(python: str) -> tuple[int, ...]:
    script = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def _run(command: Sequence[str], message: str) -> None:
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise MissingRuntimeError(message)


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description="make the environment of the route onnx-tf")
    parser.add_argument(
        "folder", metavar="DIR", type=Path, nargs="?", help="where; see above for the default"
    )
    parser.add_argument("--python", help=f"a Python {'.'.join(map(str, OLDEST))} to 3.11")
    arguments = parser.parse_args()
    try:
        print(install(arguments.folder, arguments.python))
    except MissingRuntimeError as error:
        sys.exit(f"esrgan: {error}")


if __name__ == "__main__":
    main()
