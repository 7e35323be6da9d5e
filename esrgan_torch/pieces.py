"""What is enlarged in three steps: anything that is a picture in memory, and files with all their frames."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from esrgan_torch.errors import ImageWriteError
from esrgan_torch.images.exchange import Given, take
from esrgan_torch.images.files import read_frames, write_frames
from esrgan_torch.images.picture import Frame, Picture, Pixels, Samples
from esrgan_torch.pipeline.stages import Piece, begun
from esrgan_torch.watch import Watch

FilePath = str | os.PathLike[str]
Enlarge = Callable[[Samples, Watch], Samples]


class InMemory(Piece[Samples, Samples, Any]):
    """Anything but a path: it becomes samples, and what comes of them becomes its like."""

    def __init__(self, image: object, scale: float, enlarge: Enlarge, watch: Watch) -> None:
        self._image, self._scale, self._enlarge, self._watch = image, scale, enlarge, watch

    def read(self) -> Iterator[Samples]:
        image = self._image
        if isinstance(image, Picture):
            given = Given([image.pixels], lambda large: image.with_pixels(cast(Pixels, large[0])))
        else:
            given = take(image)
        self._give_back, self._count = given.give_back, len(given.pictures)
        self.weight = sum(_weight(samples, self._scale) for samples in given.pictures)
        yield from given.pictures

    def compute(self, given: Iterator[Samples], lane: int) -> Iterator[Samples]:
        for number, samples in enumerate(given):
            yield self._enlarge(samples, self._watch.part(number, self._count))

    def write(self, made: Iterator[Samples]) -> Any:
        large = list(made)
        return self._give_back(large)


class File(Piece[Frame, Frame, Path]):
    """A path: all frames of the file, and the path of the result."""

    def __init__(
        self, path: Path, output: FilePath | None, scale: float, enlarge: Enlarge, watch: Watch
    ) -> None:
        self._path, self._output, self._scale = path, output, scale
        self._enlarge, self._watch = enlarge, watch

    def read(self) -> Iterator[Frame]:
        path = self._path
        self._target = path.with_name(f"{path.stem}-x{self._scale:g}.png")
        if self._output is not None:
            self._target = Path(self._output)
        elif os.path.lexists(self._target):
            raise ImageWriteError(f"{self._target} exists; to replace it, name it as the output")
        frames = read_frames(path)
        self._count, self._loop = frames.count, frames.loop
        for frame in frames if frames.count > 1 else [Frame(frames.first())]:
            self.weight = _weight(frame.picture.pixels, self._scale) * min(frames.count, 2)
            yield frame

    def compute(self, given: Iterator[Frame], lane: int) -> Iterator[Frame]:
        for number, frame in enumerate(given):
            watch = self._watch.part(number, self._count)
            large = self._enlarge(frame.picture.pixels, watch)
            yield replace(frame, picture=frame.picture.with_pixels(cast(Pixels, large)))

    def write(self, made: Iterator[Frame]) -> Path:
        made = begun(made)
        write_frames(self._target, made, loop=self._loop)
        return self._target


def _weight(samples: Samples, scale: float) -> int:
    """Bytes of a picture, of its enlargement, and of what that is turned into."""
    return int(samples.nbytes * (1 + 2 * max(scale, 1.0) ** 2))
