"""Data sets for evaluation: originals and their low-resolution pictures, in the folders that people have.

| originals | low-resolution pictures (scale 4) |
|---|---|
| `Set5/HR`, `Set5/GTmod12`, `Set5/GT` | `Set5/LRbicx4`, `Set5/LR_bicubic/X4`, `Set5/x4`, `Set5/LR` |
| `DIV2K_valid_HR` | `DIV2K_valid_LR_bicubic/X4` beside it |
| `image_SRF_4/img_001_SRF_4_HR.png` | `image_SRF_4/img_001_SRF_4_LR.png` |
| `photos` | none: they are made by MATLAB's bicubic |
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.datasets.colour import as_rgb, read_colour, read_rgb
from esrgan_torch.datasets.find import Problem, find_pictures
from esrgan_torch.datasets.partners import Partners
from esrgan_torch.errors import ConfigError, ImageError, PairError
from esrgan_torch.images.resample import imresize

MADE = "made from the originals by MATLAB's bicubic"

_ORIGINALS = ("HR", "GTmod12", "GT")
_LOW = r"(?:LR|LQ)(?:[_-]?(?:BI|bic|bicubic))?"  # LR, LRbic, LR_bicubic
_SAYS_LOW = r"(?:LR|LQ|low(?:[_. -]?res)?)(?:(?:bic|blur|BI|BD|DN|[_. -]|x\d).*)?"
_CALLED_ORIGINAL = re.compile(r"(.*?)(?:HR|GT|GTmod12)", re.IGNORECASE)
_NAMED_LOW = re.compile(r".+[_-]LR", re.IGNORECASE)
_NAMED_HIGH = re.compile(r".+[_-](?:HR|GT)", re.IGNORECASE)


@dataclass(frozen=True)
class Couple:
    """An original and its low-resolution picture.

    Args:
        name: the original's, without its suffix.
        original: the file.
        small: the file; None where it is to be made from the original.
        problem: why there is none, although there should be one; else empty.
    """

    name: str
    original: Path
    small: Path | None = None
    problem: str = ""


@dataclass(frozen=True)
class PictureSet:
    """A data set as it was found.

    Args:
        name: of its folder.
        couples: in the order of the originals' names.
        origin: where the low-resolution pictures are, or that they are made.
        problems: files that look like pictures and cannot be used.
        scale: how many times an original is larger along each axis.
    """

    name: str
    couples: tuple[Couple, ...]
    origin: str
    problems: tuple[Problem, ...]
    scale: int

    def read(self, couple: Couple) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Original (H, W, 3), cropped to a multiple of the scale, and small picture (H / scale, W / scale,
        3).

        Raises:
            PairError: there is no partner, or its size does not fit.
            ImageReadError: a file cannot be read.
        """
        if couple.problem:
            raise PairError(couple.problem)
        original = cropped(read_colour(couple.original), self.scale)
        small = small_picture(couple.original, original, couple.small, self.scale)
        return as_rgb(original), as_rgb(small)


def find_set(dataset: Path, scale: int, small: Path | None = None, template: str = "") -> PictureSet:
    """The originals of a folder with their low-resolution pictures.

    A folder that looks as if it held them is taken, see the table above; of a name that says less ("x4",
    "LR"), only if its pictures are so many times smaller.

    Args:
        dataset: the folder of the originals, or one with the subfolder `HR`, `GTmod12` or `GT`.
        scale: 1 or more.
        small: folder of the low-resolution pictures; None: looked for.
        template: of their names, see `Partners`.

    Raises:
        ConfigError: a folder is missing, or there are no pictures.
    """
    if not dataset.is_dir():
        raise ConfigError(f"{dataset} is not a folder; give one with pictures, or with a subfolder HR")
    folder = originals_of(dataset)
    found = find_pictures(folder, deep=False)
    if not found.paths:
        raise ConfigError("; ".join((f"{folder} holds no pictures", *map(str, found.problems))))
    originals = _Originals(dataset.name, folder, found.paths, found.problems, scale, template)
    if small is not None:
        if not small.is_dir():
            raise ConfigError(f"{small} is not a folder; it must contain the low-resolution pictures")
        return originals.beside(small_folder(small, scale))
    high, low = split_by_name(found.paths)
    if low:
        return replace(originals, paths=tuple(high)).coupled(folder, low, f"{folder}, those named LR")
    for candidate, sure in _candidates(dataset, folder, scale):
        there = originals.beside(candidate)
        if sure or _fits(there):
            return there
    couples = tuple(Couple(path.stem, path) for path in found.paths)
    unused = ", ".join(map(str, _look_low(dataset, folder, scale)))
    origin = f"{MADE}, not those in {unused}" if unused else MADE
    return PictureSet(dataset.name, couples, origin, found.problems, scale)


def looks_low(name: str, scale: int) -> bool:
    """Whether a folder called so looks like one of low-resolution pictures: "LR", "LRbicx2", "x4" at x4."""
    return re.fullmatch(rf"{_LOW}(?:[_-]?x\d+)?|x{scale}", name, re.IGNORECASE) is not None


