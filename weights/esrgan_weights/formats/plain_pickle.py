"""Any pickle, written anew in the few instructions that torch's restricted reader knows.

`torch.load(weights_only=True)` reads what torch itself writes, protocol 2. A pickle of another protocol says
the same in other instructions; they are translated one by one, and nothing of it is run. Names of harmless
objects become those of their stand-ins.
"""

import pickle
import pickletools
import struct
from collections.abc import Mapping
from typing import IO, Any

from esrgan_weights.recognition.stand_ins import HERE, stand_in_for

Chunk = tuple[bytes, str | None]  # instructions, and the text that they push if they do that alone

# sets are read as lists: what is sought are tensors, which no set holds
SAME: Mapping[str, bytes] = {
    "EMPTY_SET": pickle.EMPTY_LIST,
    "ADDITEMS": pickle.APPENDS,
    "FROZENSET": pickle.TUPLE,
}
SAID_ALREADY = {"FRAME", "PROTO"}
AS_THEY_ARE = {
    "APPEND", "APPENDS", "BINPERSID", "BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "MARK", "NEWFALSE",
    "NEWOBJ", "NEWTRUE", "NONE", "REDUCE", "SETITEM", "SETITEMS", "STOP", "TUPLE", "TUPLE1", "TUPLE2",
    "TUPLE3",
}  # fmt: skip
TEXTS = {
    "BINSTRING", "BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "SHORT_BINUNICODE", "STRING", "UNICODE",
}  # fmt: skip
BYTES = {"BINBYTES", "BINBYTES8", "BYTEARRAY8", "SHORT_BINBYTES"}
WHOLE = {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4"}
PUTS = {"BINPUT", "LONG_BINPUT", "PUT"}
GETS = {"BINGET", "LONG_BINGET", "GET"}
LONG = 1000  # letters; a longer text is no name of a class, and may not be said again a million times
GLOBALS = {"GLOBAL", "STACK_GLOBAL"}


def plainer(stream: IO[bytes]) -> bytes:
    """The next pickle in a stream as one of protocol 2; the stream is left behind it.

    Raises:
        pickle.UnpicklingError: it has an instruction that no checkpoint needs.
        ValueError and others: it is damaged.
    """
    writer = _Writer()
    for operation, argument, _ in pickletools.genops(stream):
        writer.add(operation.name, operation.code, argument)
    return pickle.PROTO + b"\x02" + b"".join(chunk for chunk, _ in writer.chunks)


class _Writer:
    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.memo: dict[int, str | None] = {}  # the text that lies there, or None for something else

    def add(self, name: str, code: str, argument: Any) -> None:
        if name in AS_THEY_ARE:
            self.chunks.append((code.encode("latin-1"), None))
        elif name in SAME:
            self.chunks.append((SAME[name], None))
        elif name in SAID_ALREADY:
            pass
        elif name in TEXTS:
            self.chunks.append((_text(argument), argument))
        elif name in BYTES:
            self.chunks.append((_bytes(argument), None))
        elif name in WHOLE:
            self.chunks.append((_whole(argument), None))
        elif name in ("BINFLOAT", "FLOAT"):
            self.chunks.append((pickle.BINFLOAT + struct.pack(">d", argument), None))
        elif name in GLOBALS:
            self.chunks.append((self._global(argument), None))
        elif name in PUTS or name == "MEMOIZE":
            self._put(len(self.memo) if argument is None else int(argument))
        elif name in GETS:
            self._get(int(argument))
        else:
            raise pickle.UnpicklingError(f"Unsupported operand {name}")

    def _global(self, argument: str | None) -> bytes:
        if argument is not None:
            module, _, name = argument.partition(" ")
        else:  # protocol 4 takes both from the stack; texts alone are looked for
            parts = [text for _, text in self.chunks[-2:]]
            if len(parts) < 2 or None in parts:
                raise pickle.UnpicklingError("Unsupported operand STACK_GLOBAL of computed names")
            module, name = map(str, parts)
            del self.chunks[-2:]
        made = stand_in_for(module, name)
        if made is not None:
            module, name = HERE, made.__qualname__
        return pickle.GLOBAL + f"{module}\n{name}\n".encode()

    def _put(self, place: int) -> None:
        text = self.chunks[-1][1]
        if text is not None and len(text) > LONG:
            text = None
        self.memo[place] = text
        if text is None:
            # behind what is there: a chunk of its own would hide a text that the next instruction asks for
            chunk, _ = self.chunks.pop()
            self.chunks.append((chunk + pickle.LONG_BINPUT + struct.pack("<I", place), None))

    def _get(self, place: int) -> None:
        text = self.memo[place]
        if (
            text is not None
        ):  # a text is said again: where protocol 4 has taken it from the stack, it never was there
            self.chunks.append((_text(text), text))
        else:
            self.chunks.append((pickle.LONG_BINGET + struct.pack("<I", place), None))


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _bytes(value: bytes | bytearray) -> bytes:
    """As protocol 2 says them: the encoding of a text."""
    text, encoding = _text(bytes(value).decode("latin-1")), _text("latin1")
    return pickle.GLOBAL + b"_codecs\nencode\n" + text + encoding + pickle.TUPLE2 + pickle.REDUCE


def _whole(value: int) -> bytes:
    if isinstance(value, bool):
        return pickle.NEWTRUE if value else pickle.NEWFALSE
    if -(2**31) <= value < 2**31:
        return pickle.BININT + struct.pack("<i", value)
    data = pickle.encode_long(value)
    if len(data) > 255:
        raise pickle.UnpicklingError("Unsupported operand LONG4")
    return pickle.LONG1 + bytes([len(data)]) + data
