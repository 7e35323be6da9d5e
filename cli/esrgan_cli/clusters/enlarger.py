"""A worker of a cluster: it holds the network, and makes the results of the pictures that it is sent."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from esrgan_cli.clusters.places import Place
from esrgan_cli.clusters.tasks import Task
from esrgan_cli.output.console import Console
from esrgan_cli.output.library_warnings import library_warnings
from esrgan_cli.upscaling.coding import FileOptions
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.jobs import do_works
from esrgan_cli.upscaling.making import Making
from esrgan_cli.upscaling.report import Report
from esrgan_cli.upscaling.tally import Tally
from esrgan_cli.upscaling.targets import Job, Targets
from esrgan_cli.upscaling.work import Means, Work
from esrgan_torch.images.files import Frame
from esrgan_torch.images.reader import Reader
from esrgan_torch.upscaler import Upscaler


@dataclass(frozen=True)
class Settings:
    """What all workers make results with; it is sent to each of them.

    Args:
        make_upscaler: with the network in it, so that no worker needs its file.
        options: how files are read and written.
        finish: what is done to each result.
        making: how results are made, in words.
        output: folder of the results.
    """

    make_upscaler: Callable[[], Upscaler]
    options: FileOptions
    finish: Finish
    making: Making
    output: Place


class Enlarger:
    """Calls of it take some pictures and give a line of the report about each."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._upscaler = settings.make_upscaler()

    def __call__(self, tasks: Sequence[Task]) -> list[dict[str, Any]]:
        """Make the results of `tasks`. A picture that fails has a line that says so; the others go on."""
        settings = self._settings
        with TemporaryDirectory(prefix="esrgan-") as name:
            folder = Path(name)
            lines = folder / "report.jsonl"
            report = Report(lines)
            with Console(0) as console, library_warnings(console):
                means = Means(
                    upscalers=[self._upscaler],
                    targets=Targets(()),
                    options=settings.options,
                    finish=settings.finish,
                    making=settings.making,
                    reader=Reader(max_pixels=settings.options.max_pixels),
                    tally=Tally(console, report, len(tasks)),
                    page=None,
                    stop=Event(),
                )
                works = [
                    _RemoteWork(task, number, folder, means, settings.output)
                    for number, task in enumerate(tasks)
                ]
                do_works(works, means)
            report.close()
            told = [json.loads(line) for line in lines.read_text("ascii").splitlines()]
        by_path = {str(work.job.source): work for work in works}
        return [by_path[line["input"]].addressed(line) for line in told]


class _RemoteWork(Work):
    """Work whose source is fetched before it is read, and whose result is sent away when it is written."""

    def __init__(self, task: Task, number: int, folder: Path, means: Means, output: Place) -> None:
        self._task, self._output = task, output
        source = folder / f"{number}{PurePosixPath(task.name).suffix}"
        target = folder / f"{number}-result{PurePosixPath(task.result).suffix}"
        super().__init__(Job(source, target), means)

    @property
    def job(self) -> Job:
        return self._job

    def read(self) -> Iterator[Frame]:
        self._task.source.fetch(self._task.name, self._job.source)
        yield from super().read()

    def _keep(self) -> None:
        self._output.put(self._task.result, self._job.target)
        self._job.source.unlink()
        self._job.target.unlink()

    def addressed(self, line: dict[str, Any]) -> dict[str, Any]:
        """A line of the report with addresses instead of the paths of this machine."""
        reason: str | None = line["reason"]
        if reason is not None:
            reason = reason.replace(str(self._job.source), self._task.address)
            reason = reason.replace(str(self._job.target), self._output.of(self._task.result))
        return {
            **line,
            "input": self._task.address,
            "output": None if line["output"] is None else self._output.of(self._task.result),
            "reason": reason,
        }
