"""One file on its way: read, enlarged and written, each step in a thread of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from esrgan_cli.options import STREAM
from esrgan_cli.output.library_warnings import about
from esrgan_cli.output.page import Page
from esrgan_cli.paths import Found, look, make_folder
from esrgan_cli.upscaling.coding import FileOptions
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.making import Making
from esrgan_cli.upscaling.tally import Tally, outcome_of
from esrgan_cli.upscaling.targets import Job, Targets
from esrgan_torch.errors import CancelledError, ImageWriteError
from esrgan_torch.images.files import Frame, Frames, Picture, write_coded
from esrgan_torch.images.formats import Coding, Format
from esrgan_torch.images.reader import Reader
from esrgan_torch.pipeline.stages import Piece, begun
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler


@dataclass(frozen=True)
class Means:
    """What all files of a run are made with.

    Args:
        upscalers: one for each device.
        targets: where the jobs come from.
        options: how files are read and written.
        finish: what is done to each result.
        making: how this run makes results, for the journal.
        reader: reads the files.
        tally: told how each job ended.
        page: collects the pictures for the before/after page, or None.
        stop: set when the run is stopped.
    """

    upscalers: Sequence[Upscaler]
    targets: Targets
    options: FileOptions
    finish: Finish
    making: Making
    reader: Reader
    tally: Tally
    page: Page | None
    stop: Event

    def place(self, job: Job) -> Job:
        """The job with a name that nobody else has taken, in a folder that is there.

        Raises:
            ImageWriteError: no file can have its name.
        """
        there = look(job.target)
        if there.kind not in ("file", "absent"):
            raise ImageWriteError(
                f"cannot write: {job.target} {there.cause or 'is a folder'}; choose another with -o"
            )
        make_folder(job.target.parent)
        return self.targets.claimed(job)

    def keep(self, job: Job, found: Found) -> None:
        """Note in the journal how a result was made from the file `found`."""
        if job.journal is not None:
            job.journal.made(job.target, self.making.record(job.key, found))
            if job.journal.failure:
                self.tally.journal_failed(job.journal)


class Work(Piece[Frame, tuple[Frame, Upscaled], None]):
    """Makes the result of one job: of all frames, where its format holds them, else of the first.

    A job that fails is reported and counted; the others go on.

    Args:
        job: which file becomes which.
        means: what it is made with.
    """

    _first: Picture
    _count: int
    _pixels: int
    _loop: int
    _coding: Coding
    _note: str

    def __init__(self, job: Job, means: Means) -> None:
        self._job, self._means = job, means
        self._told: set[str] = set()  # by libraries, in all three steps

    def read(self) -> Iterator[Frame]:
        """The frames to enlarge, when it is known that nothing stands against their result."""
        job, means = self._job, self._means
        options, upscaler = means.options, means.upscalers[0]
        with about(job.source, self._told):
            self._found = look(job.source)
            frames = means.reader.read_frames(options.stdin if job.source == STREAM else job.source)
            self._coding = options.coding(job.suffix or job.target.suffix)
            form, self._loop = self._coding.form, frames.loop
            whole = form.holds(frames)
            self._first = frames.first()
            self._count = frames.count if whole else 1
            self._pixels = self._first.height * self._first.width * self._count
            self._note = _note(frames, self._first, form, whole)
            # the original, the result and the coded result; of several frames, one is made meanwhile
            times = 1 + 2 * max(upscaler.scale, upscaler.model.scale) ** 2
            self.weight = int(self._first.pixels.nbytes * times) * min(self._count, 2)
            drops_alpha = upscaler.alpha == "drop"
            for number, frame in enumerate(frames if self._count > 1 else [Frame(self._first)]):
                means.finish.check(frame.picture, form, upscaler.scale, drops_alpha=drops_alpha)
                if number == 0 and job.target != STREAM:
                    self._job = means.place(job)
                yield frame

    def compute(self, given: Iterator[Frame], lane: int) -> Iterator[tuple[Frame, Upscaled]]:
        """Each frame and its enlargement, by the device of that number."""
        source, console = self._job.source, self._means.tally.console
        with about(source, self._told):
            for number, frame in enumerate(given):

                def progress(share: float, number: int = number) -> None:
                    console.progress(source, (number + share) / self._count, self._pixels)

                upscaler = self._means.upscalers[lane]
                yield frame, upscaler.upscale(frame.picture, progress, self._means.stop)

    def write(self, made: Iterator[tuple[Frame, Upscaled]]) -> None:
        """Write the result, and tell how that went; nothing of it where the run was stopped."""
        job, means = self._job, self._means
        try:
            with about(job.source, self._told):
                made = begun(made)  # the job has its name then
                target = self._job.target if means.options.stdout is None else means.options.stdout
                write_coded(target, self._finished(made), self._loop, self._coding)
                job = self._job
                self._keep()
        except CancelledError:
            return
        except Exception as error:  # a defect too costs one picture, not those that wait
            means.tally.failed(job, error)
        else:
            means.tally.done(job, outcome_of(self._first, self._result, self._count, self._note))
        means.tally.console.progress(job.source, 1.0)

    def _keep(self) -> None:
        """What is to be done with a result that is written: the journal and the page know it."""
        job, means = self._job, self._means
        means.keep(job, self._found)
        if means.page is not None:
            means.page.add(job.source, job.target, self._first, self._result)

    def _finished(self, made: Iterator[tuple[Frame, Upscaled]]) -> Iterator[Frame]:
        for number, (frame, result) in enumerate(made):
            result = replace(result, picture=self._means.finish(result.picture, frame.picture))
            self._result = result if number == 0 else self._result.joined(result)
            yield Frame(result.picture, frame.seconds)


def _note(frames: Frames, first: Picture, form: Format, whole: bool) -> str:
    """What of the file is not in the result, "" if nothing."""
    if not whole:
        kind, formats = ("frame", "png, webp, avif or gif") if frames.timed else ("page", "tiff")
        return (
            f"the first {kind} of {frames.count} was taken, since {form.name} holds one picture; give "
            f"--format {formats} for all"
        )
    if frames.count == 1 and first.frames > 1:
        return f"the main picture of {first.frames} in the file was taken"
    if frames.count > 1 and frames.timed and form.frames == "pages":
        return f"{frames.count} frames became pages, and {form.name} does not say how long each is shown"
    return ""
