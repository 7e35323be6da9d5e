"""What `esrgan upscale` does, in order: check the options, find the files, load the network, do the jobs."""

import argparse
import time
from collections.abc import Sequence

from esrgan_cli.console import Console, library_warnings
from esrgan_cli.files import DEFAULT_FORMAT, Job, Search, find_sources, name_targets, names_a_file
from esrgan_cli.jobs import FileOptions, Runner, make_folder
from esrgan_cli.options import parse_devices, parse_tiling
from esrgan_cli.page import Page, check_page
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
    jobs = name_targets(search.sources, arguments.output, to_file, scale, form)
    skipped = [job for job in jobs if job.target.exists() and not arguments.overwrite]
    there = set(skipped)
    pending = [job for job in jobs if job not in there]
    page: Page | None = None
    if arguments.page is not None:
        make_folder(arguments.page.parent)
        page = Page(arguments.page, arguments.model, len(pending))
    upscalers: list[Upscaler] = []
    if pending:
        network = network or _load(arguments)
        upscalers = _make_upscalers(network, devices, arguments, tiling)

    with Console(len(pending)) as console, library_warnings(console):
        _tell_search(console, search, skipped)
        runner = Runner(upscalers, options, console, page)
        try:
            if pending:
                runner.run(pending)
        finally:
            failed = runner.failed + len(search.problems)
            left = len(pending) - runner.done - runner.failed
            console.say(
                f"{runner.done} done, {len(skipped)} skipped, {failed} failed"
                + (f", {left} not finished" if left else "")
                + f" in {time.perf_counter() - started:.1f} s"
            )
        if page is not None:
            _finish_page(console, page)
    return 1 if failed else 0


def _make_upscalers(
    network: Generator, devices: Sequence[str], arguments: argparse.Namespace, tiling: Tiling
) -> list[Upscaler]:
    """One `Upscaler` for each device, with the arguments' dtype, alpha and scale."""
    return [
        Upscaler(
            network,
            device=device,
            dtype=arguments.dtype,
            tiling=tiling,
            alpha=arguments.alpha,
            scale=arguments.scale,
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
    """The suffix of results, without its dot."""
    asked: str | None = arguments.format
    suffix: str = arguments.output.suffix if to_file else f".{asked or DEFAULT_FORMAT}"
    form = choose_format(suffix, asked, arguments.quality, arguments.lossless)
    if choose_format(suffix, None, None, False) != form:
        raise ConfigError(f"-o {arguments.output} and --format {asked} contradict each other; leave one out")
    return suffix.removeprefix(".").lower()


def _check_scale(scale: float | None) -> None:
    if scale is not None and not 0 < scale <= LARGEST_SCALE:
        raise ConfigError(f"--scale lies above 0 and up to {LARGEST_SCALE}, not {scale:g}")


def _load(arguments: argparse.Namespace) -> Generator:
    return load(arguments.model, offline=arguments.offline, cache=arguments.cache)


def _tell_search(console: Console, search: Search, skipped: Sequence[Job]) -> None:
    for path in search.ignored[:IGNORED_SHOWN]:
        console.warn(f"{path} is no picture: left out")
    if len(search.ignored) > IGNORED_SHOWN:
        console.warn(f"{len(search.ignored) - IGNORED_SHOWN} more files are no pictures: left out")
    for problem in search.problems:
        console.say(f"failed: {problem}")
    for job in skipped:
        console.say(f"skipped: {job.target} exists; --overwrite makes it again")


def _finish_page(console: Console, page: Page) -> None:
    if page.write():
        console.result(page.path)
    else:
        console.warn(f"{page.path} was not written: this run made no picture")
