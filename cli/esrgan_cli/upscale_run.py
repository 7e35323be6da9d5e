"""What `esrgan upscale` does, in order: check the options, find the files, load the network, do the jobs."""

import argparse
import time
from collections.abc import Sequence

from esrgan_cli.console import Console
from esrgan_cli.files import Search, find_sources, names_a_file
from esrgan_cli.jobs import FileOptions, Runner
from esrgan_cli.library_warnings import library_warnings
from esrgan_cli.names import Job, Naming, name_targets
from esrgan_cli.options import parse_devices, parse_tiling
from esrgan_cli.page import Page, check_page
from esrgan_cli.paths import look, make_folder
from esrgan_torch.devices import resolve_device
from esrgan_torch.errors import ConfigError
from esrgan_torch.image_encode import choose_format
from esrgan_torch.images import DEFAULT_MAX_PIXELS
from esrgan_torch.network import Generator
from esrgan_torch.precision import check_dtype
from esrgan_torch.tiling import Tiling
from esrgan_torch.upscale import LARGEST_SCALE, Upscaler
from esrgan_weights.loading import load
from esrgan_weights.sources import known_scale

DEFAULT_FORMAT = "png"
IGNORED_SHOWN = 5


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
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    options = _file_options(arguments)
    to_file = names_a_file(arguments.inputs, arguments.output)
    form = _check_format(arguments, to_file)
    _check_scale(arguments.scale)
    check_page(arguments.page)
    for device in devices:
        check_dtype(arguments.dtype, resolve_device(device))
    search = find_sources(arguments.inputs, arguments.output)

    network: Generator | None = None
    scale: float | None = arguments.scale or known_scale(arguments.model)
    if scale is None:
        network = _load(arguments)
        scale = network.scale
    naming = name_targets(search.sources, arguments.output, to_file, f"-x{scale:g}", lambda _: form)
    given = {name for name, _ in naming.results}
    skipped: list[Job] = []
    pending: list[Job] = []
    for job in naming.jobs:
        there = look(job.target).kind == "file"
        (skipped if there and (job.target in given or not arguments.overwrite) else pending).append(job)
    page: Page | None = None
    if arguments.page is not None:
        make_folder(arguments.page.parent)
        page = Page(arguments.page, arguments.model, len(pending))
    upscalers: list[Upscaler] = []
    if pending:
        network = network or _load(arguments)
        upscalers = _make_upscalers(network, devices, arguments, tiling)

    with Console(len(pending)) as console, library_warnings(console):
        _tell_search(console, search, naming, skipped)
        runner = Runner(upscalers, options, console, page)
        try:
            if pending:
                runner.run(pending)
        finally:
            failed = runner.failed + len(search.problems) + len(naming.problems)
            left = len(pending) - runner.done - runner.failed
            console.say(
                f"{runner.done} done, {len(skipped)} skipped, {failed} failed"
                + (f", {left} not finished" if left else "")
                + f" in {time.perf_counter() - started:.1f} s"
            )
        if page is not None:
            _finish_page(console, page)
    return 1 if failed or console.names_lost else 0


def _make_upscalers(
    network: Generator, devices: Sequence[str], arguments: argparse.Namespace, tiling: Tiling
) -> list[Upscaler]:
    """One `Upscaler` for each device, with the arguments' dtype, engine, alpha and scale."""
    return [
        Upscaler(
            network,
            device=device,
            dtype=arguments.dtype,
            tiling=tiling,
            alpha=arguments.alpha,
            scale=arguments.scale,
            engine=arguments.engine,
        )
        for device in devices
    ]


def _file_options(arguments: argparse.Namespace) -> FileOptions:
    millions: float | None = arguments.max_pixels
    if millions is None:
        max_pixels = DEFAULT_MAX_PIXELS
    elif 1e-6 <= millions <= 1e9:
        max_pixels = round(millions * 1e6)
    else:
        raise ConfigError(f"--max-pixels counts millions of pixels, at least 0.000001, not {millions:g}")
    return FileOptions(max_pixels, arguments.format, arguments.quality, arguments.lossless)


def _check_format(arguments: argparse.Namespace, to_file: bool) -> str:
    """The suffix of results, with its dot."""
    asked: str | None = arguments.format
    suffix: str = arguments.output.suffix if to_file else f".{asked or DEFAULT_FORMAT}"
    form = choose_format(suffix, asked, arguments.quality, arguments.lossless)
    if choose_format(suffix, None, None, False) != form:
        raise ConfigError(f"-o {arguments.output} and --format {asked} contradict each other; leave one out")
    return suffix.lower()


def _check_scale(scale: float | None) -> None:
    if scale is not None and not 0 < scale <= LARGEST_SCALE:
        raise ConfigError(f"--scale lies above 0 and up to {LARGEST_SCALE}, not {scale:g}")


def _load(arguments: argparse.Namespace) -> Generator:
    return load(arguments.model, offline=arguments.offline, cache=arguments.cache)


def _tell_search(console: Console, search: Search, naming: Naming, skipped: Sequence[Job]) -> None:
    for path in search.ignored[:IGNORED_SHOWN]:
        console.warn(f"{path} is no picture: left out")
    if len(search.ignored) > IGNORED_SHOWN:
        console.warn(f"{len(search.ignored) - IGNORED_SHOWN} more files are no pictures: left out")
    for problem in (*search.problems, *naming.problems):
        console.say(f"failed: {problem}")
    for path, source in naming.results:
        console.say(
            f"left out: {path} has the name of the result of {source}; give it alone to enlarge it too"
        )
    for job in skipped:
        console.say(f"skipped: {job.target} exists; --overwrite makes it again")


def _finish_page(console: Console, page: Page) -> None:
    if page.write():
        console.result(page.path)
    else:
        console.warn(f"{page.path} was not written: this run made no picture")
