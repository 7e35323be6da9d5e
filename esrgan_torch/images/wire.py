"""Messages between two processes of this project: JSON, and blocks of bytes, the large ones in shared memory.

Nothing is pickled: neither side can make the other run anything. Where descriptors can be sent (Linux,
macOS), a block is memory without a name, which is gone with the last process that holds it, whichever way
that ends; on Windows it is a named mapping, which goes the same way.
"""

import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Message = Mapping[str, Any]
Block = bytes | memoryview | NDArray[Any]
Bytes = NDArray[np.uint8]

_LARGE = 1 << 16  # bytes; below, sharing costs more than copying
_LONGEST = 1 << 26  # bytes of JSON: more is no message of this project
# a mapping keeps its descriptor, of which a process has few: where many pictures are held, others are copied
_DESCRIPTORS = 256


class Wire(Protocol):
    """One end. The two sides speak in turn."""

    def send(self, message: Message, blocks: Sequence[Block] = ()) -> None:
        """Send a message that JSON can hold, and blocks.

        Raises:
            OSError: the other side has gone, or there is no memory to share.
        """
        ...

    def receive(self) -> tuple[dict[str, Any], list[Bytes]]:
        """Wait for a message and its blocks.

        Raises:
            EOFError, OSError: the other side has gone.
            ValueError: what it sent is no message.
        """
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class SocketWire:
    """Over a socket that carries descriptors too."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def send(self, message: Message, blocks: Sequence[Block] = ()) -> None:
        """See `Wire`."""
        views = [_view(block) for block in blocks]
        self._socket.sendall(_head(message, [len(view) for view in views]))
        for view in views:
            if len(view) < _LARGE:
                self._socket.sendall(view)
                continue
            number = _unnamed_memory()
            try:
                _write(number, view)
                socket.send_fds(self._socket, [b"m"], [number])
            finally:
                os.close(number)

    def receive(self) -> tuple[dict[str, Any], list[Bytes]]:
        """See `Wire`."""
        message, sizes = _parsed(self._read)
        return message, [self._read(size) if size < _LARGE else self._shared(size) for size in sizes]

    def close(self) -> None:
        """See `Wire`."""
        self._socket.close()

    def _read(self, size: int) -> Bytes:
        data = np.empty(size, np.uint8)
        view = memoryview(cast(Any, data))
        while view:
            count = self._socket.recv_into(view)
            if not count:
                raise EOFError
            view = view[count:]
        return data

    def _shared(self, size: int) -> Bytes:
        mark, numbers, _, _ = socket.recv_fds(self._socket, 1, 1)
        if not mark:
            raise EOFError
        [number] = numbers
        try:
            if os.fstat(number).st_size < size:
                raise ValueError("a block is shorter than it says")
            if number < _DESCRIPTORS:
                # all of it will be looked at: one call is cheaper than a fault for every page
                flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
                return np.frombuffer(mmap.mmap(number, size, flags), np.uint8)
            data = np.empty(size, np.uint8)
            view, place = memoryview(cast(Any, data)), 0
            while place < size:
                place += os.preadv(number, [view[place:]], place)
            return data
        finally:
            os.close(number)


class PipeWire:
    """Over two pipes, for Windows. A block has a name; it is let go of when the other side speaks again."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source, self._target = source, target
        self._held: list[SharedMemory] = []

    def send(self, message: Message, blocks: Sequence[Block] = ()) -> None:
        """See `Wire`."""
        views = [_view(block) for block in blocks]
        self._target.write(_head(message, [len(view) for view in views]))
        for view in views:
            if len(view) < _LARGE:
                self._target.write(view)
                continue
            shared = SharedMemory(create=True, size=len(view))
            self._held.append(shared)
            _bytes_of(shared, len(view))[:] = np.frombuffer(view, np.uint8)
            name = shared.name.encode()
            self._target.write(struct.pack("<I", len(name)) + name)
        self._target.flush()

    def receive(self) -> tuple[dict[str, Any], list[Bytes]]:
        """See `Wire`."""
        message, sizes = _parsed(self._read)
        blocks = [self._read(size) if size < _LARGE else self._shared(size) for size in sizes]
        self._let_go()
        return message, blocks

    def close(self) -> None:
        """See `Wire`."""
        self._let_go()
        self._source.close()
        with suppress(OSError):  # what was left to be written, to nobody
            self._target.close()

    def _let_go(self) -> None:
        while self._held:
            shared = self._held.pop()
            shared.close()
            shared.unlink()

    def _read(self, size: int) -> Bytes:
        data = self._source.read(size)
        if len(data) < size:
            raise EOFError
        return np.frombuffer(bytearray(data), np.uint8)

    def _shared(self, size: int) -> Bytes:
        (length,) = struct.unpack("<I", self._read(4).tobytes())
        shared = SharedMemory(name=self._read(length).tobytes().decode())
        try:  # a view would have to be counted until the last array that shows it is gone
            return _bytes_of(shared, size).copy()
        finally:
            shared.close()


def start(
    module: str, *, shares_descriptors: bool = os.name == "posix"
) -> "tuple[subprocess.Popen[bytes], Wire]":
    """Start a process that runs `serve(wire)` of a module of this project, and the wire to it.

    It is a plain Python with the same places to import from. The program's own main module is not run again,
    as multiprocessing would do, so no program has to be written with that in mind.

    Raises:
        OSError: no process can be started.
    """
    code = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        f"from {__name__} import accepted; from {module} import serve; serve(accepted(int(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, json.dumps(sys.path)]
    if not shares_descriptors:
        process = subprocess.Popen(
            [*command, "-1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdin is not None
        assert process.stdout is not None
        return process, PipeWire(cast(BinaryIO, process.stdout), cast(BinaryIO, process.stdin))
    near, far = socket.socketpair()
    with far:
        try:
            process = subprocess.Popen(
                [*command, str(far.fileno())],
                pass_fds=(far.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            near.close()
            raise
    return process, SocketWire(near)


def accepted(number: int) -> Wire:
    """The other end of what `start` made, in the process that it started."""
    if number >= 0:
        return SocketWire(socket.socket(fileno=number))
    return PipeWire(sys.stdin.buffer, sys.stdout.buffer)


def _bytes_of(shared: SharedMemory, size: int) -> Bytes:
    return np.frombuffer(cast(memoryview, shared.buf), np.uint8, size)


def _view(block: Block) -> memoryview:
    if isinstance(block, np.ndarray):
        return memoryview(cast(Any, np.ascontiguousarray(block))).cast("B")
    return memoryview(block).cast("B")


def _head(message: Message, sizes: Sequence[int]) -> bytes:
    text = json.dumps([message, sizes]).encode()
    return struct.pack("<I", len(text)) + text


def _parsed(read: Any) -> tuple[dict[str, Any], list[int]]:
    (length,) = struct.unpack("<I", read(4).tobytes())
    if length > _LONGEST:
        raise ValueError("a message is longer than any of this project")
    message, sizes = json.loads(read(length).tobytes())
    return message, sizes


def _unnamed_memory() -> int:
    """A descriptor of memory, of which nothing is left when it is closed everywhere."""
    if sys.platform == "linux":
        return os.memfd_create("esrgan")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write(number: int, view: memoryview) -> None:
    while view:
        view = view[os.write(number, view) :]
