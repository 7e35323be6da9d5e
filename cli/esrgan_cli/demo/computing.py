"""What this computer enlarges for the demo page: pictures one after the other, in a thread of their own."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from esrgan_torch.errors import CancelledError, EsrganError

if TYPE_CHECKING:
    from esrgan_torch.networks.base import Generator
    from esrgan_torch.upscaler import Upscaler

MOST = 8
"""Pictures that may be there at once, finished ones too: a page fetches each result, and then lets it go."""
FORGOTTEN = 180.0
"""Seconds after which a picture that nobody asks for is dropped: its page was closed. A page in the
background may ask once a minute only."""

State = Literal["waiting", "loading", "working", "done", "failed"]


@dataclass
class Job:
    """A picture to enlarge.

    Args:
        data: the picture's file.
        model: a name that `Computer.offers` lists.
        scale: how many times as large; None: as many times as the model does.
        width: pixels of the result, in place of a scale.
    """

    data: bytes
    model: str
    scale: float | None = None
    width: int | None = None
    state: State = "waiting"
    share: float = 0.0
    error: str = ""
    result: bytes = b""
    seconds: float = 0.0
    facts: dict[str, str] = field(default_factory=dict[str, str])
    asked: float = field(default_factory=time.monotonic)
    cancel: threading.Event = field(default_factory=threading.Event)

    def report(self) -> dict[str, Any]:
        """What the page is told of it."""
        return {
            "state": self.state,
            "share": self.share,
            "error": self.error,
            "seconds": self.seconds,
            "facts": self.facts,
        }


def as_png(data: bytes) -> bytes:
    """Any picture file that is read here, upright, as a PNG of the same size and depth.

    Raises:
        ImageError: it is none.
    """
    from esrgan_torch.images.files import read_image, write_image

    file = BytesIO()
    write_image(file, read_image(data), format="png")
    return file.getvalue()


class FullError(EsrganError):
    """More pictures than are held at once."""


class Computer:
    """Enlarges pictures by PyTorch. Its methods may be called from any thread.

    Args:
        models: what is offered beside the published models: by names for people, what `esrgan_weights.load`
            takes. A page cannot name any other file.
        offline: never touch the network.
        cache: folder of fetched models; None: the usual one.
    """

    def __init__(self, models: Mapping[str, str], offline: bool = False, cache: Path | None = None) -> None:
        self._given = dict(models)
        self._offline = offline
        self._cache = cache
        self._jobs: dict[str, Job] = {}
        self._guard = threading.Lock()
        self._line: SimpleQueue[Job | None] = SimpleQueue()
        self._network: tuple[str, Generator] | None = None
        self._thread = threading.Thread(target=self._work, name="computer", daemon=True)
        self._thread.start()

    def offers(self) -> list[dict[str, Any]]:
        """The models: name, scale, what each is for, and bytes to fetch before it is used the first time."""
        from esrgan_weights import registry
        from esrgan_weights.cache import cached

        found: list[dict[str, Any]] = [{"name": name, "fetch": 0} for name in self._given]
        for name, model in registry.models().items():
            here = model.bundled or cached(model, self._cache) is not None
            if self._offline and not here:
                continue
            size = 0 if here else sum(file.size or 0 for file in model.alternatives[0].files)
            found.append({"name": name, "scale": model.scale, "summary": model.summary, "fetch": size})
        return found

    def start(self, job: Job) -> str:
        """Put a picture into the line; returns the name by which it is asked for.

        Raises:
            FullError: there are `MOST` already.
        """
        with self._guard:
            for name, each in list(self._jobs.items()):
                if time.monotonic() - each.asked > FORGOTTEN:
                    each.cancel.set()
                    del self._jobs[name]
            if len(self._jobs) >= MOST:
                raise FullError(f"{MOST} pictures are here already; wait for them, or drop one")
            name = secrets.token_hex(8)
            self._jobs[name] = job
        self._line.put(job)
        return name

    def find(self, name: str) -> Job | None:
        """The picture of this name; asking keeps it."""
        with self._guard:
            job = self._jobs.get(name)
            if job:
                job.asked = time.monotonic()
            return job

    def drop(self, name: str) -> None:
        """Forget a picture; one that is worked on stops."""
        with self._guard:
            job = self._jobs.pop(name, None)
        if job:
            job.cancel.set()

    def close(self) -> None:
        """Stop, and wait until the picture under way has stopped."""
        with self._guard:
            for job in self._jobs.values():
                job.cancel.set()
            self._jobs.clear()
        self._line.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while job := self._line.get():
            if job.cancel.is_set():
                continue
            try:
                self._enlarge(job)
            except CancelledError:
                job.state = "failed"
            except Exception as error:  # whatever one picture brings, the next one is worked on
                job.error = str(error) or type(error).__name__
                job.state = "failed"

    def _enlarge(self, job: Job) -> None:
        from esrgan_torch.images.files import read_image, write_image

        # before anything is fetched: what is no picture is said at once
        picture = read_image(job.data)
        job.data = b""
        job.state = "loading"
        upscaler = self._upscaler(job, picture.width)
        job.state = "working"

        def told(share: float) -> None:
            job.share = share
            if time.monotonic() - job.asked > FORGOTTEN:
                job.cancel.set()

        with upscaler:
            outcome = upscaler.upscale(picture, told, job.cancel)
        file = BytesIO()
        write_image(file, outcome.picture, format="png")
        large = outcome.picture
        job.facts = {
            "Size": f"{large.width} × {large.height} pixels, {large.bits} bits a colour",
            "Time": f"{outcome.seconds:.1f} s",
            "By": f"{outcome.device}, {outcome.engine}, {outcome.dtype}",
            "Parts": outcome.plan.reason,
            "Model": job.model,
        }
        job.seconds = outcome.seconds
        job.result = file.getvalue()
        job.state = "done"

    def _upscaler(self, job: Job, width: int) -> "Upscaler":
        from esrgan_torch.upscaler import Upscaler
        from esrgan_weights import load

        if self._network is None or self._network[0] != job.model:
            self._network = None
            source = self._given.get(job.model, job.model)
            network = load(source, offline=self._offline, cache=self._cache, progress=False)
            self._network = (job.model, network)
        return Upscaler(self._network[1], scale=job.width / width if job.width else job.scale)
