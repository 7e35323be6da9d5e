"""Which results are to be made, and which stay as they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from esrgan_cli.paths import look
from esrgan_cli.upscaling.making import Making
from esrgan_cli.upscaling.targets import Job, Targets


@dataclass(frozen=True)
class Pending:
    """What is to do.

    Args:
        jobs: results to make.
        skipped: jobs whose results stay, and a sentence about each.
    """

    jobs: Sequence[Job]
    skipped: Sequence[tuple[Job, str]]


def pending(targets: Targets, making: Making, *, overwrite: bool, update: bool) -> Pending:
    """Sort out the results that exist.

    Args:
        overwrite: make them again.
        update: make those again that are older than their source, or were made otherwise.
    """
    # an input that only has the name of a result may be somebody's only copy
    inputs = {look(left.path).identity for left in targets.left_out if not left.known}
    jobs: list[Job] = []
    skipped: list[tuple[Job, str]] = []
    for job in targets.jobs:
        result = look(job.target)
        if job.journal is None or result.kind != "file":
            jobs.append(job)
            continue
        if result.identity in inputs:
            reason = (
                "is an input, and not known to be a result: it stays as it is; give another -o or --suffix"
            )
            skipped.append((job, f"{job.target} {reason}"))
            continue
        found = look(job.source)
        difference = making.difference(job.journal.record(job.target), job.key, found, result)
        if overwrite:
            jobs.append(job)
        elif difference and update:
            jobs.append(replace(job, note=job.note or f"made again, since it was {difference}"))
        elif difference:
            skipped.append((job, f"{job.target} exists, {difference}; --update makes it again"))
        else:
            skipped.append((job, f"{job.target} exists; --overwrite makes it again"))
    return Pending(jobs, skipped)