def split_by_name(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Originals and low-resolution pictures of one folder, where names end in _HR and _LR; else all."""
    low = [path for path in paths if _NAMED_LOW.fullmatch(path.stem)]
    if not low or not any(_NAMED_HIGH.fullmatch(path.stem) for path in paths):
        return list(paths), []
    return [path for path in paths if path not in set(low)], low


def originals_of(dataset: Path) -> Path:
    """The subfolder of the originals, or the folder itself."""
    there = {path.name.lower(): path for path in _folders(dataset)}
    exact = [dataset / name for name in _ORIGINALS if (dataset / name).is_dir()]
    loose = [there[name.lower()] for name in _ORIGINALS if name.lower() in there]
    return next(iter(exact + loose), dataset)


def small_folder(folder: Path, scale: int) -> Path:
    """The folder itself, or its subfolder of that scale: `DIV2K_train_LR_bicubic/X4`."""
    return _by_scale(folder, scale) or folder


def small_picture(
    path: Path, original: NDArray[np.uint8], partner: Path | None, scale: int
) -> NDArray[np.uint8]:
    """The low-resolution picture of an original, (H / scale, W / scale, C): its partner, else by bicubic.

    Args:
        path: of the original, for messages.
        original: (H, W, C); rows and columns beyond a multiple of the scale do not count.
        partner: a file, read as RGB; None: it is made from the original.
        scale: 1 or more.

    Raises:
        PairError: the original is too small, or the partner has another size.
        ImageReadError: the partner cannot be read.
    """
    height, width = (side // scale for side in original.shape[:2])
    if not height or not width:
        raise PairError(f"{path} is smaller than {scale} pixels")
    if partner is None:
        return imresize(cropped(original, scale), height, width)
    small = read_rgb(partner)
    if small.shape[:2] != (height, width):
        raise PairError(
            f"{partner} has {small.shape[1]} x {small.shape[0]} pixels; for x{scale} and the original {path} "
            f"it must have {width} x {height}"
        )
    return small


def cropped(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The largest part from the top left whose sides are multiples of `scale`."""
    height, width = (side - side % scale for side in image.shape[:2])
    return image[:height, :width]


@dataclass(frozen=True)
class _Originals:
    """The originals of a data set, which look for their low-resolution pictures.

    Args:
        name: of the set.
        folder: theirs.
        paths: below it.
        problems, scale: see `PictureSet`.
        template: see `Partners`.
    """

    name: str
    folder: Path
    paths: tuple[Path, ...]
    problems: tuple[Problem, ...]
    scale: int
    template: str

    def beside(self, small: Path) -> PictureSet:
        """With the pictures of a folder."""
        found = find_pictures(small, deep=False)
        complete = replace(self, problems=(*self.problems, *found.problems))
        return complete.coupled(small, list(found.paths), str(small))

    def coupled(self, small: Path, files: list[Path], origin: str) -> PictureSet:
        """With these files of a folder."""
        relative = [path.relative_to(self.folder) for path in self.paths]
        partners = Partners(small, files, relative, self.scale, self.template)
        couples: list[Couple] = []
        for path, name in zip(self.paths, relative, strict=True):
            try:
                couples.append(Couple(path.stem, path, partners.of(name)))
            except PairError as error:
                couples.append(Couple(path.stem, path, None, str(error)))
        return PictureSet(self.name, tuple(couples), origin, self.problems, self.scale)


def _candidates(dataset: Path, folder: Path, scale: int) -> Iterator[tuple[Path, bool]]:
    """Folders that may hold the low-resolution pictures, the likeliest first; whether a name is sure."""
    doubtful: list[Path] = []
    for base, prefix in _bases(dataset, folder):
        start = re.escape(prefix)
        scaled = re.compile(rf"{start}{_LOW}[_-]?x{scale}", re.IGNORECASE)
        plain = re.compile(rf"{start}{_LOW}", re.IGNORECASE)
        bare = re.compile(rf"{start}(?:bic(?:ubic)?)?[_-]?x{scale}", re.IGNORECASE)
        for path in _folders(base):
            if scaled.fullmatch(path.name):
                yield path, True
            elif plain.fullmatch(path.name):
                below = _by_scale(path, scale)
                if below is not None:
                    yield below, True
                else:
                    doubtful.append(path)
            elif bare.fullmatch(path.name):
                doubtful.insert(0, path)
    for path in doubtful:
        if find_pictures(path, deep=False).paths:
            yield path, False


def _bases(dataset: Path, folder: Path) -> list[tuple[Path, str]]:
    """Where low-resolution folders may lie, and how their names begin."""
    bases = [(dataset, "")]
    called = _CALLED_ORIGINAL.fullmatch(folder.resolve().name)
    if folder == dataset and called:
        bases.append((folder.resolve().parent, called[1]))
    return bases


def _look_low(dataset: Path, folder: Path, scale: int) -> Iterator[Path]:
    """Folders of pictures whose names say low resolution in any way, and no other scale."""
    for base, prefix in _bases(dataset, folder):
        called = re.compile(re.escape(prefix) + _SAYS_LOW, re.IGNORECASE)
        for path in _folders(base):
            other = re.search(r"x(\d+)$", path.name, re.IGNORECASE)
            if not called.fullmatch(path.name) or (other and int(other[1]) != scale):
                continue
            if find_pictures(path, deep=False).paths or _by_scale(path, scale):
                yield path


def _by_scale(folder: Path, scale: int) -> Path | None:
    """The subfolder `X4` of a folder that holds no pictures itself."""
    if find_pictures(folder, deep=False).paths:
        return None
    return next((path for path in _folders(folder) if path.name.lower() == f"x{scale}"), None)


def _fits(found: PictureSet) -> bool:
    """Whether the first couple that can be read at all goes together."""
    for couple in found.couples:
        if couple.problem:
            continue
        try:
            found.read(couple)
        except PairError:
            return False
        except ImageError:
            continue
        return True
    return False


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
