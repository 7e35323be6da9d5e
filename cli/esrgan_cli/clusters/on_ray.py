"""`esrgan upscale --run-on ray`: pictures shared out among the workers of a Ray cluster."""

import json
import os
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

from esrgan_cli.clusters.enlarger import Enlarger, Settings
from esrgan_cli.clusters.tasks import Task
from esrgan_torch.errors import ConfigError

BATCH = 16  # pictures that a worker is sent at once: lost and made anew where it dies
TRIES = 4  # of a batch whose workers die; then its pictures have failed
CORES = 4  # for each worker, where there is no GPU


def shared_out(tasks: Sequence[Task], settings: Settings, workers: int | None) -> Iterator[dict[str, Any]]:
    """A line of the report for each picture, as they are done, in no order.

    A worker that dies is replaced, and its batch done again: a result is the same bytes under the same name.
    Ray holds names alone, pictures never; each worker has a few in its memory.

    Args:
        workers: how many; None: one for each GPU of the cluster, or for four of its processors.

    Raises:
        ConfigError: Ray is missing, or has fewer processors.
    """
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told what our users do
        import ray
        from ray.data import DataContext
    except ImportError as error:
        raise ConfigError("--run-on ray needs Ray: pip install 'esrgan-torch[ray]'") from error
    started = not ray.is_initialized()
    if started:
        # a cluster that runs on this machine, or that RAY_ADDRESS names, else a new one on this machine
        ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    try:
        cluster = ray.cluster_resources()
        gpus, cores = int(cluster.get("GPU", 0)), int(cluster.get("CPU", 1))
        workers = workers or gpus or max(1, cores // CORES)
        if workers > max(cores, gpus):
            raise ConfigError(f"--workers {workers}: the cluster has {cores} processors and {gpus} GPUs")
        needs = {"num_gpus": 1} if gpus else {"num_cpus": cores // workers}
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # a batch that cannot be done costs its pictures alone
        context.print_on_execution_start = False
        batches = [tuple(tasks[start : start + BATCH]) for start in range(0, len(tasks), BATCH)]
        # bytes and text: Ray would make tables of anything else
        rows = [{"batch": pickle.dumps(batch)} for batch in batches]
        lines = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            _Called,
            fn_constructor_args=(ray.put(settings),),
            concurrency=workers,
            max_restarts=-1,
            max_task_retries=TRIES - 1,
            **needs,
        )
        for row in lines.iter_rows():
            yield from json.loads(row["lines"])
    finally:
        if started:
            ray.shutdown()


class _Called:
    """An `Enlarger` as Ray calls it."""

    def __init__(self, settings: Any) -> None:
        import ray

        self._enlarger = Enlarger(ray.get(settings) if isinstance(settings, ray.ObjectRef) else settings)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"lines": json.dumps(self._enlarger(pickle.loads(row["batch"])))}
