"""The training pictures, decoded once into files that are read by memory mapping.

A crop of a memory-mapped picture touches only its own rows, so a batch costs about a millisecond, worker
processes share the pages, and originals need not fit into memory.
"""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError, ImageError
from esrgan_torch.images.files import READ_SUFFIXES, read_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.storage.atomic import atomic_path


@dataclass(frozen=True)
class Pair:
    """An original (H, W, 3) and its low-resolution partner (H / scale, W / scale, 3), uint8 .npy files."""

    name: str
    large: Path
    small: Path
    height: int
    width: int

    def open(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Both, memory-mapped."""
        return np.load(self.large, mmap_mode="r"), np.load(self.small, mmap_mode="r")


def prepare(
    folders: tuple[str, ...], small_folders: tuple[str, ...], cache: Path, scale: int, patch: int
) -> list[Pair]:
    """All pictures of the folders as `Pair`s; what the cache lacks is decoded into it.

    Files that cannot be read, and originals smaller than a crop, are told on stderr once and left out.

    Args:
        folders, small_folders, scale, patch: see `DataOptions`.
        cache: folder to keep the decoded pictures in.

    Raises:
        ConfigError: a folder is missing, or no picture is left.
    """
    cache.mkdir(parents=True, exist_ok=True)
    jobs: list[tuple[Path, Path | None]] = []
    for index, folder in enumerate(map(Path, folders)):
        if not folder.is_dir():
            raise ConfigError(f"data.folders: {folder} is not a folder")
        partners = Path(small_folders[index]) if small_folders else None
        jobs += [
            (path, None if partners is None else _partner(partners / path.relative_to(folder)))
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in READ_SUFFIXES
        ]

    def keep(job: tuple[Path, Path | None]) -> tuple[Path, Path] | str:
        return _keep(*job, cache, scale)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(keep, jobs))
    pairs: list[Pair] = []
    for (path, _), result in zip(jobs, found, strict=True):
        if isinstance(result, str):
            print(f"left out: {result}", file=sys.stderr)
            continue
        # not in the threads: NumPy reads headers with `ast`, which fails at times in two threads at once:
        # "AST constructor recursion depth mismatch", seen with Python 3.11.7
        height, width, _ = np.load(result[0], mmap_mode="r").shape
        if min(height, width) < patch:
            print(f"left out: {path} is smaller than a crop of {patch} pixels", file=sys.stderr)
        else:
            pairs.append(Pair(path.stem, *result, height, width))
    if not pairs:
        raise ConfigError(f"data.folders: no pictures of at least {patch} pixels a side in {list(folders)}")
    return pairs


def _partner(expected: Path) -> Path:
    """The low-resolution file of this name, whatever its suffix; the name itself when there is none."""
    for suffix in sorted(READ_SUFFIXES):
        if expected.with_suffix(suffix).is_file():
            return expected.with_suffix(suffix)
    return expected


def _keep(path: Path, partner: Path | None, cache: Path, scale: int) -> tuple[Path, Path] | str:
    """The decoded files in the cache, large and small, made where they are missing; or why there are none."""
    state = path.stat()
    identity = [str(path.resolve()), state.st_size, state.st_mtime_ns, scale]
    if partner is not None:
        identity.append(str(partner.resolve()))
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]
    large, small = cache / f"{key}-large.npy", cache / f"{key}-small.npy"
    try:
        if not (large.is_file() and small.is_file()):
            original = _rgb(path)
            height, width = (side - side % scale for side in original.shape[:2])
            if not height or not width:
                return f"{path} is smaller than {scale} pixels"
            original = original[:height, :width]
            shrunk = imresize(original, height // scale, width // scale) if partner is None else _rgb(partner)
            if shrunk.shape[:2] != (height // scale, width // scale):
                return (
                    f"{partner} has {shrunk.shape[1]} x {shrunk.shape[0]} pixels, not a {scale}th of {path}"
                )
            store_pixels(large, original)
            store_pixels(small, shrunk)
    except ImageError as error:
        return str(error)
    return large, small


def _rgb(path: Path) -> NDArray[np.uint8]:
    picture = read_image(path)
    pixels: NDArray[Any] = picture.pixels[:, :, : picture.channels - picture.has_alpha]
    if pixels.dtype == np.uint16:
        pixels = (pixels.astype(np.float32) / 257 + 0.5).astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def store_pixels(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) as a .npy file that can be memory-mapped, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(pixels))
