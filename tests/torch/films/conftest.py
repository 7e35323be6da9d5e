"""A tiny network, and a film enlarged by it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from esrgan_torch.films.codecs import FilmOptions
from esrgan_torch.films.enlarge import EnlargedFilm, FilmJob
from esrgan_torch.films.read import FilmReader
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.upscaler import Upscaler

Enlarge = Callable[..., EnlargedFilm]


@pytest.fixture(scope="session")
def upscaler() -> Upscaler:
    torch.manual_seed(0)
    return Upscaler(CompactNet(features=8, convolutions=1), "cpu", "float32", engine="eager")


@pytest.fixture
def enlarge(upscaler: Upscaler) -> Enlarge:
    """enlarge(source, target, codec=..., ...) by the tiny network, in parts of four frames."""

    def run(
        source: Path,
        target: Path,
        *,
        codec: str | None = "ffv1",
        upscalers: Any = None,
        progress: Any = None,
        cancel: Any = None,
        **more: Any,
    ) -> EnlargedFilm:
        with FilmReader(source) as reader:
            options = FilmOptions(codec)
            job = FilmJob(reader, source, target, upscalers or [upscaler], options, part=4, **more)
            return job.run(progress, cancel)

    return run
