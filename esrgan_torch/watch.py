"""Whoever waits for a picture: told how far it is, and heard when they want to stop."""

from collections.abc import Callable
from copy import copy
from typing import Protocol

import numpy as np
import torch

from esrgan_torch.errors import CancelledError

Progress = Callable[[float], None]


class Flag(Protocol):
    """What a `threading.Event` or a `multiprocessing.Event` is."""

    def is_set(self) -> bool: ...


class Watch:
    """What engines call with the share that is done; what the caller's side raises there is known as theirs.

    Engines may say the same share again while they wait, so that a wish to stop is heard.

    Args:
        progress: the caller's, or None.
        cancel: set by anybody to stop.
    """

    def __init__(self, progress: Progress | None, cancel: Flag | None) -> None:
        self._progress = progress
        self._cancel = cancel
        self._errors = np.geterr()
        self._raised: BaseException | None = None

    def __call__(self, share: float) -> None:
        """Raises what the caller's function raises, and `CancelledError` when the flag is set."""
        try:
            self._heed()
            if self._progress is not None:
                # what the caller computes there is neither for inference nor under this package's rules
                with torch.inference_mode(mode=False), np.errstate(**self._errors):
                    self._progress(share)
        except BaseException as error:
            self._raised = error
            raise

    def _heed(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("the picture was cancelled: its `cancel` is set")

    def part(self, number: int, count: int) -> "Watch":
        """For the part of this number, from 0, of so many."""
        progress = self._progress
        if progress is None or count == 1:
            return self

        def told(share: float) -> None:
            progress((number + share) / count)

        part = copy(self)
        part._progress = told
        return part

    def caused(self, error: BaseException) -> bool:
        """Whether the caller's side raised this, so that it says nothing about the engine."""
        return error is self._raised
