"""What `esrgan upscale` does with films; everything else goes the way of pictures."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from esrgan_cli.films.asked import Asked, asked_for
from esrgan_cli.films.bar import FilmBar
from esrgan_cli.films.tell import kept_for_later, remarks, told_of
from esrgan_cli.options import STREAM, parse_tiling
from esrgan_cli.output.console import Console
from esrgan_cli.output.library_warnings import about, library_warnings
from esrgan_cli.output.streams import take_stdout
from esrgan_cli.paths import look, make_folder
from esrgan_cli.upscaling.given import (
    check_network,
    devices_of,
    ending_of,
    load_network,
    make_upscalers,
    max_pixels_of,
    scale_of,
)
from esrgan_cli.upscaling.making import Making, making_of
from esrgan_cli.upscaling.pending import pending
from esrgan_cli.upscaling.report import Report, check_report
from esrgan_cli.upscaling.run import tell_left_out, tell_report, tell_sorted_out, upscale_files
from esrgan_cli.upscaling.shards import parse_shard
from esrgan_cli.upscaling.tally import failure, shares
from esrgan_cli.upscaling.target_size import TargetSize, parse_size
from esrgan_cli.upscaling.targets import Job, targets_of
from esrgan_torch.errors import ConfigError, MissingCodecError
from esrgan_torch.films.codecs import RAW
from esrgan_torch.films.enlarge import FilmJob
from esrgan_torch.films.library import pyav
from esrgan_torch.films.read import FilmReader
from esrgan_torch.images.picture import Picture
from esrgan_torch.images.resample import imresize
from esrgan_torch.pipeline.stages import Times
from esrgan_torch.storage.paths import line, trouble
from esrgan_torch.upscaler import Upscaler


def upscale(arguments: argparse.Namespace) -> int:
    """Upscale what the arguments of `esrgan upscale` name, films and pictures.

    Returns:
        0 if everything is made or was there, 1 if one failed.

    Raises:
        ConfigError: options that cannot be; before anything is loaded, where they alone say so.
        EsrganError: the network cannot be loaded.
        MissingCodecError: a film is given, and PyAV is not installed.
        KeyboardInterrupt: stopped.
    """
    asked = asked_for(arguments)
    if not asked.films:
        return upscale_files(arguments, asked.search)
    # what the user calls by its name has to be done; of a folder, what can be
    required = any(film.root is None for film in asked.films) or not asked.has_pictures
    missing = None
    try:
        pyav()
    except MissingCodecError as error:
        if required:
            raise
        missing = error
    if missing is None:
        for film in asked.films:  # what the options alone cannot be, before anything is made
            asked.options.coding(asked.suffix_of(film.path)[0])
    status = 0
    if asked.has_pictures:
        pictures = argparse.Namespace(**{**vars(arguments), "inputs": list(asked.others)})
        status = upscale_files(pictures, asked.search)
    if missing is not None:
        return max(status, _leave_out(arguments, asked, missing))
    return max(status, _upscale_films(arguments, asked))


def _leave_out(arguments: argparse.Namespace, asked: Asked, missing: MissingCodecError) -> int:
    """Say that films which lie beside pictures cannot be read; 1 if that cannot be reported."""
    report = Report(arguments.report, begun=True)
    with Console(0) as console:
        count = len(asked.films)
        console.warn(f"{count} film{'s are' if count > 1 else ' is'} left out: {missing}")
        for film in asked.films:
            report.add(film.path, "left out", str(missing))
        tell_report(console, report)
    return 1 if report.failure else 0


def _upscale_films(arguments: argparse.Namespace, asked: Asked) -> int:
    started = time.perf_counter()
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    check_network(arguments)
    check_report(arguments.report)
    devices = devices_of(arguments)
    if arguments.page is not None and not asked.has_pictures:
        raise ConfigError("--page shows pictures, and the inputs are films")
    size = parse_size(arguments.width, arguments.height, arguments.fit)
    max_pixels = max_pixels_of(arguments)
    stdin = _take_stdin() if STREAM in (film.path for film in asked.films) else None
    stdout = take_stdout() if asked.to_stdout else None
    scale, network = scale_of(arguments, size)
    targets = targets_of(
        asked.films,
        arguments.output,
        ending_of(arguments, size, scale),
        asked.suffix_of,
        to_stdout=asked.to_stdout,
        to_file=asked.to_file,
    )
    targets = parse_shard(arguments.shard).of(targets, asked.films)
    making = making_of(arguments, scale, network)
    given = {name: value for name, value in vars(asked.options).items() if value is not None}
    making = replace(making, options={**making.options, **given})
    to_do = pending(targets, making, overwrite=arguments.overwrite, update=arguments.update)
    upscalers: list[Upscaler] = []
    if to_do.jobs:
        upscalers = make_upscalers(network or load_network(arguments), devices, arguments, tiling)
    report = Report(arguments.report, begun=asked.has_pictures)
    with Console(0) as console, library_warnings(console):
        if not asked.has_pictures:
            tell_left_out(console, report, asked.search)
        tell_sorted_out(console, report, targets, to_do)
        films = Films(upscalers, asked, size, making, max_pixels, console, report, stdin, stdout)
        try:
            for number, job in enumerate(to_do.jobs, 1):
                films.make(job, f"[{number}/{len(to_do.jobs)}]")
        finally:
            failed = films.failed + len(targets.problems)
            left_over = len(to_do.jobs) - films.done - films.failed
            seconds = time.perf_counter() - started
            console.sum_up(films.done, len(to_do.skipped), failed, left_over, seconds)
        if arguments.stats and films.done:
            console.say(f"{shares(films.times)}; {films.frames / films.times.total:.2f} frames a second")
        tell_report(console, report)
        return 1 if failed or console.names_lost or report.failure else 0


class Films:
    """Makes films one after the other. One that fails is reported and counted; the others go on.

    Args:
        upscalers: one for each device.
        asked: what is asked for.
        size: to resize results to, or None.
        making: how this run makes results, for the journals.
        max_pixels: of a frame.
        console, report: told about every film.
        stdin, stdout: where a film comes from, or goes to, that has no name.

    Attributes:
        done, failed: how many films ended so.
        frames, times: how many were made of those that are done, and what the devices did.
    """

    def __init__(
        self,
        upscalers: Sequence[Upscaler],
        asked: Asked,
        size: TargetSize | None,
        making: Making,
        max_pixels: int,
        console: Console,
        report: Report,
        stdin: BinaryIO | None,
        stdout: BinaryIO | None,
    ) -> None:
        self.done = 0
        self.failed = 0
        self.frames = 0
        self.times = Times()
        self._upscalers, self._asked, self._size, self._making = upscalers, asked, size, making
        self._max_pixels, self._console, self._report = max_pixels, console, report
        self._stdin, self._stdout = stdin, stdout

    def make(self, job: Job, number: str) -> None:
        """Make one; `number` stands before what is said."""
        name = "stdin" if job.source == STREAM else str(job.source)
        with about(job.source):
            try:
                self._make(job, name, number)
            except BrokenPipeError:  # whoever reads our stdout has gone
                raise
            except Exception as error:  # a defect too costs one film, not those that wait
                self.failed += 1
                text = line(trouble(error) or error) if isinstance(error, OSError) else failure(error)
                self._console.say(f"{number} failed: {text if name in text else f'{name}: {text}'}")
                self._report.add(job.source, "failed", text, target=job.target)
                kept = kept_for_later(job.target)
                if kept:
                    self._console.say(f"{name}: {kept}")
            except BaseException:
                kept = kept_for_later(job.target)
                if kept:
                    self._console.say(f"{name}: {kept}")
                raise
            else:
                self.done += 1

    def _make(self, job: Job, name: str, number: str) -> None:
        started = time.perf_counter()
        path = None if job.source == STREAM else job.source
        found = look(job.source) if path is not None else None
        source: Path | BinaryIO = path if path is not None else cast(BinaryIO, self._stdin)
        form = "yuv4mpegpipe" if path is None and self._asked.suffix == RAW else None
        target: Path | BinaryIO = job.target if self._stdout is None else self._stdout
        if isinstance(target, Path):
            make_folder(target.parent)
        making = {"size": str(self._size)} if self._size is not None else {}
        with ExitStack() as stack:
            reader = stack.enter_context(FilmReader(source, name, form, self._max_pixels))
            film = FilmJob(
                reader,
                path,
                target,
                self._upscalers,
                self._asked.options,
                self._resized if self._size is not None else None,
                making,
            )
            bar = stack.enter_context(FilmBar(name))
            result = film.run(bar)
        self.frames += result.frames - result.kept
        self.times = self.times.plus(result.times)
        if job.journal is not None and found is not None:
            job.journal.made(job.target, self._making.record(job.key, found))
        if self._stdout is not None:
            self._stdout.flush()
        else:
            self._console.result(job.target)
        seconds = time.perf_counter() - started
        self._console.say(f"{number} {told_of(name, result, seconds)}")
        warnings = [text for text in (job.note, *result.notes, *remarks(result)) if text]
        for text in warnings:
            self._console.warn(f"{name}: {text}")
        self._report.add(
            job.source,
            "done",
            "; ".join(warnings),
            target=job.target,
            sizes=((result.film.width, result.film.height), (result.width, result.height)),
            frames=result.frames,
            seconds=seconds,
        )

    def _resized(self, large: Picture, original: Picture) -> Picture:
        assert self._size is not None
        size = self._size.of(original.height, original.width)
        return (
            large if size == (large.height, large.width) else large.with_pixels(imresize(large.pixels, *size))
        )


class _Pipe:
    """stdin as what can only be read on: PyAV would try to go back in what looks like a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read


def _take_stdin() -> BinaryIO:
    if sys.stdin.isatty():
        raise ConfigError("the input - is a film from stdin, and stdin is the keyboard here; send it a film")
    return cast(BinaryIO, _Pipe(sys.stdin.buffer))
