"""Processes for decoding that fail in the ways that real ones do: `serve` of each stands for the real one's.

What a file says in its first page's description is done: "abort", "sleep"; anything else is read as usual.
"""

import os
import time
from pathlib import Path

from esrgan_torch.images import worker as image_worker
from esrgan_torch.images.wire import Block, Bytes, Wire


class OddWire:
    """Passes on what it is given, unless a file asks for something else."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def receive(self) -> tuple[dict[str, object], list[Bytes]]:
        message, blocks = self._wire.receive()
        data = b"".join(block.tobytes() for block in blocks)
        if message.get("path"):
            data += Path(str(message["path"])).read_bytes()
        if b"please abort" in data:
            os.abort()
        if b"please sleep" in data:
            time.sleep(60)
        if b"please babble" in data:
            os.write(self._wire._socket.fileno(), b"\xff" * 1000)
        return message, blocks

    def send(self, message: dict[str, object], blocks: "list[Block]" = []) -> None:  # noqa: B006
        self._wire.send(message, blocks)


def serve(wire: Wire) -> None:
    image_worker.serve(OddWire(wire))
