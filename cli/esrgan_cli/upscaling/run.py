"""What `esrgan upscale` does, in order: check the options, find the files, load the network, do the jobs."""

import argparse
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from esrgan_cli.options import STREAM, parse_tiling
from esrgan_cli.output.console import Console
from esrgan_cli.output.library_warnings import library_warnings
from esrgan_cli.output.page import Page, check_page
from esrgan_cli.output.streams import read_stdin, take_stdout
from esrgan_cli.paths import make_folder, read_head
from esrgan_cli.upscaling.by_rows import work_of
from esrgan_cli.upscaling.files import Problem, Search, goes_to_stdout, names_a_file
from esrgan_cli.upscaling.formats import suffix_for, suffix_like
from esrgan_cli.upscaling.given import (
    check_format,
    check_network,
    devices_of,
    ending_of,
    file_options,
    finish_of,
    load_network,
    make_upscalers,
    scale_of,
)
from esrgan_cli.upscaling.jobs import do_works
from esrgan_cli.upscaling.making import making_of
from esrgan_cli.upscaling.pending import Pending, pending
from esrgan_cli.upscaling.report import Report, check_report
from esrgan_cli.upscaling.shards import parse_shard
from esrgan_cli.upscaling.tally import Tally
from esrgan_cli.upscaling.targets import Targets, targets_of
from esrgan_cli.upscaling.work import Means
from esrgan_torch.images.kinds import HEAD, RAW, RAW_SUFFIXES, foreign, recognise
from esrgan_torch.images.reader import Reader
from esrgan_torch.pipeline.stages import Times
from esrgan_torch.upscaler import Upscaler

IGNORED_SHOWN = 5


def upscale_files(arguments: argparse.Namespace, search: Search) -> int:
    """Upscale the pictures that the arguments of `esrgan upscale` name.

    Args:
        arguments: of the command.
        search: what their inputs hold; films in it are not looked at.

    Returns:
        0 if every picture is made or was there, 1 if one failed.

    Raises:
        ConfigError: options that cannot be; before anything is loaded, where they alone say so.
        EsrganError: the network cannot be loaded, or the page cannot be written.
        KeyboardInterrupt: stopped; the summary is printed.
    """
    started = time.perf_counter()
    shard = parse_shard(arguments.shard)
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    options = file_options(arguments)
    to_stdout = goes_to_stdout(arguments.inputs, arguments.output)
    to_file = not to_stdout and names_a_file(arguments.inputs, arguments.output)
    form = check_format(arguments, options, to_file)
    check_network(arguments)
    finish = finish_of(arguments)
    check_page(arguments.page)
    check_report(arguments.report)
    devices = devices_of(arguments)
    if STREAM in arguments.inputs:
        options = replace(options, stdin=read_stdin("the input - is a picture"))
    if to_stdout:
        options = replace(options, stdout=take_stdout())

    scale, network = scale_of(arguments, finish.size)

    def suffix_of(source: Path) -> tuple[str, str]:
        if form:
            return form, ""
        return suffix_for(options.stdin[:HEAD], "") if source == STREAM else suffix_like(source)

    ending = ending_of(arguments, finish.size, scale)
    targets = targets_of(
        search.sources, arguments.output, ending, suffix_of, to_stdout=to_stdout, to_file=to_file
    )
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
            console.warn(f"{arguments.from_list} contains no names")
        tell_left_out(console, report, search)
        tell_sorted_out(console, report, targets, to_do, search.problems)
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
            seconds = time.perf_counter() - started
            console.sum_up(tally.successes, len(to_do.skipped), failed, left, seconds)
        if arguments.stats and times is not None:
            console.say(tally.stats(times))
        tell_report(console, report)
        if page is not None:
            _finish_page(console, page, to_stdout)
    return 1 if failed or console.names_lost or report.failure else 0


def tell_left_out(console: Console, report: Report, search: Search) -> None:
    """What of folders is left out."""
    ignored = search.ignored
    for path in ignored[:IGNORED_SHOWN]:
        console.warn(f"{path} {_kind_of_ignored(path)}: left out")
    if len(ignored) > IGNORED_SHOWN:
        console.warn(f"{len(ignored) - IGNORED_SHOWN} more files are not pictures: left out")
    for left in search.left_out:
        console.say(f"left out: {left.text}")
        report.add(left.path, "left out", left.text)


def _kind_of_ignored(path: Path) -> str:
    if path.suffix.lower() in RAW_SUFFIXES:
        return RAW
    head = read_head(path, HEAD)  # nothing of a named pipe, which would be waited for
    if kind := recognise(head):
        return f"is {kind} without a suffix of pictures; give it by its name, or rename it"
    return foreign(head) or "is no picture"


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
