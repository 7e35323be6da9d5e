"""One reader is fuzzed, led by coverage (atheris): it may refuse, and never fail.

    python -m tests.torture.fuzzed READER FOLDER --seconds N [--until N]

FOLDER keeps the files that led somewhere new, in `corpus`, and what was found. Decoders in C are not
followed, only what surrounds them; where one ends the process, that is found all the same.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

MEMORY = 3000  # MB of the process; it holds PyTorch
SLOWEST = 25  # seconds of the processor for one file
HANGS = 900  # seconds by the clock, in which a busy machine gives them
# what readers are made of, which must not be imported before it is followed; PyTorch is too large
FOLLOWED = ("esrgan_torch", "esrgan_weights", "esrgan_bridge", "esrgan_cli", "PIL", "tifffile", "tomllib")


class TooSlowError(BaseException):
    """One file takes too long; no reader passes over that."""


def _too_slow(*_: object) -> None:
    raise TooSlowError(f"ERROR: more than {SLOWEST} seconds of the processor for one file")


def main() -> None:
    import atheris
    import torch.nn  # noqa: F401

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=1200.0, help="of the processor")
    parser.add_argument("--until", type=int, default=1 << 30, help="seconds by the clock")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    corpus = given.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=list(FOLLOWED)):
        from esrgan_torch.errors import EsrganError
        from tests.torture.readers import reader_of

        reader, seeds = reader_of(given.reader)
        for number, data in enumerate(seeds):
            with contextlib.suppress(EsrganError):  # not every kind is read in every mode
                reader(data)  # what is imported when it is needed is followed too
            (corpus / f"seed-{number}").write_bytes(data)

    signal.signal(signal.SIGPROF, _too_slow)
    began = time.process_time()

    def one(data: Any) -> None:
        signal.setitimer(signal.ITIMER_PROF, SLOWEST)
        with contextlib.suppress(EsrganError, MemoryError):  # refused
            reader(bytes(data))
        signal.setitimer(signal.ITIMER_PROF, 0)
        if time.process_time() - began > given.seconds:
            os.kill(os.getpid(), signal.SIGUSR1)  # by which libFuzzer ends well

    flags = {
        "max_total_time": given.until,
        "rss_limit_mb": MEMORY,
        "timeout": HANGS,
        "seed": given.seed + 1,
        "max_len": 1 << 16,
        "print_final_stats": 1,
        "artifact_prefix": f"{given.folder}/found-",
    }
    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in flags.items()), str(corpus)], one)
    print(f"processor seconds before: {began:.1f}", flush=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
