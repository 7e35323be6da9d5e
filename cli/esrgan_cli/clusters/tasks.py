"""Which pictures become which results, by their names alone: the same as on one machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from esrgan_cli.clusters.places import Place
from esrgan_cli.paths import NAME_BYTES, longest_name
from esrgan_cli.upscaling.journal import Journal
from esrgan_cli.upscaling.names import Names, NothingEarlier, Wish
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import READ_SUFFIXES
from esrgan_torch.storage.paths import real


@dataclass(frozen=True)
class Task:
    """One picture.

    Args:
        source: the folder that it is in.
        name: in that folder.
        result: its result's name, in the folder of the results.
    """

    source: Place
    name: str
    result: str

    @property
    def address(self) -> str:
        return self.source.of(self.name)


def failed_line(task: Task, reason: str) -> dict[str, Any]:
    """A line of the report about a picture that no worker has told of."""
    nothing = dict.fromkeys(("input_size", "output_size", "frames", "seconds"))
    return {"input": task.address, "output": None, "status": "failed", **nothing, "reason": reason}


def find_tasks(
    sources: Sequence[Place], output: Place, ending: str, suffix_of: Callable[[Place, str], str]
) -> list[Task]:
    """All pictures of the folders, each once, with the names of their results: those of one machine, `Names`.

    A journal counts where the results go into a folder of this machine that has one. Hidden files, and those
    of the output folder, are left out.

    Args:
        sources: folders, or single files, which are taken whatever their name.
        output: folder of the results.
        ending: such as "-x4".
        suffix_of: of the result of a file in a folder, with its dot.

    Raises:
        ConfigError: a folder cannot be listed, or is its own output.
    """
    found: dict[str, tuple[Place, str]] = {}
    for source in sources:
        if source.same_as(output):
            raise ConfigError(
                f"{source.address} is both the input and the output folder, where results would be taken for "
                "inputs the next time; give another folder with -o"
            )
        folder, pictures = _pictures(source)
        for name in pictures:
            address = folder.of(name)
            if not output.holds(folder, name):
                found.setdefault(address, (folder, name))
    here = Path(output.path) if output.is_local else None
    earlier = NothingEarlier() if here is None else Journal(here)
    top = PurePosixPath(output.path) if here is None else real(here)
    wishes: list[Wish] = []
    for folder, name in found.values():
        key = folder.of(name)
        if isinstance(earlier, Journal) and folder.is_local:
            key = earlier.key(Path(folder.path) / name)
        place = Path(top / PurePosixPath(name).parent)
        wishes.append(Wish(PurePosixPath(name), place, suffix_of(folder, name), earlier, key))
    # stores take longer names than disks, where results shall have a place too
    names = Names(ending, (lambda _: NAME_BYTES) if here is None else longest_name)
    return [
        Task(folder, name, PurePosixPath(name).with_name(result).as_posix())
        for (folder, name), result in zip(found.values(), names.give(wishes), strict=True)
    ]


def _pictures(source: Place) -> tuple[Place, list[str]]:
    """The folder, and the names of its pictures in the order in which one machine goes through it."""
    files = [PurePosixPath(name) for name in source.files()]
    if [source.path.endswith(f"/{path}") for path in files] == [True] and source.system.isfile(source.path):
        return Place(source.address.rstrip("/").rpartition("/")[0]), [str(files[0])]
    return source, [
        str(path)
        for path in sorted(files, key=lambda path: path.parts)
        if path.suffix.lower() in READ_SUFFIXES and not any(part.startswith(".") for part in path.parts)
    ]
