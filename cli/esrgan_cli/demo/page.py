"""The static files of the demo page: those that the package holds, or those of `web/`, built where needed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from esrgan_bridge.errors import MissingRuntimeError

PACKAGED = Path(__file__).parent.with_name("demo_files")  # `make wheel` puts them here
WEB = Path(__file__).resolve().parents[3] / "web"
BUILT = "dist-demo"
SOURCES = ("src", "demo", "package-lock.json", "vite.config.ts", "tsup.config.ts")


def page_folder(web: Path = WEB, packaged: Path = PACKAGED) -> Path:
    """The folder of the page's files.

    In a checkout it is built by npm where it is missing or older than its sources; an installed package
    brings its own.

    Args:
        web: the folder `web/` of a checkout, if this is one.
        packaged: the folder that an installed package has.

    Raises:
        MissingRuntimeError: the page has to be built, and npm is missing or failed; or the package was
            installed from a checkout whose page was never built.
    """
    if not (web / "package.json").is_file():
        if (packaged / "index.html").is_file():
            return packaged
        raise MissingRuntimeError(
            "this installation from sources has no demo page; `make wheel` builds the page; "
            "in a clone, with Node 20.19 or newer: make wheel && pip install dist/*.whl"
        )
    built = web / BUILT
    if _is_current(web, built / "index.html"):
        return built
    npm = shutil.which("npm")
    if npm is None:
        raise MissingRuntimeError(
            f"the demo page must be built, and npm is not installed: install Node 20.19 or newer, "
            f"https://nodejs.org, or put a built page into {built}"
        )
    _build(npm, web)
    return built


def _is_current(web: Path, stamp: Path) -> bool:
    return stamp.is_file() and stamp.stat().st_mtime >= max(
        file.stat().st_mtime for name in SOURCES for file in _files(web / name)
    )


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path


def _build(npm: str, web: Path) -> None:
    commands = [["run", "--silent", "build"], ["run", "--silent", "build:demo"]]
    if not (web / "node_modules" / ".package-lock.json").is_file():
        commands.insert(0, ["install", "--no-save", "--silent", "--no-audit", "--no-fund"])
    print("demo page: built by npm", file=sys.stderr, flush=True)
    for command in commands:
        if subprocess.run([npm, *command], cwd=web, stdout=sys.stderr, check=False).returncode:
            raise MissingRuntimeError(
                f"`npm {' '.join(command)}` failed in {web}; Node 20.19 or newer and the registry are needed"
            )
