"""A film enlarged, from file to file."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from esrgan_torch.engines.kinds import name_of
from esrgan_torch.errors import FilmWriteError
from esrgan_torch.films.codecs import RAW, FilmCoding, FilmOptions
from esrgan_torch.films.compute import Finish
from esrgan_torch.films.encode import Coding
from esrgan_torch.films.join import Carried, carried, join
from esrgan_torch.films.library import pyav
from esrgan_torch.films.parts import Parts
from esrgan_torch.films.read import Film, FilmReader
from esrgan_torch.films.run import FilmProgress, Run, Work
from esrgan_torch.films.survey import survey
from esrgan_torch.networks.base import Generator
from esrgan_torch.pipeline.stages import Times
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler
from esrgan_torch.watch import Flag

PART = 50
"""Frames of a part: what is lost at most when the process is killed."""


@dataclass(frozen=True)
class EnlargedFilm:
    """A result and how it came about.

    Args:
        film: what was enlarged.
        height, width: of the result.
        frames: how many it has; `repeated` of them were not computed, `kept` came from an earlier run.
        coding: how it is written.
        first: how the first frame of this run came about, with the sums over all; None if all were kept.
        notes: what is not in the result or needs to be known, sentences for people.
        times: what the devices did in this run.
    """

    film: Film
    height: int
    width: int
    frames: int
    repeated: int
    kept: int
    coding: Coding
    first: Upscaled | None
    notes: tuple[str, ...]
    times: Times


class FilmJob:
    """A film to enlarge, opened and checked: what cannot be is found out before any work.

    Args:
        source: open, by its path or as a stream.
        path: of the source; None for a stream, whose sound is lost.
        target: a path, by whose suffix the container is chosen, or an open file for raw frames (y4m).
        upscalers: one for each device; all of one network.
        options: of the encoder.
        finish: what is done to each result before it is written.
        making: what decides what the frames of the result are, beyond the upscaler, for the journal.
        part: frames of a part.

    Raises:
        ConfigError: the options cannot be, or the container does not hold the sound.
        FilmReadError: the film is damaged or cut off.
    """

    def __init__(
        self,
        source: FilmReader,
        path: Path | None,
        target: Path | BinaryIO,
        upscalers: Sequence[Upscaler],
        options: FilmOptions | None = None,
        finish: Finish | None = None,
        making: Mapping[str, Any] | None = None,
        part: int = PART,
    ) -> None:
        self.film = film = source.film
        self._reader, self._path, self._target = source, path, target
        self._upscalers, self._finish, self._part = upscalers, finish, part
        self._making = dict(making or {})
        suffix = target.suffix.lower() if isinstance(target, Path) else RAW
        self.coding: FilmCoding = (options or FilmOptions()).coding(
            suffix, deep=film.deep, chroma=film.chroma
        )
        self._carried = Carried()
        frames = film.frames
        if path is not None:
            frames = survey(path).frames
            if suffix != RAW:
                self._carried = carried(path, self.coding.container, suffix)
        self._work = Work(upscalers, self.coding, suffix == RAW, finish, frames)

    def run(
        self, progress: Callable[[FilmProgress], None] | None = None, cancel: Flag | None = None
    ) -> EnlargedFilm:
        """Do it. Where it is stopped or fails, the same job goes on later from the last part that is whole.

        Args:
            progress: called often, from any thread.
            cancel: a `threading.Event`; when it is set the work ends.

        Raises:
            FilmReadError: the film is damaged further on, or raw frames of a stream are cut off.
            FilmWriteError: the result cannot be written.
            CancelledError: `cancel` is set.
            Others: as of `Upscaler.upscale`.
        """
        if self._work.raw:
            return self._run_raw(progress, cancel)
        assert isinstance(self._target, Path)
        with Parts(self._target, self._identity()) as parts:
            try:
                return self._run_in_parts(self._target, parts, progress, cancel)
            finally:
                if self._path is None:  # a stream does not come again, and no run could go on from them
                    parts.remove()

    def _run_in_parts(
        self,
        target: Path,
        parts: Parts,
        progress: Callable[[FilmProgress], None] | None,
        cancel: Flag | None,
    ) -> EnlargedFilm:
        film = self.film
        kept = parts.frames if self._path is not None else 0
        run = Run(self._reader, self._work, kept, progress, cancel, parts.alive)
        with run:
            while (chunk := run.take(self._part)) is not None:
                file = parts.path(len(parts.whole))
                with atomic_path(file) as temporary:
                    order, length = run.write(chunk, temporary, str(target))
                parts.add(order, length)
        if not parts.whole:
            raise FilmWriteError(f"{film.name} has no frame that can be decoded")
        with atomic_path(target) as temporary:
            join(
                list(zip(parts.paths(), parts.whole, strict=True)),
                film.time_base,
                self._path,
                self._carried.streams,
                temporary,
                self.coding.container,
                film.aspect,
                self.coding.codec.tag,
            )
        notes = list(self._notes())
        if parts.discarded:
            notes.append(
                f"{parts.discarded} frames of an earlier run were made otherwise, and were made again"
            )
        result = self._result(run, kept, parts.frames, notes)
        parts.remove()
        return result

    def _run_raw(self, progress: Callable[[FilmProgress], None] | None, cancel: Flag | None) -> EnlargedFilm:
        with ExitStack() as stack:
            place: Path | BinaryIO = (
                self._target
                if not isinstance(self._target, Path)
                else stack.enter_context(atomic_path(self._target))
            )
            run = stack.enter_context(Run(self._reader, self._work, 0, progress, cancel, lambda: None))
            chunk = run.take(None)
            assert chunk is not None  # a film has a frame
            order, _ = run.write(
                chunk, place, str(self._target) if isinstance(self._target, Path) else "stdout"
            )
        assert run.shape is not None  # for the same reason
        note = (
            f"y4m does not say how colours are coded: they are {run.shape.colour}, as players take this size"
        )
        return self._result(run, 0, len(order), (*self._notes(), note))

    def _result(self, run: Run, kept: int, frames: int, notes: Sequence[str]) -> EnlargedFilm:
        shape = run.shape
        return EnlargedFilm(
            self.film,
            shape.height if shape is not None else 0,
            shape.width if shape is not None else 0,
            frames,
            run.repeated,
            kept,
            self.coding.coding,
            run.first,
            (*notes, run.cut) if run.cut else tuple(notes),
            run.times,
        )

    def _notes(self) -> Iterator[str]:
        yield from self.film.notes
        yield from self._carried.notes
        if self._path is None and not self._work.raw:
            yield "sound and subtitles of a film from stdin are not carried"
        if self.film.aspect != 1 and not self._work.raw and not self.coding.says_aspect:
            yield (
                f"its pixels are {self.film.aspect} times as wide as high, which {self.coding.codec.name} in "
                "this container does not say, so it is shown squeezed or stretched; give --codec h264 or "
                "hevc, or -o NAME.mp4"
            )
        if self._reader.short:
            yield f"{self._reader.short}: it may have been cut off on its way; all that came is in the result"
        if self._reader.damaged:
            count = self._reader.damaged
            frames, them = ("frame is", "it") if count == 1 else ("frames are", "them")
            yield f"{count:,} {frames} damaged in the file, and enlarged as the decoder made {them}"

    def _identity(self) -> dict[str, Any]:
        """What decides the bytes of the parts."""
        upscaler = self._upscalers[0]
        found: dict[str, Any] = {
            "source": None,
            "network": weights_digest(upscaler.model),
            "scale": upscaler.scale,
            "dtype": name_of(upscaler.dtype),
            "tiling": str(upscaler.tiling),
            "alpha": upscaler.alpha,
            "tta": upscaler.tta,
            "coding": self.coding.record(),
            "part": self._part,
            "av": pyav().__version__,
            **self._making,
        }
        if self._path is not None:
            facts = self._path.stat()
            found["source"] = [self._path.name, facts.st_size, facts.st_mtime_ns]
        else:
            found["source"] = secrets.token_hex(8)  # what comes from a stream is never the same again
        return found

    def __repr__(self) -> str:
        return f"<FilmJob {self.film.name} to {self._target}>"


def weights_digest(network: Generator) -> str:
    """The sha256 of a network's class and numbers."""
    digest = hashlib.sha256(type(network).__name__.encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
