"""What `esrgan upscale` does, in order: check the options, find the files, load the network, do the jobs."""

import argparse
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from esrgan_cli.options import STREAM, parse_devices, parse_tiling
from esrgan_cli.output.console import Console
from esrgan_cli.output.library_warnings import library_warnings
from esrgan_cli.output.page import Page, check_page
from esrgan_cli.output.streams import read_stdin, take_stdout
from esrgan_cli.paths import make_folder
from esrgan_cli.upscaling.background import parse_colour
from esrgan_cli.upscaling.by_rows import work_of
from esrgan_cli.upscaling.coding import FileOptions
from esrgan_cli.upscaling.files import Problem, Search, find_sources, goes_to_stdout, names_a_file
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.formats import DEFAULT_FORMAT, SAME, suffix_for, suffix_like
from esrgan_cli.upscaling.jobs import do_works
from esrgan_cli.upscaling.making import making_of
from esrgan_cli.upscaling.pending import Pending, pending
from esrgan_cli.upscaling.report import Report, check_report
from esrgan_cli.upscaling.shards import parse_shard
from esrgan_cli.upscaling.tally import Tally
from esrgan_cli.upscaling.target_size import parse_size
from esrgan_cli.upscaling.targets import Journals, Targets, target_file, target_names, target_stream
from esrgan_cli.upscaling.work import Means
from esrgan_torch.engines.places import resolve_place
from esrgan_torch.engines.precision import check_dtype
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import DEFAULT_MAX_PIXELS
from esrgan_torch.images.formats import EncodeOptions, find_format
from esrgan_torch.images.kinds import HEAD, RAW, RAW_SUFFIXES
from esrgan_torch.images.reader import Reader
from esrgan_torch.networks.base import Generator
from esrgan_torch.pipeline.stages import Times
from esrgan_torch.tiling.modes import Tiling
from esrgan_torch.upscaler import LARGEST_SCALE, Upscaler
from esrgan_weights.loading import load
from esrgan_weights.sources.resolve import known_scale

IGNORED_SHOWN = 5
MOST_SUFFIX = 100


def upscale_files(arguments: argparse.Namespace) -> int:
    """Upscale what the arguments of `esrgan upscale` name.

    Returns:
        0 if every picture is made or was there, 1 if one failed.

    Raises:
        ConfigError: options that cannot be; before anything is loaded, where they alone say so.
        EsrganError: the network cannot be loaded, or the page cannot be written.
        KeyboardInterrupt: stopped; the summary is printed.
    """
    started = time.perf_counter()
    devices = parse_devices(arguments.device)
    shard = parse_shard(arguments.shard)
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    options = file_options(arguments)
    to_stdout = goes_to_stdout(arguments.inputs, arguments.output)
    to_file = not to_stdout and names_a_file(arguments.inputs, arguments.output)
    form = check_format(arguments, options, to_file)
    check_scale(arguments.scale)
    finish = finish_of(arguments)
    check_page(arguments.page)
    check_report(arguments.report)
    for device in devices:
        check_dtype(arguments.dtype, resolve_place(device, arguments.engine))
    if STREAM in arguments.inputs:
        options = replace(options, stdin=read_stdin("the input - is a picture"))
    if to_stdout:
        options = replace(options, stdout=take_stdout())
    search = find_sources(arguments.inputs, arguments.output)

    network: Generator | None = None
    scale: float | None = arguments.scale
    if finish.size is None and scale is None:
        scale = known_scale(arguments.model)
        if scale is None:
            network = load_network(arguments)
            scale = network.scale
    ending: str | None = arguments.suffix
    if ending is None:
        ending = finish.size.ending if finish.size is not None else f"-x{scale:g}"

    def suffix_of(source: Path) -> tuple[str, str]:
        if form:
            return form, ""
        return suffix_for(options.stdin[:HEAD], "") if source == STREAM else suffix_like(source)

    if to_stdout:
        targets = target_stream(search.sources, suffix_of)
    elif to_file:
        targets = target_file(search.sources, arguments.output, Journals())
    else:
        targets = target_names(search.sources, arguments.output, ending, suffix_of, Journals())
    targets = shard.of(targets, search.sources)
    making = making_of(arguments, scale, network)
    to_do = pending(targets, making, overwrite=arguments.overwrite, update=arguments.update)
    page: Page | None = None
    if arguments.page is not None:
        make_folder(arguments.page.parent)
        page = Page(arguments.page, arguments.model, len(to_do.jobs))
    report = Report(arguments.report)
    upscalers: list[Upscaler] = []
    if to_do.jobs:
        network = network or load_network(arguments)
        upscalers = make_upscalers(network, devices, arguments, tiling)

    with Console(len(to_do.jobs)) as console, library_warnings(console):
        if not arguments.inputs:
            console.warn(f"{arguments.from_list} names nothing")
        _tell_search(console, report, search, targets, to_do)
        tally = Tally(console, report, len(to_do.jobs))
        reader = Reader(max_pixels=options.max_pixels)
        times: Times | None = None
        try:
            if to_do.jobs:
                stop = threading.Event()
                means = Means(upscalers, targets, options, finish, making, reader, tally, page, stop)
                times = do_works((work_of(job, means) for job in to_do.jobs), means)
        finally:
            failed = tally.failures + len(search.problems) + len(targets.problems)
            left = len(to_do.jobs) - tally.successes - tally.failures
            console.say(
                f"{tally.successes} done, {len(to_do.skipped)} skipped, {failed} failed"
                + (f", {left} not finished" if left else "")
                + f" in {time.perf_counter() - started:.1f} s"
            )
        if arguments.stats and times is not None:
            console.say(tally.stats(times))
        tell_report(console, report)
        if page is not None:
            _finish_page(console, page, to_stdout)
    return 1 if failed or console.names_lost or report.failure else 0


