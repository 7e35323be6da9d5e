"""What belongs to every number: the machine, the versions, the memory."""

import os
import platform
import sys
from pathlib import Path

import numpy as np
import torch


def describe_machine() -> dict[str, str]:
    """Facts that belong to every number."""
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def processor() -> str:
    """Its name, as far as the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory() -> str:
    """Of this process so far, for people; of the processes that it started the largest."""
    if sys.platform == "win32":
        return "not known on Windows"
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts KiB
    own, largest = (
        resource.getrusage(who).ru_maxrss * unit / 1e9
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return f"{own:.1f} GB in the converting process, {largest:.1f} GB in the largest runner"
