"""Files that people feed us and that hold no generator of this project, told by their tensors' names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from esrgan_torch.networks.registry import ARCHITECTURES
from esrgan_weights.recognition.signatures import SIGNATURES, Signature

*_OTHERS, _LAST = (architecture.title for architecture in ARCHITECTURES)
OURS = f"this project reads {', '.join(_OTHERS)} and {_LAST}"
INSTALL = 'to run it all the same: pip install "esrgan-torch[spandrel]"'


@dataclass(frozen=True)
class Foreign:
    """Another network, recognised.

    Args:
        name: what it is, such as "SwinIR".
        reader: the package that reads it: "spandrel" (which chaiNNer and ComfyUI use) or
            "spandrel_extra_arches"; None where this project knows none.
        prefix: what stands before the network's own names in the file, such as "params_ema."; "" for nothing.
        marks: the names, without the prefix, by which it was told.
    """

    name: str
    reader: str | None
    prefix: str
    marks: tuple[str, ...]


def identify(
    keys: Iterable[str], *, anywhere: bool = True, among: Sequence[Signature] = SIGNATURES
) -> Foreign | None:
    """Which other network a file with these tensors holds, or None where it is in no table.

    Args:
        keys: names of the tensors, as the file has them; keys of nested containers are joined with dots.
        anywhere: look below every prefix too; False: only for names that begin as the network's own do.
        among: the networks that it may be.
    """
    names = _Names(keys, anywhere)
    for signature in among:
        prefix = names.prefix_of(signature)
        if prefix is not None:
            return Foreign(signature.name, signature.reader, prefix, signature.marks)
    return None


def message(other: Foreign) -> str:
    """The sentence of an error about it."""
    reader = f", which {other.reader} reads" if other.reader else ""
    install = f"; {INSTALL}" if other.reader == "spandrel" else ""
    return f"it is {other.name}{reader}; {OURS}{install}"


class _Names:
    def __init__(self, keys: Iterable[str], anywhere: bool) -> None:
        self.known = set(keys)
        self.anywhere = anywhere

    @cached_property
    def by_last_steps(self) -> dict[str, list[str]]:
        """Every end of a name that begins after a dot -> the names with that end."""
        ends: dict[str, list[str]] = {}
        for name in self.known:
            rest = name
            while rest:
                ends.setdefault(rest, []).append(name)
                rest = rest.partition(".")[2]
        return ends

    def prefix_of(self, signature: Signature) -> str | None:
        """The prefix under which all the names stand."""
        if not self.anywhere:
            return "" if self.known.issuperset(signature.marks) else None
        first = signature.marks[0]
        for name in sorted(self.by_last_steps.get(first, ()), key=len):
            prefix = name.removesuffix(first)
            if all(prefix + mark in self.known for mark in signature.marks):
                return prefix
        return None