def make_upscalers(
    network: Generator, devices: Sequence[str], arguments: argparse.Namespace, tiling: Tiling
) -> list[Upscaler]:
    """One `Upscaler` for each device, with the arguments' dtype, engine, alpha, scale and tta."""
    return [upscaler_of(network, device, arguments, tiling)() for device in devices]


def upscaler_of(
    network: Generator, device: str, arguments: argparse.Namespace, tiling: Tiling
) -> Callable[[], Upscaler]:
    """Makes an `Upscaler` as the arguments say; it can be sent to another machine."""
    return partial(
        Upscaler,
        network,
        device=device,
        dtype=arguments.dtype,
        tiling=tiling,
        alpha=arguments.alpha,
        scale=arguments.scale,
        engine=arguments.engine,
        tta=arguments.tta,
    )


def max_pixels_of(arguments: argparse.Namespace) -> int:
    """What --max-pixels means.

    Raises:
        ConfigError: a number that cannot be.
    """
    millions: float | None = arguments.max_pixels
    if millions is None:
        return DEFAULT_MAX_PIXELS
    if not 1e-6 <= millions <= 1e9:
        raise ConfigError(f"--max-pixels counts millions of pixels, at least 0.000001, not {millions:g}")
    return round(millions * 1e6)


def file_options(arguments: argparse.Namespace) -> FileOptions:
    max_pixels = max_pixels_of(arguments)
    same = arguments.format == SAME
    form = None if same else arguments.format
    return FileOptions(max_pixels, EncodeOptions(form, arguments.quality, arguments.lossless), same)


def finish_of(arguments: argparse.Namespace) -> Finish:
    size = parse_size(arguments.width, arguments.height, arguments.fit)
    background = None
    if arguments.background is not None:
        if arguments.alpha == "drop":
            raise ConfigError("--alpha drop leaves nothing transparent for --background; give one of them")
        background = parse_colour(arguments.background)
    suffix: str | None = arguments.suffix
    if suffix is not None and any(character in suffix for character in "/\\\0"):
        raise ConfigError(f"--suffix is the end of names, not a folder, given {suffix!r}")
    if suffix is not None and len(os.fsencode(suffix)) > MOST_SUFFIX:
        raise ConfigError(f"--suffix has at most {MOST_SUFFIX} bytes: the names of pictures need room too")
    return Finish(size, background, arguments.strip)


def check_format(arguments: argparse.Namespace, options: FileOptions, to_file: bool) -> str:
    """The suffix of results, with its dot; empty where each has its source's format."""
    if options.same:
        if to_file:
            raise ConfigError(
                f"-o {arguments.output} and --format {SAME} contradict each other; leave one out"
            )
        if options.encode.quality is not None:
            options.encode.coding(".webp")  # 1 to 100, and not both
        return ""
    asked = options.encode.format
    suffix: str = arguments.output.suffix if to_file else f".{asked or DEFAULT_FORMAT}"
    form = options.encode.coding(suffix).form
    if form != find_format(suffix):
        raise ConfigError(f"-o {arguments.output} and --format {asked} contradict each other; leave one out")
    return suffix.lower()


def check_scale(scale: float | None) -> None:
    """Raise ConfigError where --scale is none that can be."""
    if scale is not None and not 0 < scale <= LARGEST_SCALE:
        raise ConfigError(f"--scale lies above 0 and up to {LARGEST_SCALE}, not {scale:g}")


def load_network(arguments: argparse.Namespace) -> Generator:
    """The network that the arguments name; errors as of `load`."""
    return load(arguments.model, offline=arguments.offline, cache=arguments.cache)


def _tell_search(console: Console, report: Report, search: Search, targets: Targets, to_do: Pending) -> None:
    for path in search.ignored[:IGNORED_SHOWN]:
        what = RAW if path.suffix.lower() in RAW_SUFFIXES else "is no picture"
        console.warn(f"{path} {what}: left out")
    if len(search.ignored) > IGNORED_SHOWN:
        console.warn(f"{len(search.ignored) - IGNORED_SHOWN} more files are no pictures: left out")
    tell_sorted_out(console, report, targets, to_do, search.problems)


def tell_sorted_out(
    console: Console, report: Report, targets: Targets, to_do: Pending, problems: Sequence[Problem] = ()
) -> None:
    """What has no result of this run, and why."""
    for problem in (*problems, *targets.problems):
        console.say(f"failed: {problem.text}")
        report.add(problem.path, "failed", problem.text)
    for left in targets.left_out:
        what = "is" if left.known else "has the name of"
        reason = f"{what} the result of {left.of}; give it alone to enlarge it too"
        console.say(f"left out: {left.path} {reason}")
        report.add(left.path, "left out", reason)
    for job, reason in to_do.skipped:
        console.say(f"skipped: {reason}")
        report.add(job.source, "skipped", reason, target=job.target)


def tell_report(console: Console, report: Report) -> None:
    """Close a report, and say if it is not whole."""
    report.close()
    if report.failure:
        console.warn(f"{report.path} is not whole: {report.failure}")


def _finish_page(console: Console, page: Page, stdout_taken: bool) -> None:
    if page.write():
        if not stdout_taken:
            console.result(page.path)
    else:
        console.warn(f"{page.path} was not written: this run made no picture")
