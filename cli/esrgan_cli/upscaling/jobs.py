"""Read, upscale, write: one picture after another, on one device or shared out over several."""

import queue
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from esrgan_cli.options import STREAM
from esrgan_cli.output.console import Console
from esrgan_cli.output.library_warnings import about
from esrgan_cli.output.page import Page
from esrgan_cli.paths import Found, look, make_folder
from esrgan_cli.upscaling.coding import FileOptions, check_fits, pillow_limited, told
from esrgan_cli.upscaling.enlarging import Enlarging
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.making import Making
from esrgan_cli.upscaling.targets import Job, Targets
from esrgan_torch.errors import EsrganError, ImageTooLargeError, ImageWriteError
from esrgan_torch.images.files import Picture, write_coded
from esrgan_torch.images.reader import Reader
from esrgan_torch.upscaler import Upscaled, Upscaler


class Runner:
    """Does jobs. A picture that fails is reported and counted; the others go on.

    Args:
        upscalers: one for each device; each takes the next job when it is free.
        targets: where the jobs come from.
        options: how files are read and written.
        finish: what is done to each result.
        making: how this run makes results, for the journal.
        console: told about every file.
        page: collects the pictures for the before/after page, or None.

    Attributes:
        done, failed: how many jobs ended so.
    """

    def __init__(
        self,
        upscalers: Sequence[Upscaler],
        targets: Targets,
        options: FileOptions,
        finish: Finish,
        making: Making,
        console: Console,
        page: Page | None = None,
    ) -> None:
        self.done = 0
        self.failed = 0
        self._upscalers = upscalers
        self._targets = targets
        self._options = options
        self._finish = finish
        self._making = making
        self._console = console
        self._page = page
        self._count = threading.Lock()
        self._stop = threading.Event()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._total = 0
        self._journal_failed = False
        self._reader = Reader(max_pixels=options.max_pixels)

    def run(self, jobs: Sequence[Job]) -> None:
        """Do the jobs; Ctrl-C leaves no half file.

        Raises:
            KeyboardInterrupt: stopped by the user; what is done stays.
        """
        self._total = len(jobs)
        for job in jobs:
            self._jobs.put(job)
        with self._reader, pillow_limited(self._options.max_pixels):
            self._share_out()

    def _share_out(self) -> None:
        if len(self._upscalers) == 1:
            self._work(self._upscalers[0])
            return
        with ThreadPoolExecutor(len(self._upscalers), thread_name_prefix="esrgan") as pool:
            workers = [pool.submit(self._work, upscaler) for upscaler in self._upscalers]
            try:
                for worker in as_completed(workers):
                    worker.result()
            finally:  # reached early by Ctrl-C: the others stop at their next tile
                self._stop.set()

    def _work(self, upscaler: Upscaler) -> None:
        while not self._stop.is_set():
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            with about(job.source):
                try:
                    result = self._upscale(upscaler, job)
                except _StoppedError:
                    return
                except Exception as error:  # a defect too costs one picture, not those that wait
                    self._report_failure(job, error)
                else:
                    self._report(*result)
            self._console.progress(job.source, 1.0)

    def _upscale(self, upscaler: Upscaler, job: Job) -> tuple[Job, Enlarging]:
        options = self._options
        found = look(job.source)
        frames = self._reader.read_frames(options.stdin if job.source == STREAM else job.source)
        coding = options.coding(job.suffix or job.target.suffix)

        def check(picture: Picture) -> None:
            drops_alpha = upscaler.alpha == "drop"
            check_fits(picture, upscaler.scale, self._finish, coding.form, drops_alpha=drops_alpha)

        def progress(share: float) -> None:
            if self._stop.is_set():
                raise _StoppedError
            self._console.progress(job.source, share)

        work = Enlarging(frames, coding.form, upscaler, check, progress, self._finish)
        check(work.first)
        if job.target != STREAM:
            _check_place(job.target)
            make_folder(job.target.parent)
            job = self._claim(job)
        write_coded(job.target if options.stdout is None else options.stdout, work, frames.loop, coding)
        self._note(job, found)
        if self._page is not None:
            self._page.add(job.source, job.target, work.first, work.result)
        return job, work

    def _claim(self, job: Job) -> Job:
        """The job, under a name that no other process has taken meanwhile."""
        while job.wish is not None and job.journal is not None and not job.journal.claim(job.target, job.key):
            job = self._targets.renamed(job)
        return job

    def _note(self, job: Job, found: Found) -> None:
        """Write into the journal how a result was made; the result stands without it too."""
        if job.journal is None:
            return
        job.journal.made(job.target, self._making.record(job.key, found))
        if job.journal.failure and not self._journal_failed:
            self._journal_failed = True
            self._console.warn(
                f"the journal in {job.journal.folder} cannot be written ({job.journal.failure}): how results "
                "were made will not be known"
            )

    def _report(self, job: Job, work: Enlarging) -> None:
        picture, result = work.first, work.result
        with self._count:
            self.done += 1
            number = self.done + self.failed
        large = result.picture
        if job.target != STREAM:
            self._console.result(job.target)
        each = f", each of {work.count}," if work.count > 1 else ""
        self._console.say(
            f"[{number}/{self._total}] {told(job.source)}: {picture.width} x {picture.height} to "
            f"{large.width} x {large.height} pixels{each} in {result.seconds:.1f} s; "
            f"{result.device}, {result.dtype}, engine {result.engine}{', mean of 8' if result.tta else ''}; "
            f"{result.plan}"
        )
        if job.note:
            self._console.say(f"{told(job.source)}: {job.note}")
        for text in (work.note, *remarks(result)):
            if text:
                self._console.warn(f"{told(job.source)}: {text}")

    def _report_failure(self, job: Job, error: Exception) -> None:
        with self._count:
            self.failed += 1
            number = self.done + self.failed
        text = failure(error)
        name = (
            ""
            if text.startswith(f"{job.source} ") or f" {job.source}: " in f" {text}"
            else f"{told(job.source)}: "
        )
        self._console.say(f"[{number}/{self._total}] failed: {name}{text}")


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
    if not result.exact:
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


def _check_place(target: Path) -> None:
    """Raise, before the work is done, where a target is no name for a file."""
    there = look(target)
    if there.kind not in ("file", "absent"):
        raise ImageWriteError(
            f"cannot write: {target} {there.cause or 'is a folder'}; choose another with -o"
        )


class _StoppedError(Exception):
    """Another thread was stopped; leave the picture that is being computed."""
