"""Every tensor in what a file holds, however deep it lies in mappings and lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from esrgan_weights.errors import CheckpointError
from esrgan_weights.recognition.stand_ins import Array

DEPTH = 12  # containers within each other; a training state has four
ENTRIES = 500_000  # seen in all; a pickle of a few bytes can name one list in a billion places
SPARE = 1 << 26  # bytes that arrays may have more than is stored
SHOWN = 6
PLAIN = (float, int, str, bool, type(None))


@dataclass(frozen=True, eq=False)
class Entry:
    """A tensor and the way to it.

    Args:
        keys: of the containers around it, the outermost first; a list's are its places.
        name: the innermost key.
        tensor: the tensor.
        container: what it lies in.
    """

    keys: tuple[str, ...]
    name: str
    tensor: Tensor
    container: object

    @property
    def path(self) -> str:
        """Keys and name with dots between, as a network's own names are built."""
        return ".".join((*self.keys, self.name))


def entries_of(content: object) -> list[Entry]:
    """Every tensor in nested mappings, lists and tuples, in their order.

    Raises:
        CheckpointError: there is none, or there are more entries than a checkpoint has.
    """
    found: list[Entry] = []
    budget = ENTRIES
    copied, stored = 0, dict[int, int]()
    waiting: list[tuple[tuple[str, ...], object]] = [((), content)]
    while waiting:
        keys, container = waiting.pop()
        inner: list[tuple[tuple[str, ...], object]] = []
        for key, value in _items(container):
            budget -= 1
            if type(value) in PLAIN:  # a log of losses is long
                continue
            if isinstance(value, Array):
                size = value.size
                copied, stored[value.place] = copied + size, size
                if copied > sum(stored.values()) + SPARE:
                    raise CheckpointError("its arrays repeat the same numbers, which no checkpoint does")
                value = value.tensor()
            if isinstance(value, Tensor):
                found.append(Entry(keys, str(key), value, container))
            elif isinstance(value, Mapping | list | tuple) and len(keys) < DEPTH:
                inner.append(((*keys, str(key)), cast(object, value)))
        if budget < 0:
            raise CheckpointError(f"it holds more than {ENTRIES:,} entries, which no checkpoint has")
        waiting += reversed(inner)
    if not found:
        raise CheckpointError(_nothing(content))
    return found


def _items(container: object) -> Iterable[tuple[object, object]]:
    if isinstance(container, Mapping):
        return cast(Mapping[object, object], container).items()
    if isinstance(container, list | tuple):
        return enumerate(cast(list[object], container))
    return ()


def _nothing(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"it holds a {type(content).__name__}, not named tensors"
    held = ", ".join(map(str, list(cast(Mapping[object, object], content))[:SHOWN])) or "nothing"
    return f"it holds no tensors (but: {held})"
