"""The npm packages that the TF.js runners need: where they are, and `npm ci` to fetch them.

    python -m esrgan_bridge.runners.tfjs_setup

copies `tfjs_runner/package.json` and its lock file into a folder and runs `npm ci` there. The folder is
$ESRGAN_TFJS, else `tfjs` in the user's cache folder. Nothing is written into site-packages.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from esrgan_bridge.errors import MissingRuntimeError
from esrgan_torch.storage.paths import expanded

SCRIPTS = Path(__file__).parent.with_name("tfjs_runner")
VARIABLE = "ESRGAN_TFJS"
COMMAND = "python -m esrgan_bridge.runners.tfjs_setup"
LISTS = ("package.json", "package-lock.json")


def packages_folder() -> Path:
    """The folder that holds `node_modules`, or will."""
    if given := os.environ.get(VARIABLE):
        return expanded(given)
    import platformdirs

    return Path(platformdirs.user_cache_dir("esrgan-torch")) / "tfjs"


def missing_packages() -> str | None:
    """None where the packages are there in the versions asked for, else what to do."""
    folder = packages_folder()
    # npm writes this file last, so a fetch that was stopped does not count
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        return f"TF.js is not in {folder}: {COMMAND}"
    for name in LISTS:
        copy = folder / name
        if not copy.is_file() or copy.read_bytes() != (SCRIPTS / name).read_bytes():
            return f"TF.js in {folder} is of other versions than this release asks for: {COMMAND}"
    return None


def install() -> Path:
    """Fetch the packages, unless they are there; returns their folder.

    Raises:
        MissingRuntimeError: npm is not installed, or it failed; its own words are on stderr.
    """
    folder = packages_folder()
    if missing_packages() is None:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise MissingRuntimeError("npm is not installed: install Node, https://nodejs.org")
    folder.mkdir(parents=True, exist_ok=True)
    for name in LISTS:
        shutil.copyfile(SCRIPTS / name, folder / name)
    command = [npm, "ci", "--no-audit", "--no-fund"]
    if subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False).returncode:
        raise MissingRuntimeError(f"`npm ci` failed in {folder}; is the package registry within reach?")
    return folder


if __name__ == "__main__":
    try:
        print(install())
    except MissingRuntimeError as error:
        sys.exit(f"esrgan: {error}")
