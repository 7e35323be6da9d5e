"""The library for the systems that wheels are made for, compiled on this one by zig's C compiler.

    python -m esrgan_torch.engines.native.cross [--check] [NAME ...]

Each goes into the package's folder `lib`, from which the hook in `hatch_build.py` takes the one of a wheel's
system. zig is a program of one's own ($ZIG), or the package `ziglang` in this environment, or on the path.
`--check` compiles them again and compares: the same version of zig gives the same bytes, wherever it runs.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from esrgan_torch.engines.native.build import compile_library, first_error
from esrgan_torch.engines.native.targets import PREBUILT, WHEELS, Target, source_hash
from esrgan_torch.engines.native.zig import find_zig
from esrgan_torch.errors import EngineError

LONGEST = 1800.0  # seconds: the first time zig compiles the target's C library, for Windows in minutes


def compile_for(target: Target, folder: Path) -> Path:
    """The library for a target, in a folder that exists.

    Raises:
        EngineError: zig is not here, or cannot compile it.
    """
    zig = find_zig()
    if zig is None:
        raise EngineError("zig is not installed: pip install ziglang, or give its path as ZIG")
    path = folder / target.file_name(source_hash())
    # no debugging information: it depends on the machine
    further = ("-target", target.zig, "-g0", "-s")
    try:
        compile_library([*zig, "cc"], path, target, further, LONGEST)
    except subprocess.CalledProcessError as error:
        raise EngineError(f"zig cannot compile for {target.zig}: {first_error(error.stderr)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"zig cannot compile for {target.zig}: {error}") from error
    return path


def main() -> int:
    """Compile; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(WHEELS)}; all of them")
    parser.add_argument("--check", action="store_true", help="compare with what is there, and write nothing")
    options = parser.parse_args()
    if unknown := set(options.names) - set(WHEELS):
        parser.error(f"the targets are {', '.join(WHEELS)}, not {', '.join(sorted(unknown))}")
    targets = [WHEELS[name] for name in options.names or WHEELS]
    if options.check:
        with TemporaryDirectory() as place:
            wrong = [path for target in targets if (path := differing(target, Path(place))) is not None]
        for path in wrong:
            print(f"{path} differs from what its source compiles to", file=sys.stderr)
        return int(bool(wrong))
    PREBUILT.mkdir(exist_ok=True)
    for target in targets:
        print(compile_for(target, PREBUILT))
    return 0


def differing(target: Target, place: Path) -> Path | None:
    """The target's file in `lib` where it is missing, or another than what is compiled now from nothing."""
    os.environ["ZIG_GLOBAL_CACHE_DIR"] = str(place / "zig")  # else zig gives what it has kept
    made = compile_for(target, place)
    there = PREBUILT / made.name
    return None if there.exists() and there.read_bytes() == made.read_bytes() else there


if __name__ == "__main__":
    sys.exit(main())
