"""How jobs end: counted, and told."""

import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esrgan_cli.options import STREAM
from esrgan_cli.output.console import Console
from esrgan_cli.upscaling.coding import told
from esrgan_cli.upscaling.journal import Journal
from esrgan_cli.upscaling.report import Report, Size
from esrgan_cli.upscaling.targets import Job
from esrgan_torch.errors import EsrganError, ImageTooLargeError
from esrgan_torch.images.picture import Picture
from esrgan_torch.pipeline.stages import Times
from esrgan_torch.upscaled import Upscaled


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    Args:
        before, after: sizes of the picture, of several the first.
        count: how many pictures were enlarged.
        seconds: that took, without reading and writing.
        how: device, precision, engine and plan, for people.
        warnings: what must not be overlooked, a sentence each.
    """

    before: Size
    after: Size
    count: int
    seconds: float
    how: str
    warnings: Sequence[str] = ()


def outcome_of(first: Picture, result: Upscaled, count: int, note: str) -> Outcome:
    """What came of a file that was read whole.

    Args:
        first: the first picture, before.
        result: how it went: that of the first picture, with the sums over all of them.
        count: how many pictures were enlarged.
        note: what of the file is not in the result, "" if nothing.
    """
    large = result.picture
    return Outcome(
        (first.width, first.height),
        (large.width, large.height),
        count,
        result.seconds,
        f"{result.device}, {result.dtype}, engine {result.engine}{', mean of 8' if result.tta else ''}; "
        f"{result.plan}",
        [text for text in (note, *remarks(result)) if text],
    )


class Tally:
    """Counts jobs that are done or have failed, and tells of each. May be used by several threads.

    Args:
        console: where it tells people.
        report: where it tells machines.
        total: how many jobs there are.

    Attributes:
        successes, failures: how many jobs ended so.
    """

    def __init__(self, console: Console, report: Report, total: int) -> None:
        self.console, self._report = console, report
        self.successes = self.failures = 0
        self._total = total
        self._pixels = 0  # of the originals
        self._count = threading.Lock()
        self._journal_failed = False

    def done(self, job: Job, outcome: Outcome) -> None:
        """A job's result is written."""
        (width, height), (wide, high) = outcome.before, outcome.after
        with self._count:
            self.successes += 1
            self._pixels += height * width * outcome.count
            number = self.successes + self.failures
        if job.target != STREAM:
            self.console.result(job.target)
        each = f", each of {outcome.count}," if outcome.count > 1 else ""
        self.console.say(
            f"[{number}/{self._total}] {told(job.source)}: {width} x {height} to {wide} x {high} pixels"
            f"{each} in {outcome.seconds:.1f} s; {outcome.how}"
        )
        if job.note:
            self.console.say(f"{told(job.source)}: {job.note}")
        for text in outcome.warnings:
            self.console.warn(f"{told(job.source)}: {text}")
        self._report.add(
            job.source,
            "done",
            "; ".join(filter(None, (job.note, *outcome.warnings))),
            target=job.target,
            sizes=(outcome.before, outcome.after),
            frames=outcome.count,
            seconds=outcome.seconds,
        )

    def failed(self, job: Job, error: Exception) -> None:
        """A job has no result, for this reason."""
        with self._count:
            self.failures += 1
            number = self.successes + self.failures
        text = failure(error)
        name = (
            ""
            if text.startswith(f"{job.source} ") or f" {job.source}: " in f" {text}"
            else f"{told(job.source)}: "
        )
        self.console.say(f"[{number}/{self._total}] failed: {name}{text}")
        self._report.add(job.source, "failed", text)

    def stats(self, times: Times) -> str:
        """Where the time of the devices went, for --stats."""
        rate = self._pixels / max(times.total, 1e-9) / 1e6
        return f"{shares(times)}; {rate:.3g} million pixels read a second"

    def journal_failed(self, journal: Journal) -> None:
        """A journal cannot be written, which is said once; results stand without it too."""
        if not self._journal_failed:
            self._journal_failed = True
            self.console.warn(
                f"the journal in {journal.folder} cannot be written ({journal.failure}): later runs will "
                "not know how results were made"
            )


def shares(times: Times) -> str:
    """How much of the time the devices computed, and what they waited for."""
    whole = max(times.total, 1e-9)
    return (
        f"network busy {times.busy / whole:.1%} of {times.total:.1f} s, waited "
        f"{times.reading / whole:.1%} for reading and {times.writing / whole:.1%} for writing"
    )


def failure(error: Exception) -> str:
    """Why a picture failed. What the project does not raise on purpose is named, with where it came from."""
    if isinstance(error, MemoryError):
        return "not enough memory for the result"
    if isinstance(error, ImageTooLargeError):
        return f"{error} (here: --max-pixels, in millions)"
    if isinstance(error, EsrganError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"{type(error).__name__}: {error} ({place}; this is a defect of esrgan, please report it)"


def remarks(result: Upscaled) -> list[str]:
    """What a user must not overlook in how a result came about."""
    found: list[str] = []
    if not result.plan.exact:
        found.append(
            "NOT EXACT: overlapping tiles, seams may differ a little from the untiled result "
            f"({result.plan.reason})"
        )
    if result.redone:
        found.append(f"{result.redone} tiles were not finite in {result.dtype}, computed again in float32")
    if result.divided:
        found.append(f"{result.divided} tiles did not fit in memory and were divided")
    if result.picture.bits == 16 and result.dtype != "float32":
        levels = np.count_nonzero(np.bincount(result.picture.pixels.ravel()))
        found.append(
            f"16 bits computed in {result.dtype}, as asked: {levels:,} distinct values, and up to 2 % of the "
            "range away from float32's; without --dtype they are computed in float32"
        )
    return found
