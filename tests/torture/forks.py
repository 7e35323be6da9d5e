"""Commands that are tried again and again, each in a process that was forked from one that is ready."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.torture import quota

ROOT = Path(__file__).parents[2]
MODULES = (
    "esrgan_cli.main",
    "esrgan_cli.upscaling.run",
    "esrgan_weights.loading",
    "esrgan_weights.formats.write",
)


@dataclass(frozen=True)
class Outcome:
    """How a try ended.

    Args:
        status: the exit status; negative: the signal that ended it.
        out, err: what it printed.
        events: changes of watched files; -1 where it was killed.
        seconds: it took.
        late: whether it took too long, and was killed for that.
    """

    status: int
    out: str
    err: str
    events: int
    seconds: float
    late: bool

    @property
    def traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.err or self.late


def own_places(folder: Path) -> dict[str, str]:
    """Variables by which a command finds nothing of this machine's user: it may be told to delete it."""
    names = (
        "HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "ESRGAN_CACHE",
        "ESRGAN_DATA",
        "ESRGAN_TFJS",
        "TMPDIR",
    )
    places = {name: folder / "own" / name.lower() for name in names}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    return {name: str(place) for name, place in places.items()}


class Forks:
    """A process that is ready for commands.

    Args:
        scratch: a folder for what the tries print.
        modules: imported once, beforehand.

    Attributes:
        quotas: whether a quota can be made as if it were used up (`quota.used_up`).
    """

    def __init__(self, scratch: Path, modules: Sequence[str] = MODULES) -> None:
        self._scratch = scratch
        scratch.mkdir(parents=True, exist_ok=True)
        library = quota.compiled(scratch)
        self.quotas = library is not None
        loaded = {"LD_PRELOAD": str(library)} if library is not None else {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.zygote", *modules],
            cwd=ROOT,
            env={
                **os.environ,
                **own_places(scratch),
                **loaded,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(
        self,
        arguments: Sequence[str | Path],
        folder: Path,
        *,
        watched: Sequence[Path] = (),
        kill_at: int | None = None,
        kill_after: float | None = None,
        humble: bool = False,
        act: str | None = None,
        before: str | None = None,
        environment: Mapping[str, str] | None = None,
        limit: float = 120.0,
    ) -> Outcome:
        """Try `esrgan` with these arguments.

        Args:
            folder: to run in.
            watched: folders whose changes are counted.
            kill_at: by SIGKILL, before the change of this number, from 1.
            kill_after: by SIGKILL, after so many seconds.
            act: a function that is called at `kill_at` instead, as "module:name"; files that are opened to
                be read count as changes then.
            humble: without root's power to read and write what it has no right to.
            before: a function that is called first, as "module:name".
            limit: seconds; more is a fault.
        """
        request = {
            "arguments": [os.fsencode(argument).hex() for argument in arguments],
            "folder": str(folder),
            "scratch": str(self._scratch),
            "watched": [str(path) for path in watched],
            "kill_at": kill_at,
            "kill_after": kill_after,
            "act": act,
            "humble": humble,
            "before": before,
            "environment": dict(environment or {}),
            "limit": limit,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        said = [(self._scratch / name).read_text(errors="backslashreplace") for name in ("out", "err")]
        counted = self._scratch / "events"
        events = int(counted.read_text()) if counted.is_file() else -1
        return Outcome(answer["status"], *said, events, answer["seconds"], answer["late"])

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that forks has ended"
        return json.loads(line)
