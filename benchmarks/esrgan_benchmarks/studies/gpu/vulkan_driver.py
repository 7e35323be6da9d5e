"""Where a GPU's driver of Vulkan is: programs that are started afterwards find it."""

import ctypes
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

VULKAN = "libvulkan.so.1"
# either has NVIDIA's Vulkan; the first needs libraries of X11, which a container often lacks
NVIDIA = ("libGLX_nvidia.so.0", "libEGL_nvidia.so.0")
# where Vulkan looks for files that tell of drivers, and where containers have NVIDIA's
DRIVERS = ("/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d")
MOUNTED = "/usr/local/nvidia/share/vulkan/icd.d"


def prepare_vulkan(content: Path, driver: Path | None) -> dict[str, Any]:
    """Let this process's children find Vulkan; returns what was found.

    Args:
        content: a folder with `lib/libvulkan.so.1`, where a file may be written.
        driver: a file that tells of a driver, in place of the system's; None: the system's.
    """
    if not loads(VULKAN):
        paths = [str(content / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
        os.environ["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
    known = [str(path) for folder in DRIVERS for path in sorted(Path(folder).glob("*.json"))]
    library = next(filter(loads, NVIDIA), None)
    is_told = any("nvidia" in path for path in known) and library in (NVIDIA[0], None)
    if driver is None and not is_told:
        driver = _nvidia_file(content, library)
    if driver is not None:
        os.environ["VK_DRIVER_FILES"] = os.environ["VK_ICD_FILENAMES"] = str(driver.resolve())
    return {
        "nvidia": _nvidia(),
        "driver": str(driver.name) if driver else None,
        "drivers": known,
        "loader": "the system's" if loads(VULKAN) else "the bundle's",
        "nvidia_library": library,
    }


def loads(library: str) -> bool:
    """Whether a program can load it."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _nvidia_file(content: Path, library: str | None) -> Path | None:
    """Of a container, which often has the driver's libraries and no file that tells of them, or elsewhere."""
    if library is None:
        return next(iter(sorted(Path(MOUNTED).glob("*.json"))), None)
    file = content / "nvidia.json"
    icd = {"library_path": library, "api_version": "1.3.0"}
    file.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": icd}), encoding="utf-8")
    return file


def _nvidia() -> str | None:
    """NVIDIA's names of the GPUs and their driver's version."""
    if (smi := shutil.which("nvidia-smi")) is None:
        return None
    told = [smi, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return subprocess.run(told, capture_output=True, text=True, check=False).stdout.strip() or None
