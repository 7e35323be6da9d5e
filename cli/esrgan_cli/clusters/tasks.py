"""Which pictures become which results, by their names alone: the same on every machine, without a journal."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from esrgan_cli.clusters.places import Place
from esrgan_torch.images.files import READ_SUFFIXES


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


def find_tasks(
    sources: Sequence[Place], output: Place, ending: str, suffix_of: Callable[[str], str]
) -> list[Task]:
    """All pictures of the folders, each once, with the names of their results.

    A result is called <stem><ending><suffix>, in the subfolder of its source. Pictures that would share a
    name keep their kind, a-jpg-x4.png, and what is then still alike gets a number, as with `esrgan upscale`
    on one machine. Hidden files, and those of the output folder, are left out.

    Args:
        sources: folders, or single files.
        output: folder of the results.
        ending: such as "-x4".
        suffix_of: of the result of a name, with its dot.

    Raises:
        ConfigError: a folder cannot be listed.
    """
    found: dict[str, tuple[Place, str]] = {}
    for source in sources:
        for name in _pictures(source.files()):
            folder = source
            if source.path.endswith(f"/{name}") and source.system.isfile(source.path):
                folder = Place(source.address.rstrip("/").rpartition("/")[0])
            address = folder.of(name)
            if not address.startswith(f"{output.address.rstrip('/')}/"):
                found.setdefault(address, (folder, name))
    plain = Counter(_named(name, ending, suffix_of(name)) for _, name in found.values())
    taken: set[str] = set()
    tasks: list[Task] = []
    for folder, name in found.values():
        suffix = suffix_of(name)
        result = _named(name, ending, suffix)
        if plain[result] > 1:
            result = _named(name, f"-{PurePosixPath(name).suffix[1:]}{ending}", suffix)
        number = 1
        while result in taken:
            number += 1
            result = _named(name, f"-{number}{ending}", suffix)
        taken.add(result)
        tasks.append(Task(folder, name, result))
    return tasks


def _pictures(names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in READ_SUFFIXES
        and not any(part.startswith(".") for part in PurePosixPath(name).parts)
    ]


def _named(name: str, ending: str, suffix: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}{ending}{suffix}"))
