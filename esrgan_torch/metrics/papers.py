"""What papers print for the usual evaluation sets, and those sets in a user's folders."""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from esrgan_torch.errors import ConfigError

# a set and what its folder may be called
_SPELLINGS = {
    "Set5": "Set5",
    "Set14": "Set14",
    "BSD100": "BSDS?100|B100",
    "Urban100": "Urban100",
    "Manga109": "Manga109",
}
SETS = tuple(_SPELLINGS)


@dataclass(frozen=True)
class PaperRow:
    """A network's figures as they were published.

    Args:
        name: of the network, as papers call it.
        scale: of the task.
        source: where the figures stand, for people.
        figures: PSNR in dB and SSIM, both of Y, by the set's name in `SETS`.
        model: the registry's name of the authors' weights; empty where it does not know them.
    """

    name: str
    scale: int
    source: str
    figures: Mapping[str, tuple[float, float]]
    model: str = ""


@cache
def paper_rows() -> tuple[PaperRow, ...]:
    """All rows that are known; the weakest network of a scale first."""
    text = files("esrgan_torch.metrics").joinpath("papers.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    sources: Mapping[str, str] = content["sources"]
    return tuple(_row(entry, sources) for entry in content["rows"])


def _row(entry: Mapping[str, Any], sources: Mapping[str, str]) -> PaperRow:
    figures = {name: (psnr, ssim) for name, (psnr, ssim) in entry["figures"].items()}
    return PaperRow(
        entry["name"],
        entry["scale"],
        sources[entry["source"]],
        MappingProxyType(figures),
        entry.get("model", ""),
    )


def find_paper_sets(folders: Sequence[Path]) -> dict[str, Path]:
    """The usual sets among folders and the folders in them, by name, in the order of `SETS`.

    A folder's name decides, in small or capital letters: `Set5`, `b100`, `BSDS100`. Where a set is there
    several times, the first is taken.

    Raises:
        ConfigError: none is there.
    """
    found: dict[str, Path] = {}
    for folder in _with_subfolders(folders):
        name = _set_of(folder)
        if name:
            found.setdefault(name, folder)
    if not found:
        raise ConfigError(
            f"{', '.join(map(str, folders))}: no folder is called {', '.join(SETS[:-1])} or {SETS[-1]}"
        )
    return {name: found[name] for name in SETS if name in found}


def _with_subfolders(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if _set_of(folder):  # what it holds are pictures
            yield folder
            continue
        try:
            yield from (path for path in sorted(folder.iterdir()) if path.is_dir())
        except OSError as error:
            raise ConfigError(f"{folder} cannot be listed: {error.strerror or error}") from error


def _set_of(folder: Path) -> str:
    called = Path(os.path.abspath(folder)).name  # noqa: PTH100  # as the user calls it, who may have made a link
    return next(
        (name for name, spelling in _SPELLINGS.items() if re.fullmatch(spelling, called, re.IGNORECASE)), ""
    )
