"""Packages of npm's registry that scripts of ours need: where they are, and `npm ci` to fetch them.

Nothing is written into site-packages: the scripts' package.json and its lock file are copied into a folder
of the user's, and npm makes its `node_modules` there.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from esrgan_bridge.errors import MissingRuntimeError
from esrgan_torch.storage.paths import expanded

LISTS = ("package.json", "package-lock.json")


@dataclass(frozen=True)
class NpmPackages:
    """The packages of one folder of scripts.

    Args:
        title: of the most important one, for people.
        scripts: the folder, which has the two `LISTS`.
        place: name of the folder in the user's cache folder.
        command: what fetches them.
        variable: of the environment, which may name another folder.
    """

    title: str
    scripts: Path
    place: str
    command: str
    variable: str | None = None

    def folder(self) -> Path:
        """The folder that holds `node_modules`, or will."""
        if self.variable and (given := os.environ.get(self.variable)):
            return expanded(given)
        import platformdirs

        return Path(platformdirs.user_cache_dir("esrgan-torch")) / self.place

    def missing(self) -> str | None:
        """None where the packages are there in the versions asked for, else what to do."""
        folder = self.folder()
        # npm writes this file last, so a fetch that was stopped does not count
        if not (folder / "node_modules" / ".package-lock.json").is_file():
            return f"{self.title} is not in {folder}: {self.command}"
        for name in LISTS:
            copy = folder / name
            if not copy.is_file() or copy.read_bytes() != (self.scripts / name).read_bytes():
                others = f"{self.title} in {folder} is of other versions than this release asks for"
                return f"{others}: {self.command}"
        return None

    def install(self) -> Path:
        """Fetch the packages, unless they are there; returns their folder.

        Raises:
            MissingRuntimeError: npm is not installed, or it failed; its own words are on stderr.
        """
        folder = self.folder()
        if self.missing() is None:
            return folder
        npm = shutil.which("npm")
        if npm is None:
            raise MissingRuntimeError("npm is not installed: install Node, https://nodejs.org")
        folder.mkdir(parents=True, exist_ok=True)
        for name in LISTS:
            shutil.copyfile(self.scripts / name, folder / name)
        command = [npm, "ci", "--no-audit", "--no-fund"]
        if subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False).returncode:
            raise MissingRuntimeError(f"`npm ci` failed in {folder}; is the package registry within reach?")
        return folder

    def main(self) -> None:
        """The command."""
        try:
            print(self.install())
        except MissingRuntimeError as error:
            sys.exit(f"esrgan: {error}")
