"""Where in a file the network stands: under any keys and any prefix, beside what else was saved with it.

A candidate is a place under which the names of a network of this project begin. It is complete when every
tensor is there and no other stands among them; a file may hold several (raw and averaged weights, a generator
and others).

The names, each with the layouts that have them, are in `esrgan_weights.architectures`, a file for each
network: where several projects write the same names, the first of them is reported.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from esrgan_weights.architectures.base import Files, Spelling
from esrgan_weights.architectures.registry import ALL, spellings
from esrgan_weights.errors import UnknownArchitectureError
from esrgan_weights.recognition import foreign
from esrgan_weights.recognition.entries import Entry, entries_of
from esrgan_weights.recognition.layouts import check_names
from esrgan_weights.recognition.signatures import NETWORKS

# keys of averaged weights, which are the ones that are published: params_ema, ema_model, g_ema, shadow, ...
AVERAGED = re.compile(
    r"(^|[_\-])ema|ema($|[_\-\d])|shadow|averag|(^|[_\-])(avg|swa)($|[_\-])|polyak", re.IGNORECASE
)
# keys of the generator: generator, gen, G, netG, net_g, g_ema, ...
GENERATOR = re.compile(r"^gen|generator|^(net|model)?[_\-]?g($|[_\-])", re.IGNORECASE)
# keys of what may stand beside it: discriminator, netD, teacher, net_g_old, ...
BESIDE = re.compile(
    r"discr|critic|teacher|^(net|model)?[_\-]?d($|[_\-])|(^|[_\-])(old|init|initial|pretrained|frozen)($|[_\-])",
    re.IGNORECASE,
)
# keys of what training keeps for each parameter, under the parameter's own name: moments, gradients
TRAINING = re.compile(r"optim|exp_(avg|inf)|momentum_buffer|^moments?\d?$|^grad", re.IGNORECASE)
SHOWN = 6  # names shown of a file that nothing recognises


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place in a file where a network begins.

    Args:
        keys: of the containers that lead there, such as ("params_ema",).
        prefix: what each name begins with in the last of them, such as "module."; "" for nothing.
        container: the last of them.
        layout: how the tensors are named: "basicsr" (of a CompactNet too), "old-arch", ...
        title: the network and its names, for messages.
        names: the name of each tensor that the network needs, without the prefix -> this project's name.
        tensors: those that are there, by the same names.
        strange: names, without the prefix, of tensors among them that the network does not have.
        files: what is known of the network.
        idle: names of tensors among them that are not read, though they belong there.
    """

    keys: tuple[str, ...]
    prefix: str
    container: object
    layout: str
    title: str
    names: Mapping[str, str]
    tensors: Mapping[str, Tensor]
    strange: Sequence[str]
    files: Files
    idle: Collection[str]

    @property
    def where(self) -> str:
        """The way to it, such as "params_ema" or "state_dict generator."; "" if it stands in the open."""
        return " ".join((*self.keys, self.prefix)).strip()

    @property
    def start(self) -> str:
        """What stands before the network's own names in a tensor's path."""
        return "".join(f"{key}." for key in self.keys) + self.prefix

    @property
    def complete(self) -> bool:
        """Whether every tensor is there, and no other among them."""
        return not self.strange and len(self.tensors) == len(self.names)

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The larger, the sooner it is what the file was saved for."""
        steps = [*self.keys, *self.prefix.split(".")]
        beside, training, averaged, generator = (
            sum(bool(pattern.search(step)) for step in steps)
            for pattern in (BESIDE, TRAINING, AVERAGED, GENERATOR)
        )
        return not (beside or training), averaged, generator

    def check(self) -> None:
        """Raise `CheckpointError` that names the tensors which are missing or too many."""
        check_names([*self.tensors, *self.strange], self.names, self.title)


def find(content: object) -> tuple[Candidate, tuple[Candidate, ...]]:
    """The network in what a file holds, and the other complete ones that are there.

    Averaged weights go before raw ones and a generator before others; else the first in the file is taken.

    Raises:
        CheckpointError: there are no tensors, or those of the network are not complete.
        UnknownArchitectureError: there is no network of this project; the message says what there is.
    """
    entries = {entry.path: entry for entry in reversed(entries_of(content))}
    entries = dict(reversed(entries.items()))  # of two with one path, the first; in the file's order
    candidates = _candidates(entries)
    complete = [candidate for candidate in candidates if candidate.complete]
    if complete:
        best = max(complete, key=lambda candidate: candidate.rank)  # the first of several
        return best, tuple(candidate for candidate in complete if candidate is not best)
    other = foreign.identify(entries)
    if other and (not candidates or any(candidate.start == other.prefix for candidate in candidates)):
        raise UnknownArchitectureError(foreign.message(other))
    if candidates:
        max(candidates, key=lambda candidate: (candidate.rank, len(candidate.tensors))).check()
    shown = ", ".join(list(entries)[:SHOWN]) + (", ..." if len(entries) > SHOWN else "")
    raise UnknownArchitectureError(
        f"it is none of {', '.join(files.architecture.title for files in ALL)} in any known layout; "
        f"its tensors are {shown}"
    )


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a network begins: the joined keys and prefix, and the entries that are its tensors."""

    start: str
    files: Files
    spelling: Spelling
    names: Mapping[str, str]
    found: Mapping[str, Entry]
    idle: Collection[str]


