"""What a conversion or a check found: rows, what was not run, and what it was measured with."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.parity.distance import Row
from esrgan_bridge.parity.probes import PHOTOS, Answer

FORMAT_VERSION = 1
PRECISION = "precision"  # among the facts of a runtime: what it computes in
SPLIT = " split"  # after a step's name: its copy's tiles beside the same copy untiled
USABLE = 50.0  # dB of the 8-bit picture that smaller weights must keep on the photos among the probes


@dataclass(frozen=True)
class Step:
    """One step of the chain: the folder that it made, how long that took, and the bytes of its files."""

    name: str
    seconds: float
    size: int


@dataclass(frozen=True)
class NotRun:
    """A runner, or probes of it, that were left out: `probe` names them, "" stands for the whole runner."""

    runner: str
    probe: str
    reason: str


@dataclass(frozen=True)
class Worst:
    """The answer of a step that is furthest from the original, as pictures (H, W, C)."""

    row: Row
    original: Answer
    copy: NDArray[np.float32]


@dataclass
class ParityReport:
    """What was made and how far it is from the original. `print(report)` shows the table.

    Attributes:
        name: of the weights.
        to, route, quantize: as given to `convert`.
        steps: what was built, in order.
        rows: every measurement, in order.
        not_run: what this machine could not run, and why.
        machine: facts for people: processor, cores, versions.
        runtimes: for each runner that ran, its precision, versions and devices.
        asked: runners that were named, to measure in these alone; none where all were asked.
        files: sha256 of every file of the folder but the reports themselves.
        worst: for each step the answer furthest from the original; not stored in the JSON file.
    """

    name: str
    to: str
    route: str
    quantize: str
    steps: list[Step] = field(default_factory=list[Step])
    rows: list[Row] = field(default_factory=list[Row])
    not_run: list[NotRun] = field(default_factory=list[NotRun])
    machine: dict[str, str] = field(default_factory=dict[str, str])
    runtimes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    asked: list[str] = field(default_factory=list[str])
    files: dict[str, str] = field(default_factory=dict[str, str])
    worst: dict[str, Worst] = field(default_factory=dict[str, Worst])

    @property
    def copies(self) -> list[Row]:
        """The measurements of copies: without the original's own float32."""
        return [row for row in self.rows if row.step != "torch"]

    @property
    def answers(self) -> list[Row]:
        """The copies beside the original. Beside itself, in tiles, none tells how close it is."""
        return [row for row in self.copies if not row.step.endswith(SPLIT)]

    @property
    def passed(self) -> bool:
        """Whether copies were measured, and every measurement is within its tolerance."""
        return bool(self.answers) and all(row.passed for row in self.rows)

    @property
    def counts(self) -> str:
        """How many rows there are, of copies and of the original; the same wherever it is said."""
        copies = self.copies
        own = len(self.rows) - len(copies)
        runtimes = _count(len({row.runner for row in copies}), "runtime")
        return f"{_count(len(copies), 'measurement')} of copies in {runtimes}" + (
            f", and {own} of the original's own float32" if own else ""
        )

    @property
    def verdict(self) -> str:
        """One sentence, the same on the page and in a terminal."""
        count = len(self.warnings)
        return self._result + (f", with {_count(count, 'warning')}" if self.passed and count else "")

    @property
    def _result(self) -> str:
        failed = sum(not row.passed for row in self.rows)
        if failed:
            return f"{_count(failed, 'measurement')} out of tolerance, of {self.counts}"
        if not self.answers:
            return "Nothing was measured: no runtime computed with any copy"
        return f"{self.counts}: all within their tolerance"

    def precision(self, runner: str) -> str:
        """What a runner that ran computes in."""
        return self.runtimes.get(runner, {}).get(PRECISION, "not recorded")

    @property
    def warnings(self) -> list[str]:
        """What a user must know though the tolerances hold: a copy that nothing measured among others that
        were, a runtime that was asked for by name and measured nothing, and photos that lose too much by
        smaller weights.

        The probes are small, and denser texture than theirs loses more in uint8 (docs/conversion.md), so
        uint8 always has its warning.
        """
        return [*self._unmeasured(), *self._idle(), *self._lossy()]

    def _unmeasured(self) -> list[str]:
        measured = {row.step for row in self.answers}
        missing = [step.name for step in self.steps if step.name not in measured]
        if not measured or not missing:
            return []
        return [f"no runtime measured {' and '.join(missing)}: nothing is known of how close it is"]

    def _idle(self) -> list[str]:
        """Else a gate that names its runtimes would pass without one of them."""
        if not self.answers:
            return []  # which is a failure of its own
        ran = {row.runner for row in self.rows} | {"torch"}
        reasons = {entry.runner: entry.reason for entry in self.not_run}
        return [
            f"{name} was asked for and measured nothing: {reasons.get(name, 'it reads none of these copies')}"
            for name in dict.fromkeys(self.asked)
            if name not in ran
        ]

    def _lossy(self) -> list[str]:
        photos = [row for row in self.rows if row.step == self.to and row.probe in PHOTOS]
        if self.quantize == "none" or not photos:
            return []
        worst = min(photos, key=_kept)
        if self.quantize != "uint8" and _kept(worst) >= USABLE:
            return []
        kept = "is equal" if worst.psnr is None else f"keeps {worst.psnr:.1f} dB"
        return [
            f"{self.quantize} weights: the photo {worst.probe!r} {kept}, and a denser texture less. They "
            f"are not called usable, as some photos keep less than {USABLE:.0f} dB: convert with float16 "
            "weights, or look at your own pictures first"
        ]

    def __str__(self) -> str:
        return f"{self.table}\n{self.verdict}"

    @property
    def table(self) -> str:
        """The rows, and what was not run, for a terminal."""
        return format_rows(self.rows, self.not_run)

    def to_json(self) -> str:
        """Everything but the pictures."""
        record: dict[str, Any] = {"format_version": FORMAT_VERSION}
        record |= {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "worst"}
        for name in ("steps", "rows", "not_run"):
            record[name] = [asdict(entry) for entry in record[name]]
        return json.dumps(record, indent=1, allow_nan=False) + "\n"


def format_rows(rows: Sequence[Row], not_run: Sequence[NotRun]) -> str:
    """A table for a terminal."""
    lines = [("STEP", "RUNNER", "PROBE", "SIZE", "MAX", "MEAN", "PSNR", "PIXELS", "ALLOWED", "SECONDS", "")]
    lines += [
        (
            row.step,
            row.runner,
            row.probe,
            row.size,
            f"{row.largest:.1e}",
            f"{row.mean:.1e}",
            format_psnr(row),
            f"{row.differing}/{row.pixels}",
            f"{row.tolerance:.0e}",
            f"{row.seconds:.3f}",
            "" if row.passed else "FAILED",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    text += [
        f"not run: {entry.runner}{f' on {entry.probe}' if entry.probe else ''}: {entry.reason}"
        for entry in not_run
    ]
    return "\n".join(text)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def format_psnr(row: Row) -> str:
    """Of the 8-bit pictures, for people."""
    return "same" if row.psnr is None else f"{row.psnr:.1f} dB"


def _kept(row: Row) -> float:
    """PSNR of the 8-bit picture, in dB."""
    return float("inf") if row.psnr is None else row.psnr
