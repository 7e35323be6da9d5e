"""What every runner offers.

A runner is one runtime, such as TensorFlow, or TF.js in Chromium on WebGL. It opens a copy of a network in a
session, and the session computes. Batches are always (N, H, W, C) float32 in [0, 1], whatever the copy's
own layout and type.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from esrgan_bridge.parity.probes import Batch


class Session(ABC):
    """An opened copy; a context manager, which frees it.

    Attributes:
        facts: versions and devices, for people, and under `parity.findings.PRECISION` what it computes in,
            which a runner sets itself: by themselves several runtimes round to 8 or 11 bits where a processor
            is faster so.
    """

    facts: dict[str, str]

    @abstractmethod
    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        """Compute one batch.

        Args:
            batch: (N, H, W, C) float32.
            feed: "input", or the name of the tensor that `batch` stands for.
            fetch: "output", or the name of the tensor that is wanted.

        Raises:
            RunnerError: the runtime failed; the message holds its own words.
        """

    @abstractmethod
    def close(self) -> None:
        """Free memory and processes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Runner(ABC):
    """A runtime.

    Attributes:
        name: as in `--runners`.
        reads: the step whose copies it runs: "onnx", "tf", "tflite" or "tfjs".
        wants_any_size: whether it cannot run copies that take one size of picture.
    """

    name: str
    reads: str
    wants_any_size: bool = False

    @abstractmethod
    def available(self) -> str | None:
        """None where it can be tried on this machine, else what is missing and how to add it."""

    @abstractmethod
    def open(self, artefact: Path) -> Session:
        """Load a copy: the ONNX file, or the folder of a SavedModel, a LiteRT file or a TF.js model.

        Raises:
            MissingRuntimeError: only trying showed that the runtime cannot start here.
            RunnerError: the runtime started and could not load the copy.
        """

    def run(self, artefact: Path, batches: Sequence[Batch]) -> list[Batch]:
        """Load, compute, free: one answer a batch. Errors as in `open` and `Session.run`."""
        with self.open(artefact) as session:
            return [session.run(batch) for batch in batches]
