"""Pictures shared out among the workers of a Ray cluster."""

import json
import logging
import os
import pickle
import warnings
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from importlib import import_module
from typing import Any

from esrgan_cli.clusters.enlarger import Enlarger, Settings
from esrgan_cli.clusters.tasks import Task, failed_line
from esrgan_torch.errors import ConfigError

ALONE = 2
"""How often a picture is begun alone whose workers die, after it was so in its batch; then it has failed."""

_BATCH = 16  # pictures that a worker is sent at once, at most: what is made anew where it dies
_CALLS = 4  # of each worker, at least: so that all of them end at about the same time
_CORES = 4  # for each worker, where there is no GPU


def shared_out(tasks: Sequence[Task], settings: Settings, workers: int | None) -> Iterator[dict[str, Any]]:
    """A line of the report for each picture, as batches of them are done, in no order.

    A worker that dies is replaced, and its batch done again, a picture at a time: one that takes all memory
    costs no other, and is told of when it has ended as many workers as it may. A result is the same bytes
    under the same name. Ray holds names alone, pictures never; each worker has a few in its memory.

    Args:
        workers: how many; None: one for each GPU of the cluster, or for four of its processors.

    Raises:
        ConfigError: Ray is missing, or has fewer processors.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers of each run
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the new way; else it warns of the old
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # on the console; what counts is told by us
    try:
        ray: Any = import_module("ray")
        data: Any = import_module("ray.data")
    except ImportError as error:
        raise ConfigError("--run-on ray needs Ray: pip install 'esrgan-torch[ray]'") from error
    began = not ray.is_initialized()
    if began:
        # a cluster that runs on this machine, or that RAY_ADDRESS names, else a new one on this machine
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    try:
        workers, needs = _workers(ray.cluster_resources(), workers)
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # a batch that cannot be done costs its pictures alone
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what becomes of pictures is told by us
        size = max(1, min(_BATCH, len(tasks) // (workers * _CALLS)))
        # bytes and text: Ray would make tables of anything else
        rows = [
            {"batch": pickle.dumps(tuple(tasks[start : start + size]))}
            for start in range(0, len(tasks), size)
        ]
        begun = ray.remote(num_cpus=0, max_restarts=-1)(_Begun).remote()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fewer batches than workers, and of Ray's own defaults
            lines = data.from_items(rows, override_num_blocks=len(rows)).map(
                _Called,
                # in a list, or Ray would hand over the settings themselves, which it could not give to a
                # worker that takes the place of another
                fn_constructor_args=([ray.put(settings)], begun),
                compute=data.ActorPoolStrategy(size=workers),
                max_restarts=-1,
                max_task_retries=-1,  # what is not to be begun again knows `_Begun`
                **needs,
            )
            # what is fetched ahead would be given when the batch after it is done
            for block in lines.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
                for text in block["lines"]:
                    yield from json.loads(text)
    finally:
        if began:
            ray.shutdown()


def _workers(cluster: dict[str, float], asked: int | None) -> tuple[int, dict[str, Any]]:
    """How many workers there are to be, and what each takes of the cluster."""
    gpus, cores = int(cluster.get("GPU", 0)), int(cluster.get("CPU", 1))
    if asked is not None and not 1 <= asked <= (gpus or cores):
        there = f"{gpus} GPUs" if gpus else f"{cores} processors"
        raise ConfigError(f"--workers {asked}: at least 1, and the cluster has {there}")
    if gpus:
        return asked or gpus, {"num_gpus": 1}
    workers = asked or max(1, cores // _CORES)
    return workers, {"num_cpus": cores // workers}


class _Begun:
    """What workers have begun: it outlives them, and so knows what they had when they died."""

    def __init__(self) -> None:
        self._times = Counter[Hashable]()
        self._lines: dict[str, dict[str, Any]] = {}

    def begin(self, what: Hashable) -> int:
        """How often it was begun before; it is once more now."""
        self._times[what] += 1
        return self._times[what] - 1

    def keep(self, address: str, line: dict[str, Any]) -> None:
        """The line about a picture that was made alone."""
        self._lines[address] = line

    def line(self, address: str) -> dict[str, Any] | None:
        """That line, if there is one."""
        return self._lines.get(address)


class _Called:
    """An `Enlarger` as Ray calls it."""

    def __init__(self, settings: Sequence[Any], begun: Any) -> None:
        self._ray: Any = import_module("ray")
        self._begun = begun
        self._enlarger = Enlarger(self._ray.get(settings[0]))

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        tasks: tuple[Task, ...] = pickle.loads(row["batch"])
        if self._ask("begin", row["batch"]):
            lines = [self._alone(task) for task in tasks]
        else:
            lines = self._enlarger(tasks)
        return {"lines": json.dumps(lines)}

    def _alone(self, task: Task) -> dict[str, Any]:
        line: dict[str, Any] | None = self._ask("line", task.address)
        if line is None:
            if self._ask("begin", task.address) >= ALONE:
                ended = (
                    f"{ALONE + 1} workers have ended that had it, {ALONE} of them it alone: it may take more "
                )
                return failed_line(task, f"{ended}memory than a worker has (Ray's logs may say why)")
            [line] = self._enlarger([task])
            self._ask("keep", task.address, line)
        return line

    def _ask(self, question: str, *about: Any) -> Any:
        return self._ray.get(getattr(self._begun, question).remote(*about))
