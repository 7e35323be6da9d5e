"""Faults on purpose, for as long as is given; a row for each goes into benchmarks/results/reliability.jsonl.

    python -m tests.torture [--minutes N] [--only KIND...] [--dry]

Kinds: paths, kills, moments, disks, network, sizes, fuzz. What was lost is printed; status 1 where something
was.
"""

import argparse
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from esrgan_benchmarks.core import record
from tests.torture import cases, fuzz, network, sizes
from tests.torture.forks import MODULES, Forks
from tests.torture.good import Good
from tests.torture.kills import Case, Killer
from tests.torture.places import can_mount
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
    """

    forks: Forks
    good: Good
    scratch: Path
    end: float
    seed: int

    @property
    def over(self) -> bool:
        return time.monotonic() > self.end


Result = tuple[str, str, str]  # fault, command, what was lost or nothing


def _paths(given: Round) -> Iterator[Result]:
    for number, slot in enumerate(SLOTS):
        place = given.scratch / f"paths-{number}"
        place.mkdir()
        for each in sweep(given.forks, given.good, place, [slot], can_mount(place / "mount")):
            yield (
                "a path that goes wrong",
                f"esrgan {slot.arguments[0]}",
                each.problem and f"{slot.name}, {each.fault}: {each.problem}",
            )
        if given.over:
            return


def _all_cases(given: Round) -> Iterator[Case]:
    yield from (
        cases.upscale(given.good),
        cases.upscale_over(given.good),
        cases.weights_convert(given.good),
        cases.weights_add(given.good),
        cases.convert_new(given.good),
        cases.convert_over(given.good),
        cases.train(given.good),
    )


def _kills(given: Round) -> Iterator[Result]:
    with network.serving(given.good["pickle"]) as address:
        for number, case in enumerate((cases.fetch_url(address), *_all_cases(given))):
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
    with network.serving(given.good["pickle"]) as address:
        for number, case in enumerate((cases.fetch_url(address), *_all_cases(given))):
            killer = Killer(given.forks, case, given.scratch / f"moments-{number}")
            for kill in killer.at_moments(50, given.seed):
                yield "kill -9 at a random moment", f"esrgan {case.name}", _said(kill.where, kill.lost)
                if given.over:
                    return


def _said(where: float, lost: list[str]) -> str:
    return f"at {where:.3g}: " + "; ".join(lost) if lost else ""


KINDS: dict[str, Callable[[Round], Iterator[Result]]] = {
    "paths": _paths,
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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="record no rows")
    arguments = parser.parse_args()
    scratch = Path(mkdtemp(prefix="esrgan-torture-"))
    scratch.chmod(0o755)
    tries, lost = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    os.environ.setdefault("ESRGAN_CACHE", str(scratch / "cache"))
    try:
        good = Good(scratch / "good")
        with Forks(scratch / "said", (*MODULES, *MORE)) as forks:
            for kind in arguments.only:
                end = time.monotonic() + 60 * arguments.minutes
                for fault, command, said in KINDS[kind](Round(forks, good, scratch, end, arguments.seed)):
                    tries[fault, command] += 1
                    if said:
                        lost[fault, command] += 1
                        print(f"LOST: {fault}: {command}: {said}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    rows = [
        {"fault": fault, "command": command, "tries": count, "lost": lost[fault, command]}
        for (fault, command), count in tries.items()
    ]
    for row in rows:
        print(f"{row['fault']}: {row['command']}: {row['tries']} tries, {row['lost']} lost")
    if not arguments.dry:
        print(record.append("reliability", rows))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
