"""A quota that is used up in one folder, by a library that is loaded before all others (quota.c)."""

import shutil
import subprocess
import sys
from pathlib import Path

KINDS = ("bytes", "files")


def compiled(folder: Path) -> Path | None:
    """The library; None where it cannot be made or preloaded."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return None
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / "quota.so"
    source = Path(__file__).with_name("quota.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
    return None if subprocess.run(command, capture_output=True, check=False).returncode else library


def used_up(kind: str, folder: Path) -> dict[str, str]:
    """Variables by which it is, for bytes or for files below a folder."""
    return {"TORTURE_QUOTA_OF": kind, "TORTURE_QUOTA": str(folder)}
