"""A picture whose result is too large for memory: it goes by rows from its file to the other."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_cli.output.library_warnings import about
from esrgan_cli.paths import look
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.tally import Outcome
from esrgan_cli.upscaling.targets import Job
from esrgan_cli.upscaling.work import Means, Work
from esrgan_torch.engines.computing import CPU
from esrgan_torch.engines.devices import device_name, recent_free_memory
from esrgan_torch.errors import CancelledError, ConfigError, EsrganError
from esrgan_torch.images.formats import find_format
from esrgan_torch.images.picture import Samples
from esrgan_torch.images.png import HEADER_END, SIGNATURE, png_size
from esrgan_torch.images.read_rows import RowFile
from esrgan_torch.images.write_rows import check_rows_path, write_rows
from esrgan_torch.pipeline.stages import AnyPiece, Piece, begun
from esrgan_torch.tiling.plan import SHARE

_READ = (".png", ".tif", ".tiff")
_SMALL = 1 << 20  # bytes of a file that is not looked into: reading it twice would cost more than it saves
_PIXEL = 8  # bytes: four channels of 16 bits
_RESULTS = 3  # times its bytes a result takes in memory while it is coded


def work_of(job: Job, means: Means) -> AnyPiece:
    """How a job is done: with its result in memory, or by rows where that has no room and rows can be."""
    try:
        file = _too_large(job, means)
    except (EsrganError, OSError, ValueError):
        file = None  # whoever reads it whole says what is wrong
    return Work(job, means) if file is None else RowWork(job, means, file)


def _too_large(job: Job, means: Means) -> RowFile | None:
    """The file, where its result is larger than memory and can go by rows."""
    upscaler, options = means.upscalers[0], means.options
    if job.source == STREAM or job.target == STREAM or means.page is not None:
        return None
    if job.source.suffix.lower() not in _READ or job.source.stat().st_size < _SMALL:
        return None
    if options.encode.quality is not None or means.finish != Finish(strip=means.finish.strip):
        return None
    scale = upscaler.model.scale
    room = recent_free_memory(CPU) * SHARE
    if _most_bytes(job.source) * scale**2 * _RESULTS <= room:
        return None
    try:
        check_rows_path(job.target)
        file = means.reader.read_rows(job.source)
        if file is None or file.about.has_alpha or file.height * file.width > options.max_pixels:
            return None
        needed = upscaler.plan_rows(file.height, file.width)
    except ConfigError:  # this Upscaler, or a file of that name, does not go by rows
        return None
    if max(file.height, file.width) * scale > find_format(job.target.suffix).max_side:
        return None
    result = file.height * file.width * file.channels * file.bits // 8 * scale**2
    fits = needed <= recent_free_memory(upscaler.device) * SHARE
    return file if result * _RESULTS > room and fits else None


def _most_bytes(path: Path) -> float:
    """Bytes that a PNG's pixels take at most, by its header; of other files nothing is known yet.

    To look into a PNG is to go through all of it, which the many that fit are spared.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_END)
    if not head.startswith(SIGNATURE):
        return math.inf
    height, width = png_size(head)
    return height * width * _PIXEL


class RowWork(Piece[Samples, Samples, None]):
    """Makes the result of one job by rows; a job that fails is reported and counted, the others go on.

    Args:
        job: which file becomes which.
        means: what it is made with.
        file: that of the job, looked into.
    """

    def __init__(self, job: Job, means: Means, file: RowFile) -> None:
        self._job, self._means, self._file = job, means, file
        self._told: set[str] = set()  # by libraries, in all three steps
        self._seconds = 0.0
        self.weight = means.upscalers[0].plan_rows(file.height, file.width)

    def read(self) -> Iterator[Samples]:
        """The picture from its top."""
        job, means = self._job, self._means
        with about(job.source, self._told):
            self._found = look(job.source)
            self._job = means.place(job)
            yield from self._file.bands()

    def compute(self, given: Iterator[Samples], lane: int) -> Iterator[Samples]:
        """The larger picture from its top, by the device of that number."""
        file, source, means = self._file, self._job.source, self._means

        def progress(share: float) -> None:
            means.tally.console.progress(source, share, file.height * file.width)

        with about(source, self._told):
            upscaler = means.upscalers[lane]
            bands = upscaler.upscale_rows(given, file.height, file.width, progress, means.stop)
            began = time.perf_counter()
            for band in bands:
                self._seconds += time.perf_counter() - began
                yield band
                began = time.perf_counter()

    def write(self, made: Iterator[Samples]) -> None:
        """Write the result as it comes, and tell how that went; nothing of it where the run was stopped."""
        means, file, scale = self._means, self._file, self._means.upscalers[0].model.scale
        height, width = file.height * scale, file.width * scale
        try:
            with about(self._job.source, self._told):
                made = begun(made)  # the job has its name then
                facts = file.about.without_metadata() if means.finish.strip else file.about
                write_rows(self._job.target, made, height, width, facts)
                means.keep(self._job, self._found)
        except CancelledError:
            return
        except Exception as error:  # a defect too costs one picture, not those that wait
            means.tally.failed(self._job, error)
        else:
            device = device_name(means.upscalers[0].device)
            how = f"{device}, float32; by rows, exact, about {self.weight / 2**20:,.0f} MiB"
            outcome = Outcome((file.width, file.height), (width, height), 1, self._seconds, how)
            means.tally.done(self._job, outcome)
        means.tally.console.progress(self._job.source, 1.0)
