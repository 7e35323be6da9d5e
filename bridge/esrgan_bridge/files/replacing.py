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
from esrgan_torch.storage.paths import real
from esrgan_torch.storage.swap import swap

ANOTHER = "choose another folder"
NAMED = 5  # files that a message names before it counts


def replaceable(folder: Path, to: str, overwrite: bool) -> list[str]:
    """The files that a new conversion takes the place of, by their path in the folder: none in a new one.

    Args:
        folder: where the new conversion goes.
        to: its last step.
        overwrite: replace a conversion to another last step too, and files that were changed since.

    Raises:
        ArtifactError: the folder is a file, or has files and no record of ours, or one that cannot be
            read; or it needs `overwrite`. Nothing is touched.
    """
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{folder} is a file; give a folder")
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
            f"{folder} holds an earlier conversion, and {name_some(changed)} changed since; "
            f"{ANOTHER}, or replace them with --overwrite (in Python overwrite=True)"
        )
    return [*listed, *_reports(folder)]


def put_in_place(building: Path, folder: Path, old: Sequence[str]) -> list[str]:
    """Let a finished folder take the place of `folder`, in place of the files `old`.

    Whatever else is in the folder stays. Where the system can swap two names, nobody ever finds the folder
    without a whole conversion in it: what stays is linked into the finished folder, and then the two swap.
    Elsewhere (see `esrgan_torch.storage.swap`, `_can_swap`) files move one by one; a process that is killed
    meanwhile leaves some of both, the old ones in a folder beside, `.<mark>.part-old`. When a file cannot be
    moved, the old ones come back.

    Args:
        building: is gone afterwards, or holds what was replaced; the caller removes it.
        folder: need not be there.
        old: see `replaceable`.

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
    if not _swapped(building, folder, kept, old):
        _move_all(building, folder, new, old)
    return kept


def _swapped(building: Path, folder: Path, kept: Sequence[str], old: Sequence[str]) -> bool:
    """Swap the two, with what stays in both; False where that cannot be, and nothing has changed."""
    if not _can_swap(folder):
        return False
    try:
        for place in _own_folders(folder, kept, old):
            (building / place).mkdir(exist_ok=True)
            _copy_rights(folder / place, building / place)
        for name in kept:
            os.link(folder / name, building / name, follow_symlinks=False)
        _copy_rights(folder, building)
    except OSError:  # no links here: some network drives and memory cards
        _unlink(building, kept)
        return False
    if not swap(building, folder):
        _unlink(building, kept)
        return False
    for name in set(_files(building)) - {*kept, *old}:  # somebody put it there a moment ago
        if not os.path.lexists(folder / name):
            _move(building / name, folder / name)
    return True


def _can_swap(folder: Path) -> bool:
    """Not where this process stands in the folder, as a shell may, which would then be in the old one."""
    try:
        return not real(Path.cwd()).is_relative_to(real(folder))
    except OSError:  # the working folder is gone
        return True


def _own_folders(folder: Path, kept: Sequence[str], old: Sequence[str]) -> list[str]:
    """The folders that hold what stays, or nothing of an earlier conversion; a parent comes first."""
    earlier = {parent.as_posix() for name in old for parent in PurePosixPath(name).parents}
    holding = {parent.as_posix() for name in kept for parent in PurePosixPath(name).parents}
    below = [
        (Path(place) / name).relative_to(folder).as_posix()
        for place, folders, _ in os.walk(folder)
        for name in folders
        if not (Path(place) / name).is_symlink()
    ]
    return sorted(name for name in below if name in holding or name not in earlier)


def _copy_rights(source: Path, target: Path) -> None:
    shutil.copystat(source, target)
    with suppress(OSError, AttributeError):  # only root may, and Windows has no such owners
        os.chown(target, source.stat().st_uid, source.stat().st_gid)


def _unlink(building: Path, names: Iterable[str]) -> None:
    for name in names:
        (building / name).unlink(missing_ok=True)
    _prune(building, names)


def _move_all(building: Path, folder: Path, new: Sequence[str], old: Sequence[str]) -> None:
    """One file after the other; back again where one cannot be moved."""
    aside = building.with_name(building.name + "-old")
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
    if PurePosixPath(name).name in ("", "..") or not real(file.parent).is_relative_to(real(folder)):
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
