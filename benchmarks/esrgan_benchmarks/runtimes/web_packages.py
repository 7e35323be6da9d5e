"""The npm packages of the browser runtimes beside TF.js: where they are, and `npm ci` to fetch them.

    python -m esrgan_benchmarks.runtimes.web_packages

The folder is `bench-web` in the user's cache folder; nothing is written into site-packages. TF.js and the
driver of the browser are those of the bridge, see `esrgan_bridge.runners.tfjs_setup`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from esrgan_benchmarks.core.errors import BenchmarkError

SCRIPTS = Path(__file__).with_name("web")
COMMAND = "python -m esrgan_benchmarks.runtimes.web_packages"
LISTS = ("package.json", "package-lock.json")


def packages_folder() -> Path:
    """The folder that holds `node_modules`, or will."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("esrgan-torch")) / "bench-web"


def missing_packages() -> str | None:
    """None where the packages are there in the versions asked for, else what to do."""
    folder = packages_folder()
    # npm writes this file last, so a fetch that was stopped does not count
    complete = (folder / "node_modules" / ".package-lock.json").is_file()
    if complete and all(_same(folder / name, SCRIPTS / name) for name in LISTS):
        return None
    return f"onnxruntime-web is not in {folder} in the version asked for: {COMMAND}"


def install() -> Path:
    """Fetch the packages, unless they are there; returns their folder.

    Raises:
        BenchmarkError: npm is not installed, or it failed; its own words are on stderr.
    """
    folder = packages_folder()
    if missing_packages() is None:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise BenchmarkError("npm is not installed: install Node, https://nodejs.org")
    folder.mkdir(parents=True, exist_ok=True)
    for name in LISTS:
        shutil.copyfile(SCRIPTS / name, folder / name)
    command = [npm, "ci", "--no-audit", "--no-fund"]
    if subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False).returncode:
        raise BenchmarkError(f"`npm ci` failed in {folder}; is the package registry within reach?")
    return folder


def _same(copy: Path, original: Path) -> bool:
    return copy.is_file() and copy.read_bytes() == original.read_bytes()


if __name__ == "__main__":
    try:
        print(install())
    except BenchmarkError as error:
        sys.exit(f"esrgan: {error}")
