"""One of several parts of a run, for job arrays: a picture belongs to one part, whatever else is there."""

import hashlib
import os
import re
from dataclasses import dataclass, replace

from esrgan_cli.upscaling.files import Source
from esrgan_cli.upscaling.targets import Targets
from esrgan_torch.errors import ConfigError


@dataclass(frozen=True)
class Shard:
    """Part `number`, from 1, of `count`.

    A picture's part is decided by its name alone, in its folder where that was given, so it stays where other
    pictures come and go, and wherever the folder is mounted. Parts are as even as chance makes them.
    """

    number: int = 1
    count: int = 1

    def has(self, source: Source) -> bool:
        """Whether a picture is in this part."""
        name = source.path if source.root is None else source.path.relative_to(source.root)
        digest = hashlib.sha256(os.fsencode(name.as_posix())).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    def of(self, targets: Targets, sources: tuple[Source, ...]) -> Targets:
        """What of a run is this part. All sources have their names before: so they do not depend on parts."""
        if self.count == 1:
            return targets
        mine = {source.path for source in sources if self.has(source)}
        return replace(
            targets,
            jobs=tuple(job for job in targets.jobs if job.source in mine),
            left_out=tuple(left for left in targets.left_out if left.path in mine),
            problems=tuple(problem for problem in targets.problems if problem.path in mine),
        )


def parse_shard(text: str | None) -> Shard:
    """What --shard i/n means; all of it for None.

    Raises:
        ConfigError: no two numbers, or the first is not from 1 to the second.
    """
    if text is None:
        return Shard()
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigError(f"--shard must be a part, from 1/4 to 4/4 where there are four, not {text!r}")
    return Shard(int(found[1]), int(found[2]))
