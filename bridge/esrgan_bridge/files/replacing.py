"""An earlier conversion's folder: what of it may be replaced, and what stays because it is somebody's own."""

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.files.checksums import sha256_of
from esrgan_bridge.parity.record import FILE, read_report
from esrgan_bridge.parity.report import PAGE

ANOTHER = "choose another folder"
NAMED = 5  # files that a message names before it counts


def replaceable(folder: Path, to: str, overwrite: bool) -> list[str]:
    """The files that a new conversion takes the place of, by their path in the folder: none in a new one.

    Args:
        folder: where the new conversion goes.
        to: its last hop.
        overwrite: replace a conversion to another last hop too, and files that were changed since.

    Raises:
        ArtifactError: the folder is a file, or has files and no record of ours, or one that cannot be
            read; or it needs `overwrite`. Nothing is touched.
    """
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{folder} is a file; a folder is made")
    if not folder.is_dir() or not any(folder.iterdir()):
        return []
    if not (folder / FILE).is_file():
        raise ArtifactError(
            f"{folder} has files, but no {FILE}: not made by `esrgan convert`, so left alone; {ANOTHER}"
        )
    try:
        earlier = read_report(folder)
    except ArtifactError as error:
        raise ArtifactError(
            f"{folder} has files, and its {FILE} does not tell which of them `esrgan convert` made, so they "
            f"are left alone ({error}); {ANOTHER}, or remove this one"
        ) from error
    listed = {name: value for name, value in earlier.files.items() if _is_there(folder, name)}
    if overwrite:
        return [*listed, *_reports(folder)]
    if earlier.to != to:
        raise ArtifactError(
            f"{folder} holds a conversion of {earlier.name} to {earlier.to}, not to {to}; {ANOTHER}, or "
            f"replace its {len(listed)} files with --overwrite (in Python overwrite=True)"
        )
    if changed := [name for name, value in listed.items() if sha256_of(folder / name) != value]:
        raise ArtifactError(
            f"{folder} holds an earlier conversion, and of its files {name_some(changed)} changed since; "
            f"{ANOTHER}, or replace them with --overwrite (in Python overwrite=True)"
        )
    return [*listed, *_reports(folder)]


def put_in_place(building: Path, folder: Path, old: Sequence[str]) -> list[str]:
    """Move a finished folder's files into `folder`, in place of the files `old`.

    Whatever else is in the folder is not touched. When a file cannot be moved, the old ones come back.

    Returns:
        The files that were there and stay.

    Raises:
        ArtifactError: a new file would take the place of one that is not among `old`; nothing is touched.
        OSError: nothing has changed.
    """
    if not folder.exists():
        building.rename(folder)
        return []
    kept = [name for name in _files(folder) if name not in set(old)]
    new = _files(building)
    _refuse_collisions(folder, new, old)
    aside = building.with_name(building.name + ".old")
    moved: list[tuple[Path, Path]] = []
    try:
        for names, source, target in ((old, folder, aside), (new, building, folder)):
            for name in names:
                moved.append((source / name, target / name))
                _move(source / name, target / name)
    except BaseException:
        _move_back(moved)
        _prune(folder, new)
        if not aside.is_dir() or not _files(aside):  # else it has the only copy of a file
            shutil.rmtree(aside, ignore_errors=True)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    _prune(folder, old)
    return kept


def name_some(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _reports(folder: Path) -> list[str]:
    """The record's own files, which cannot list themselves."""
    return [name for name in (PAGE, FILE) if (folder / name).is_file()]


def _is_there(folder: Path, name: str) -> bool:
    """Whether a file that a record lists is there, as the folder's own and not by way of a link elsewhere.

    Raises:
        ArtifactError: it is outside of the folder.
    """
    file = folder / name
    if PurePosixPath(name).name in ("", "..") or not file.parent.resolve().is_relative_to(folder.resolve()):
        raise ArtifactError(
            f"{folder / FILE} lists {name!r}, which is outside of the folder; {ANOTHER}, or remove this one"
        )
    return file.is_file()


def _files(folder: Path) -> list[str]:
    """Everything that is no folder, links among it, by its path there; the record comes last."""
    names = [
        (Path(place) / name).relative_to(folder).as_posix()
        for place, folders, files in os.walk(folder)
        for name in (*files, *(entry for entry in folders if (Path(place) / entry).is_symlink()))
    ]
    return sorted(names, key=lambda name: (name == FILE, name))


def _refuse_collisions(folder: Path, new: Iterable[str], old: Sequence[str]) -> None:
    for name in set(new) - set(old):
        parents = [folder / parent for parent in PurePosixPath(name).parents][:-1]
        taken = [parent for parent in parents if parent.is_symlink() or parent.is_file()]
        if taken or os.path.lexists(folder / name):
            raise ArtifactError(
                f"{min(taken, default=folder / name)} is in the way and was not made by an earlier "
                f"conversion, so left alone; {ANOTHER}, or move it away"
            )


def _move(source: Path, target: Path) -> None:
    """Also onto another disk: a folder may be where one is mounted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def _move_back(moved: Sequence[tuple[Path, Path]]) -> None:
    """As far as it goes: what cannot be moved back stays where it is."""
    for source, target in reversed(moved):
        with suppress(OSError):
            if os.path.lexists(source):
                target.unlink(missing_ok=True)  # the beginning of a copy that did not end
            elif os.path.lexists(target):
                _move(target, source)


def _prune(folder: Path, names: Iterable[str]) -> None:
    """Remove folders that held these files and hold nothing now."""
    for parent in sorted({parent for name in names for parent in PurePosixPath(name).parents}, reverse=True):
        place = folder / parent
        if place != folder and place.is_dir() and not any(place.iterdir()):
            place.rmdir()
