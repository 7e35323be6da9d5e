"""What results are called: the same picture gets the same name every time, and no two get one."""

import hashlib
import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

from esrgan_cli.paths import folded, longest_name

_EARLIER = 100  # names of a scheme that an earlier name is compared with


class Earlier(Protocol):
    """What earlier runs have named: a `Journal`."""

    def owner(self, target: Path) -> str | None:
        """The source that a result's name belongs to; None where it is free."""
        ...

    def names(self, source: str) -> Sequence[Path]:
        """The results whose names were given to a source, the latest first."""
        ...


class NothingEarlier:
    """Of a folder without a journal."""

    def owner(self, target: Path) -> None:
        """See `Earlier`."""

    def names(self, source: str) -> Sequence[Path]:
        """See `Earlier`."""
        return ()


@dataclass(frozen=True)
class Wish:
    """A picture whose result needs a name.

    Args:
        source: its file, of which only the name is looked at.
        folder: of the result, without links.
        suffix: of the result, with its dot.
        earlier: the journal of the folder, or of one above it.
        key: what the journal calls the source.
    """

    source: PurePath
    folder: Path
    suffix: str
    earlier: Earlier
    key: str

    @property
    def stem(self) -> str:
        return self.source.stem

    @property
    def kind(self) -> str:
        """Of the source: its suffix without dots."""
        return self.source.suffix.replace(".", "")


class Names:
    """Gives names; each once.

    A name that the journal knows for a picture stays. Else it is <stem><ending><suffix>; pictures that differ
    in their kind alone keep it in the name, a-jpg-x4.png, and what is still equal gets a number, a-2-x4.png.

    Args:
        ending: what stands behind the stem of the source, such as "-x4".
        limit: bytes that the name of a file in a folder may have.
    """

    def __init__(self, ending: str, limit: Callable[[Path], int] = longest_name) -> None:
        self._ending, self._limit = ending, limit
        self._limits: dict[Path, int] = {}  # bytes that a name may have
        self._given: set[Hashable] = set()

    def give(self, wishes: Sequence[Wish]) -> list[str]:
        """A name for each wish: first those of earlier runs, then what nobody else wants, then the others."""
        names: dict[int, str] = {}
        rivals: defaultdict[Hashable, list[int]] = defaultdict(list)
        for number, wish in enumerate(wishes):
            earlier = self._earlier(wish)
            if earlier is not None and self._take(wish, earlier):
                names[number] = earlier
            else:
                rivals[folded(wish.folder / self._name(wish, wish.stem))].append(number)
        for group in sorted(rivals.values(), key=len):
            several_kinds = len({wishes[number].kind.lower() for number in group}) > 1
            for number in group:
                wish = wishes[number]
                if several_kinds:
                    candidates = self._numbered(wish, _long(wish))
                elif len(group) > 1:
                    candidates = self._numbered(wish, wish.stem)
                else:
                    candidates = self._all(wish)
                names[number] = next(name for name in candidates if self._take(wish, name))
        return [names[number] for number in range(len(wishes))]

    def another(self, wish: Wish) -> str:
        """One more name, where another process was faster with the first."""
        return next(name for name in self._all(wish) if self._take(wish, name))

    def shortened(self, wish: Wish) -> bool:
        """Whether the plain name of a result is too long for its folder."""
        return self._name(wish, wish.stem) != wish.stem + self._ending + wish.suffix

    def _earlier(self, wish: Wish) -> str | None:
        """The name that an earlier run gave, if this one could give it: the ending may be another now."""
        for path in wish.earlier.names(wish.key):
            if path.parent == wish.folder and path.name in itertools.islice(self._all(wish), _EARLIER):
                return path.name
        return None

    def _take(self, wish: Wish, name: str) -> bool:
        """Whether a name is free; it is then no more."""
        place = folded(wish.folder / name)
        if place in self._given or wish.earlier.owner(wish.folder / name) not in (None, wish.key):
            return False
        self._given.add(place)
        return True

    def _all(self, wish: Wish) -> Iterator[str]:
        """All names that may be given to a wish, the plainest first."""
        for short, long in zip(
            self._numbered(wish, wish.stem), self._numbered(wish, _long(wish)), strict=True
        ):
            yield short
            yield long

    def _numbered(self, wish: Wish, stem: str) -> Iterator[str]:
        yield self._name(wish, stem)
        for number in itertools.count(2):
            yield self._name(wish, f"{stem}-{number}")

    def _name(self, wish: Wish, stem: str) -> str:
        """The stem with ending and suffix, shortened to what the folder's file system takes."""
        if wish.folder not in self._limits:
            self._limits[wish.folder] = self._limit(wish.folder)
        tail = self._ending + wish.suffix
        if len(os.fsencode(stem + tail)) <= self._limits[wish.folder]:
            return stem + tail
        # the rest of the name decides the digits, so that long names that begin alike stay apart
        tail = f"~{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{tail}"
        while stem and len(os.fsencode(stem + tail)) > self._limits[wish.folder]:
            stem = stem[:-1]
        return stem + tail


def _long(wish: Wish) -> str:
    return f"{wish.stem}-{wish.kind}" if wish.kind else wish.stem
