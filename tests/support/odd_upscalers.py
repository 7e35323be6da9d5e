"""Upscalers that do what pictures of some widths ask for."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler

WAITS, ENDS = 9, 7
"""Widths of pictures: of those that wait, and of those that end the process, as lack of memory does."""


class OddUpscaler(Upscaler):
    """Waits for the file `go`."""

    go = Path()

    def upscale(self, picture: Any, progress: Any = None, cancel: Any = None) -> Upscaled:
        if picture.width == ENDS:
            os.kill(os.getpid(), signal.SIGKILL)
        while picture.width == WAITS and not self.go.exists():
            time.sleep(0.05)
        return super().upscale(picture, progress, cancel)


def odd_upscaler(go: Path) -> OddUpscaler:
    """By the network that comes with the package."""
    upscaler = OddUpscaler("esrgan-lite-x4", "cpu", "float32")
    upscaler.go = go
    return upscaler
