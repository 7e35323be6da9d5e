"""A teacher's answers to small pictures, computed once before a run and trained on as pairs.

RRDB-23 takes some fifty times the arithmetic of the student that it teaches. Asked at every step it is nearly
all of the run; asked once, for crops of which the student then sees changing and turned parts, it is little.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.psnr_ssim import without_border
from esrgan_torch.networks.base import Generator
from esrgan_torch.train.data.batches import Crops
from esrgan_torch.train.data.cache import LESSON, touch
from esrgan_torch.train.data.degrade import levels
from esrgan_torch.train.data.pictures import Pair, store_pixels
from esrgan_torch.upscaler import Upscaler

SIDE = 96  # of a lesson, in small pixels
BORDER = 8  # small pixels more that the teacher sees around it: the zeros beyond a border change its answer
RULE = 1  # raised when lessons of the same options come out differently

Pixels = NDArray[np.uint8]


def make_lessons(
    pairs: Sequence[Pair],
    teacher: Generator,
    count: int,
    *,
    patch: int,
    seed: int,
    degrading: bool,
    noisy: float = 0.0,
    cache: Path,
    process: int = 0,
    processes: int = 1,
    on_made: Callable[[], object] = lambda: None,
) -> list[Pair]:
    """Crops of the pictures, small, and the teacher's results for them in the originals' place.

    Args:
        pairs: the training pictures.
        teacher: asked in the precision that is best on this machine's best device.
        count: of lessons.
        patch: side of the crops that are drawn of the lessons later, in pixels of the original.
        seed: of the run; a lesson depends on it, on its number and on the pictures alone.
        degrading: the small pictures are made by `degrade`, else those of the pairs are used.
        noisy: chance of `with_noise` in its place, see `Crops`.
        cache: folder to keep the lessons in; what it lacks is computed, so a run that was stopped goes on.
        process, processes: this process computes every `processes`-th lesson; all must be done before the
            result is opened.
        on_made: called after each lesson that this process had to make.

    Raises:
        ConfigError: the pictures are too small for crops of `patch` pixels.
    """
    cache.mkdir(parents=True, exist_ok=True)
    scale = teacher.scale
    smallest = min(min(pair.height, pair.width) for pair in pairs) // scale
    side = min(SIDE, smallest - 2 * BORDER)
    if side * scale < patch:
        needed = patch + 2 * BORDER * scale
        raise ConfigError(
            f"lessons with data.patch = {patch} need originals of {needed} pixels a side, "
            f"and one has {smallest * scale}: take a smaller patch, or leave out small pictures"
        )
    crops = Crops(pairs, (side + 2 * BORDER) * scale, scale, 1, seed, degrading=degrading, noisy=noisy)
    key = _key(pairs, teacher, seed, degrading, noisy, side)
    lessons = [_place(cache, key, number, side, scale) for number in range(count)]
    todo = [number for number in range(process, count, processes) if not _files(lessons[number])[1].is_file()]
    upscaler = Upscaler(teacher, tiling="off") if todo else None
    for number in todo:
        assert upscaler is not None
        given = levels(crops[number][0])
        answer = upscaler(given).astype(np.uint8, copy=False)
        # the small picture last: where it is, the lesson is whole
        large, small = _files(lessons[number])
        store_pixels(large, without_border(answer, BORDER * scale))
        store_pixels(small, without_border(given, BORDER))
        on_made()
    touch([path for lesson in lessons for path in _files(lesson)])
    return lessons


def _place(cache: Path, key: str, number: int, side: int, scale: int) -> Pair:
    stem = f"{LESSON}{key}-{number:05}"
    return Pair(
        f"lesson {number}",
        cache / f"{stem}-large.npy",
        cache / f"{stem}-small.npy",
        side * scale,
        side * scale,
    )


def _files(lesson: Pair) -> tuple[Path, Path]:
    assert lesson.small is not None  # a lesson has both
    return lesson.large, lesson.small


def _key(
    pairs: Sequence[Pair], teacher: Generator, seed: int, degrading: bool, noisy: float, side: int
) -> str:
    digest = hashlib.sha256()
    # the names are hashes of the files
    names = [(pair.large.name, "" if pair.small is None else pair.small.name) for pair in pairs]
    digest.update(json.dumps([RULE, seed, degrading, noisy, side, BORDER, names]).encode())
    for name, value in teacher.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
