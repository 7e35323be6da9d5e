"""What stands for harmless objects in other people's pickles: nothing of the packages they name is imported.

A checkpoint may hold, beside its tensors, a NumPy number, a path, a training script's options, a framework's
records. `torch.load(weights_only=True)` refuses a file that names any of their classes. Here each such name
is replaced by a class of this module that keeps what is needed (an array's numbers) or nothing at all.
"""

import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

# whole packages whose objects only describe the training; none of their classes is made
RECORDS = (
    "addict.",
    "argparse.",
    "datetime.",
    "decimal.",
    "fractions.",
    "lightning.",
    "lightning_fabric.",
    "mmcv.",
    "mmengine.",
    "numpy.dtypes.",
    "omegaconf.",
    "packaging.",
    "pathlib.",
    "pytorch_lightning.",
    "torch.torch_version.",
    "types.SimpleNamespace",
    "typing.",
    "uuid.",
)
PLAIN_KIND = re.compile(r"[fiub]\d")


class Inert:
    """An object of which nothing is kept."""

    def __new__(cls, *_: object) -> "Inert":
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Keep nothing."""


class PlainDict:
    """Made, it is a plain dictionary, whatever it is made from."""

    def __new__(cls, *_: object) -> Any:
        return {}


class PlainList:
    """Made, it is a plain list of what it is made from."""

    def __new__(cls, items: Iterable[object] = (), *_: object) -> Any:
        return list(items)


class Kind:
    """NumPy's dtype: the type of an array's numbers."""

    def __init__(self, name: str = "", *_: object) -> None:
        self.name = name
        self.order = "<"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = str(state[1])

    def plain(self) -> "np.dtype[Any] | None":
        """The type in NumPy; None for another than numbers."""
        name = str(self.name)
        order = self.order if self.order in "<>" else "<"
        return np.dtype(order + name) if PLAIN_KIND.fullmatch(name) else None


class Array:
    """NumPy's ndarray."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        data = self.state[-1] if self.state else b""
        return len(data) if isinstance(data, bytes | bytearray) else 0

    @property
    def place(self) -> int:
        """Which bytes they are: two arrays may have the same."""
        return id(self.state[-1]) if self.state else 0

    def tensor(self) -> Tensor | None:
        """The same numbers as a tensor; None for what is no array of numbers."""
        try:
            _, shape, kind, columns_first, data = self.state
            plain = kind.plain()
            if not isinstance(data, bytes | bytearray):  # a number would be taken for a size
                return None
            values: Any = np.frombuffer(bytes(data), plain).reshape(
                shape, order="F" if columns_first else "C"
            )
            return torch.from_numpy(values.astype(plain.newbyteorder("="), order="C")) if plain else None
        except (ValueError, TypeError, AttributeError):
            return None


def array_of_buffer(data: bytes, kind: Kind, shape: tuple[int, ...], order: str = "C") -> Array:
    """NumPy's `_frombuffer`, by which newer pickles hold arrays."""
    array = Array()
    array.state = (1, shape, kind, order == "F", data)
    return array


def storage_of_bytes(data: bytes) -> object:
    """torch's `_load_from_bytes`, by which pickles that torch did not write hold tensors."""
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


HERE = __name__
STAND_INS: Mapping[str, Any] = {
    f"{HERE}.{made.__qualname__}": made
    for made in (Inert, PlainDict, PlainList, Kind, Array, array_of_buffer, storage_of_bytes)
}
_NAMES: Mapping[str, Any] = {
    "collections.defaultdict": PlainDict,
    "lightning.pytorch.utilities.parsing.AttributeDict": PlainDict,
    "pytorch_lightning.utilities.parsing.AttributeDict": PlainDict,
    "mmcv.utils.config.ConfigDict": PlainDict,
    "mmengine.config.config.ConfigDict": PlainDict,
    "collections.deque": PlainList,
    "builtins.frozenset": PlainList,
    "numpy.dtype": Kind,
    "numpy.ndarray": Array,
    "torch.storage._load_from_bytes": storage_of_bytes,
    **{
        f"numpy.{core}.{name}": made
        for core in ("core", "_core")
        for name, made in (
            ("multiarray.scalar", Inert),
            ("multiarray._reconstruct", Array),
            ("numeric._frombuffer", array_of_buffer),
        )
    },
    # as the default of a dictionary
    **{f"builtins.{name}": Inert for name in ("bool", "dict", "float", "int", "list", "str", "tuple")},
}


def stand_in_for(module: str, name: str) -> Any | None:
    """What stands for an object of that name; None where it is not known to be harmless."""
    full = f"{module.replace('__builtin__', 'builtins')}.{name}"
    made = _NAMES.get(full)
    if made is None and full.startswith(RECORDS) and "." not in name:  # a dot: a method of a class
        return Inert
    return made
