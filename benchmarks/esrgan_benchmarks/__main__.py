"""`python -m esrgan_benchmarks NAME ...` runs one of the studies, as `speed`, `tables` or `gpu.main`."""

import sys
from pathlib import Path
from runpy import run_module

STUDIES = Path(__file__).with_name("studies")


def main() -> None:
    names = sorted(
        ".".join(path.relative_to(STUDIES).with_suffix("").parts)
        for path in STUDIES.rglob("*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        given = f"there is no study {sys.argv[1]!r}" if len(sys.argv) > 1 else "which study?"
        sys.exit(f"{given}\nusage: python -m esrgan_benchmarks NAME ..., NAME one of: {', '.join(names)}")
    sys.argv = [f"esrgan_benchmarks {sys.argv[1]}", *sys.argv[2:]]
    run_module(f"esrgan_benchmarks.studies.{sys.argv[0].split()[1]}", run_name="__main__")


if __name__ == "__main__":
    main()