def _candidates(entries: Mapping[str, Entry]) -> list[Candidate]:
    """Every place where a network begins, in the file's order."""
    places: dict[str, _Place] = {}
    for files, spelling in spellings():
        marks = spelling.marks
        for path in entries:
            start = path.removesuffix(marks[0])
            if start == path or (start and not start.endswith(".")):
                continue
            if all(start + mark in entries for mark in marks):
                place = _place(entries, start, files, spelling)
                # where two kinds of names fit, those that more tensors have
                if start not in places or len(place.found) > len(places[start].found):
                    places[start] = place
    order = {path: number for number, path in enumerate(entries)}
    ordered = sorted(
        places.values(), key=lambda place: min(order[entry.path] for entry in place.found.values())
    )
    own = {entry.path for place in ordered for entry in place.found.values()}
    own |= {f"{place.start}{name}" for place in ordered for name in place.idle}
    candidates = [_candidate(entries, place, own) for place in ordered]
    return [
        candidate
        for place, candidate in zip(ordered, candidates, strict=True)
        if not _is_a_part(entries, place, candidate)
    ]


def _place(entries: Mapping[str, Entry], start: str, files: Files, spelling: Spelling) -> _Place:
    below = {path.removeprefix(start): entry for path, entry in entries.items() if path.startswith(start)}
    names = spelling.names(below.keys())
    found = {name: below[name] for name in names if name in below}
    beside = _keys_beside(next(iter(found.values())), start)
    return _Place(start, files, spelling, names, found, spelling.idle(below.keys() | beside))


def _keys_beside(entry: Entry, start: str) -> set[str]:
    """Every key in an entry's container below a place: what is no tensor, such as True, can say something."""
    if not isinstance(entry.container, Mapping):
        return set()
    keys = cast("Mapping[object, object]", entry.container)
    paths = (".".join((*entry.keys, str(key))) for key in keys)
    return {path.removeprefix(start) for path in paths if path.startswith(start)}


def _candidate(entries: Mapping[str, Entry], place: _Place, own: set[str]) -> Candidate:
    """The candidate at a place; `own` are the paths of every candidate's tensors."""
    first = next(iter(place.found.values()))
    keys = first.keys
    while keys and not place.start.startswith(".".join(keys) + "."):
        keys = keys[:-1]  # the network's own names are nested containers
    containers = {entry.keys for entry in place.found.values()}
    strange = [
        path.removeprefix(place.start)
        for path, entry in entries.items()
        if path.startswith(place.start) and path not in own
        # what has a container or a name of its own, such as a discriminator, is another matter
        if entry.keys in containers and not is_counter(path, entry.tensor)
        if not any(BESIDE.search(step) for step in path.removeprefix(place.start).split("."))
    ]
    return Candidate(
        keys=keys,
        prefix=place.start.removeprefix("".join(f"{key}." for key in keys)),
        container=first.container,
        layout=place.spelling.layout,
        title=place.spelling.title,
        names=place.names,
        tensors={name: entry.tensor for name, entry in place.found.items()},
        strange=strange,
        files=place.files,
        idle=place.idle,
    )


def _is_a_part(entries: Mapping[str, Entry], place: _Place, candidate: Candidate) -> bool:
    """Whether the container is that of another, known network, of which the candidate would be a part."""
    if not candidate.prefix:
        return False
    start = place.start.removesuffix(candidate.prefix)
    around = [path.removeprefix(start) for path in entries if path.startswith(start)]
    return foreign.identify(around, anywhere=False, among=NETWORKS) is not None


def is_counter(name: str, tensor: Tensor) -> bool:
    """Whether a tensor is bookkeeping, such as `n_averaged`, `num_updates` or `step`, and no parameter."""
    if not tensor.is_floating_point() and not tensor.is_complex():
        return True
    if tensor.numel() == 0:  # kept by some modules to know their device
        return True
    # a single number is a counter or a rate, but a quantised file's scale belongs to its weights
    return tensor.numel() == 1 and not name.endswith((".weight", ".bias")) and "scale" not in name
