"""The training pictures, decoded once into files that are read by memory mapping.

A crop of a memory-mapped picture touches only its own rows, so a batch costs about a millisecond, worker
processes share the pages, and originals need not fit into memory.
"""

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esrgan_torch.datasets.colour import read_rgb
from esrgan_torch.datasets.sets import MADE, small_picture
from esrgan_torch.errors import ConfigError, ImageError, TrainingError
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.train.data import cache as kept
from esrgan_torch.train.data.keys import key_of
from esrgan_torch.train.data.originals import Job, find_jobs

Pixels = NDArray[np.uint8]
Tell = Callable[[str], object]

_UNKNOWN_PIXELS = 2_000_000  # of a file whose header Pillow does not read


@dataclass(frozen=True)
class Pair:
    """An original (H, W, 3) and its low-resolution partner (H / scale, W / scale, 3), as uint8 .npy files.

    Args:
        name: of the original, for messages.
        large: the decoded original, which may have more rows and columns than `height` and `width`.
        small: the decoded partner; None where crops are degraded, and there is none.
        height, width: of the original, multiples of the scale.
        source: what the files are made of when the cache has lost them; None for lessons.
    """

    name: str
    large: Path
    small: Path | None
    height: int
    width: int
    source: Job | None = None

    def open(self) -> tuple[Pixels, Pixels]:
        """Both, memory-mapped; without a small one the large one stands for it.

        Raises:
            TrainingError: they are gone from the cache and cannot be made again.
        """
        try:
            return self._open()
        except (OSError, ValueError, EOFError) as error:
            if self.source is None:
                raise TrainingError(
                    f"{self.name} is gone from the cache ({error}); resume the run, which decodes it again"
                ) from error
        try:
            _make(self.source, self.large, self.small)
            return self._open()
        except (OSError, ValueError, ImageError) as error:
            raise TrainingError(
                f"{self.source.original} was decoded into {self.large}, which is gone, and cannot be "
                f"decoded again: {error}"
            ) from error

    def _open(self) -> tuple[Pixels, Pixels]:
        large = np.load(self.large, mmap_mode="r")[: self.height, : self.width]
        small = large if self.small is None else np.load(self.small, mmap_mode="r")
        if large.shape != (self.height, self.width, 3) or small.ndim != 3:
            raise ValueError(f"it has the shape {large.shape}")
        return large, small


def prepare(
    folders: Sequence[str],
    small_folders: Sequence[str],
    cache: Path,
    scale: int,
    patch: int,
    *,
    small_names: str = "",
    degrading: bool = False,
    limit: float = float("inf"),
    tell: Tell | None = None,
    say: Tell | None = None,
    on_decoded: Callable[[int, int], object] = lambda done, total: None,
) -> list[Pair]:
    """All pictures of the folders as `Pair`s; what the cache lacks is decoded into it.

    Files that cannot be read, and originals smaller than a crop, are told and left out.

    Args:
        folders, small_folders, small_names, scale, patch: see `DataOptions`.
        cache: folder to keep the decoded pictures in.
        degrading: the small pictures are made of crops, so none are kept.
        limit: bytes that the cache may have.
        tell: is given a sentence for each file that is left out; None: it is printed on stderr.
        say: is given how many pictures there are and what they will take; None: as `tell`.
        on_decoded: called with how many pictures are decoded of how many that were to be.

    Raises:
        ConfigError: a folder is missing, no picture is left, or the cache is too small.
    """
    tell = tell or (lambda text: print(text, file=sys.stderr))
    jobs = find_jobs(folders, small_folders, scale, small_names, tell)
    if degrading:
        jobs = [replace(job, partner=None, problem="") for job in jobs]
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"data.cache: {cache} cannot be made: {error.strerror or error}") from error
    places = [_places(job, cache, degrading) for job in jobs]
    wanted = [path for place in places if not isinstance(place, str) for path in place if path is not None]
    missing = [place for place in zip(jobs, places, strict=True) if _lacks(place[1])]
    needed = sum(_bytes_of(job, place) for job, place in missing)
    origin = "made crop by crop" if degrading else ", ".join(map(str, small_folders)) or MADE
    (say or tell)(
        f"pictures: {len(jobs)} in {', '.join(map(str, folders))}, low-resolution ones {origin}"
        + (f"; {len(missing)} to decode into {cache}, about {kept.in_words(needed)}" if missing else "")
    )
    kept.make_room(cache, needed, limit, wanted)
    kept.touch(wanted)
    failed = _decode(missing, on_decoded)
    pairs, causes = _usable(jobs, places, failed, patch)
    for cause in causes:
        tell(f"left out: {cause}")
    if not pairs and causes:
        more = ", and so on" if len(causes) > 1 else ""
        raise ConfigError(
            f"data.folders: none of the {len(causes)} pictures in {', '.join(map(str, folders))} can be "
            f"used: {causes[0]}{more}"
        )
    if not pairs:
        raise ConfigError(f"data.folders: no pictures of at least {patch} pixels a side in {list(folders)}")
    return pairs


