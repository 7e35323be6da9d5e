"""What `esrgan upscale --run-on ray` does: find pictures, send them to workers, tell what became of them."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from esrgan_cli.clusters.enlarger import Settings
from esrgan_cli.clusters.on_ray import shared_out
from esrgan_cli.clusters.places import Place
from esrgan_cli.clusters.tasks import Task, failed_line, find_tasks
from esrgan_cli.options import parse_devices, parse_tiling
from esrgan_cli.output.console import Console
from esrgan_cli.upscaling.formats import suffix_for, suffix_like
from esrgan_cli.upscaling.given import (
    check_format,
    check_network,
    ending_of,
    file_options,
    finish_of,
    load_network,
    scale_of,
    upscaler_of,
)
from esrgan_cli.upscaling.making import making_of
from esrgan_cli.upscaling.report import Report, check_report
from esrgan_cli.upscaling.run import tell_report
from esrgan_torch.errors import ConfigError

_ONE_MACHINE = ("page", "update", "from_list", "shard", "stats")


def upscale_on_cluster(arguments: argparse.Namespace) -> int:
    """Upscale the folders that the arguments of `esrgan upscale` name, on the workers of a cluster.

    Returns:
        0 if every picture is made or was there, 1 if one failed.

    Raises:
        ConfigError: options that cannot be.
        EsrganError: the network cannot be loaded.
        KeyboardInterrupt: stopped; results that are made stay.
    """
    started = time.perf_counter()
    settings, tasks, there = _prepare(arguments)
    left = [task for task in tasks if task.result not in there]
    report = Report(arguments.report)
    counts = {"done": 0, "failed": 0}
    # Ray prints what it has to say of workers on stdout, where the paths of results belong
    with Console(len(left)) as console, redirect_stdout(sys.stderr):
        try:
            for line in _lines(left, settings, arguments.workers):
                report.write(line)
                status: str = line["status"]
                counts[status] += 1
                console.say(f"[{sum(counts.values())}/{len(left)}] {_told(line)}")
                if status == "done":
                    console.result(line["output"])
                console.progress(Path(line["input"]), 1.0)
        finally:
            unknown = len(left) - sum(counts.values())
            skipped, seconds = len(tasks) - len(left), time.perf_counter() - started
            console.sum_up(counts["done"], skipped, counts["failed"], unknown, seconds)
            tell_report(console, report)
    return 1 if counts["failed"] or report.failure or console.names_lost else 0


def _prepare(arguments: argparse.Namespace) -> tuple[Settings, list[Task], set[str]]:
    """What results are made with; all pictures; the results that are to stay."""
    for name in _ONE_MACHINE:
        if getattr(arguments, name):
            raise ConfigError(
                f"--{name.replace('_', '-')} is for one machine; leave it out with --run-on ray"
            )
    if arguments.output is None:
        raise ConfigError("--run-on ray needs the folder of the results: give it with -o")
    device, *others = parse_devices(arguments.device)
    if others:
        raise ConfigError("each worker has one device; say how many there are by --workers")
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    options = file_options(arguments)
    form = check_format(arguments, options, to_file=False)
    check_network(arguments)
    finish = finish_of(arguments)
    check_report(arguments.report)
    scale, network = scale_of(arguments, finish.size)
    network = network or load_network(arguments)
    output = Place(str(arguments.output))
    tasks = find_tasks(
        [Place(str(given)) for given in arguments.inputs],
        output,
        ending_of(arguments, finish.size, scale),
        lambda folder, name: form or _suffix_like(folder, name),
    )
    make = upscaler_of(network, device, arguments, tiling)
    settings = Settings(make, options, finish, making_of(arguments, scale, network), output)
    return settings, tasks, set() if arguments.overwrite else output.existing()


def _suffix_like(folder: Place, name: str) -> str:
    """The suffix of a result in its source's format: by content on this machine, by name in a store."""
    path = Path(folder.path) / name
    return (suffix_like(path) if folder.is_local else suffix_for(b"", path.suffix))[0]


def _lines(tasks: Sequence[Task], settings: Settings, workers: int | None) -> Iterator[dict[str, Any]]:
    """A line about each picture."""
    left = {task.address: task for task in tasks}
    if tasks:
        for line in shared_out(tasks, settings, workers):
            if line["input"] in left:  # a batch that was done twice tells twice
                del left[line["input"]]
                yield line
    for task in left.values():
        yield failed_line(task, "no worker has told of it; Ray's logs may say why")


def _told(line: dict[str, Any]) -> str:
    if line["status"] != "done":
        reason: str = line["reason"]
        return f"failed: {reason}" if line["input"] in reason else f"failed: {line['input']}: {reason}"
    (width, height), (wide, high) = line["input_size"], line["output_size"]
    remark = f"; {line['reason']}" if line["reason"] else ""
    return f"{line['input']}: {width} x {height} to {wide} x {high} pixels in {line['seconds']:.1f} s{remark}"
