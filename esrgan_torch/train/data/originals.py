"""Which pictures a run is trained on, and which low-resolution picture belongs to which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from esrgan_torch.datasets.find import find_pictures
from esrgan_torch.datasets.partners import Partners
from esrgan_torch.datasets.sets import looks_low, small_folder, split_by_name
from esrgan_torch.errors import ConfigError, PairError


@dataclass(frozen=True)
class Job:
    """A picture to decode.

    Args:
        original: the file.
        partner: the low-resolution file; None where it is made from the original.
        scale: of the pair.
        problem: why the picture cannot be used, naming it; else empty.
    """

    original: Path
    partner: Path | None
    scale: int
    problem: str = ""


def find_jobs(
    folders: Sequence[str],
    small_folders: Sequence[str],
    scale: int,
    small_names: str,
    tell: Callable[[str], object],
) -> list[Job]:
    """The pictures of `data.folders`, with their subfolders, each once.

    Folders that look as if they held the low-resolution pictures of the others are no originals, which is
    told.

    Raises:
        ConfigError: there are no folders, or one is missing.
    """
    if not folders:
        raise ConfigError("data.folders names no folder of pictures, such as 'data.folders=[\"DIV2K/HR\"]'")
    jobs: dict[Path, Job] = {}
    for index, name in enumerate(folders):
        folder = _folder("data.folders", name)
        small = (
            small_folder(_folder("data.small_folders", small_folders[index]), scale)
            if small_folders
            else None
        )
        for job in _jobs(folder, small, scale, small_names, tell):
            jobs.setdefault(job.original, job)
    return list(jobs.values())


def _jobs(
    folder: Path, small: Path | None, scale: int, small_names: str, tell: Callable[[str], object]
) -> list[Job]:
    mixed = small is not None and small.samefile(folder)
    found = find_pictures(folder, without=[small] if small is not None and not mixed else [])
    paths = _without_low(folder, found.paths, scale, tell)
    paths, low = split_by_name(paths)
    if low and not mixed:
        tell(
            f"left out: {len(low)} pictures in {folder} whose names end in LR beside others that end in HR; "
            f"data.small_folders={folder} takes them as their low-resolution pictures"
        )
    problems = [Job(problem.path, None, scale, str(problem)) for problem in found.problems]
    if small is None:
        return [*(Job(path, None, scale) for path in paths), *problems]
    relative = [path.relative_to(folder) for path in paths]
    files = low if mixed else find_pictures(small).paths
    partners = Partners(small, files, relative, scale, small_names)
    jobs: list[Job] = []
    for path, place in zip(paths, relative, strict=True):
        try:
            jobs.append(Job(path, partners.of(place), scale))
        except PairError as error:
            jobs.append(Job(path, None, scale, str(error)))
    return [*jobs, *problems]


def _without_low(
    folder: Path, paths: Sequence[Path], scale: int, tell: Callable[[str], object]
) -> Sequence[Path]:
    """The pictures that lie in no folder of low-resolution ones; all, where there are no others."""
    low: dict[Path, int] = {}
    originals: list[Path] = []
    for path in paths:
        above = path.relative_to(folder).parents
        found = [folder / place for place in above if looks_low(place.name, scale)]
        if found:
            low[found[-1]] = low.get(found[-1], 0) + 1
        else:
            originals.append(path)
    if not originals:  # the folder was meant, whatever it is called
        return paths
    for place, count in low.items():
        tell(
            f"left out: {count} pictures in {place}, which looks like low-resolution ones; "
            "data.small_folders takes "
            "them as such"
        )
    return originals


def _folder(option: str, name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        several = f'; several are given as \'{option}=["a","b"]\'' if "," in name else ""
        raise ConfigError(f"{option}: {folder} is not a folder{several}")
    return folder