def store_pixels(path: Path, pixels: Pixels) -> None:
    """Write (H, W, 3) as a .npy file that can be memory-mapped, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(pixels))


Places = tuple[Path, Path | None]


def _usable(
    jobs: Sequence[Job], places: Sequence[Places | str], failed: Mapping[Path, str], patch: int
) -> tuple[list[Pair], list[str]]:
    """The pictures that training can use, and why it cannot use the others."""
    pairs: list[Pair] = []
    causes: list[str] = []
    for job, place in zip(jobs, places, strict=True):
        cause = place if isinstance(place, str) else failed.get(job.original)
        if cause is not None or isinstance(place, str):
            causes.append(str(cause))
        elif isinstance(pair := _pair(job, place, patch), str):
            causes.append(pair)
        else:
            pairs.append(pair)
    return pairs, causes


def _places(job: Job, cache: Path, degrading: bool) -> Places | str:
    """The files of the cache, large and small; or why there can be none."""
    if job.problem:
        return job.problem
    try:
        large = key_of(job.original)
        small = key_of(job.original, job.partner, job.scale)
    except OSError as error:
        return f"{error.filename} cannot be reached: {error.strerror or error}"
    return cache / f"{large}-large.npy", None if degrading else cache / f"{small}-small.npy"


def _lacks(place: Places | str) -> bool:
    return not isinstance(place, str) and not all(path is None or path.is_file() for path in place)


def _bytes_of(job: Job, place: Places | str) -> int:
    """About how many bytes the files that are missing will have."""
    assert not isinstance(place, str)
    large, small = place
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether a picture is too large is decided when it is read
            with Image.open(job.original) as header:
                pixels = header.width * header.height
    except Exception:  # whatever a damaged header makes Pillow raise; reading it will say so
        pixels = _UNKNOWN_PIXELS
    found = 0 if large.is_file() else 3 * pixels
    return found + (0 if small is None or small.is_file() else 3 * pixels // job.scale**2)


def _decode(
    missing: Iterable[tuple[Job, Places | str]], on_decoded: Callable[[int, int], object]
) -> dict[Path, str]:
    """Make files of the cache; the causes of those that cannot be, by original."""
    todo = list(missing)

    def make(each: tuple[Job, Places | str]) -> str | None:
        job, place = each
        assert not isinstance(place, str)
        try:
            _make(job, *place)
        except (ImageError, MemoryError) as error:
            return str(error) or f"{job.original} needs more memory than there is"
        return None

    failed: dict[Path, str] = {}
    with ThreadPoolExecutor(2) as pool:
        try:
            for number, ((job, _), cause) in enumerate(zip(todo, pool.map(make, todo), strict=True), 1):
                if cause is not None:
                    failed[job.original] = cause
                on_decoded(number, len(todo))
        except OSError as error:
            raise ConfigError(
                f"data.cache: a decoded picture cannot be written: {error.strerror or error}; free some "
                "space, or name another folder with data.cache"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
    return failed


def _make(job: Job, large: Path, small: Path | None) -> None:
    """Decode an original, and its partner or what takes its place, into the cache."""
    original = read_rgb(job.original)
    if small is not None and not small.is_file():
        store_pixels(small, small_picture(job.original, original, job.partner, job.scale))
    if not large.is_file():
        store_pixels(large, original)


def _pair(job: Job, place: Places, patch: int) -> Pair | str:
    """The pair, or why it cannot be used.

    Not called in threads: NumPy reads headers with `ast`, which fails at times in two threads at once: "AST
    constructor recursion depth mismatch", seen with Python 3.11.7.
    """
    large, small = place
    try:
        sides = np.load(large, mmap_mode="r").shape[:2]
    except (OSError, ValueError, EOFError):  # damaged on the disk
        for path in (large, small):
            if path is not None:
                path.unlink(missing_ok=True)
        try:
            _make(job, large, small)
        except ImageError as error:
            return str(error)
        sides = np.load(large, mmap_mode="r").shape[:2]
    height, width = (side - side % job.scale for side in sides)
    if min(height, width) < patch:
        return f"{job.original} is smaller than a crop of {patch} pixels"
    return Pair(job.original.stem, large, small, height, width, job)
