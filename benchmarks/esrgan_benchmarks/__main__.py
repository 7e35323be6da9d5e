"""`python -m esrgan_benchmarks NAME ...` runs one of the studies, as `speed`, `tables` or `gpu.main`.

A study is imported by its name, not run as `__main__`: it hands functions to processes of their own, which
look them up by the module that they are in.
"""

import sys
from importlib import import_module
from pathlib import Path

STUDIES = Path(__file__).with_name("studies")


def main() -> int | None:
    names = sorted(
        ".".join(path.relative_to(STUDIES).with_suffix("").parts)
        for path in STUDIES.rglob("*.py")
        if "\ndef main(" in path.read_text(encoding="utf-8")
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        given = f"there is no study {sys.argv[1]!r}" if len(sys.argv) > 1 else "which study?"
        sys.exit(f"{given}\nusage: python -m esrgan_benchmarks NAME ..., NAME one of: {', '.join(names)}")
    name = sys.argv[1]
    sys.argv = [f"esrgan_benchmarks {name}", *sys.argv[2:]]
    status: int | None = import_module(f"esrgan_benchmarks.studies.{name}").main()
    return status


if __name__ == "__main__":
    sys.exit(main())
