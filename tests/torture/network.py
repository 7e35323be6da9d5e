"""Downloads from a server that cuts, stalls, lies and sends rubbish, by chance."""

import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from esrgan_torch.errors import EsrganError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.registry import File
from esrgan_weights.sources import addresses
from esrgan_weights.sources.download import download
from esrgan_weights.sources.remote import fetch_url

MANNERS = (
    "good",
    "cut",
    "stalled",
    "another byte",
    "short",
    "endless",
    "page",
    "error",
    "no length",
    "no ranges",
    "wrong range",
    "away",
    "no head",
    "slow",
)
PATIENCE = 0.15  # seconds, instead of 10


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, content: bytes, seed: int, manners: tuple[str, ...] = MANNERS) -> None:
        self.content = content
        self.manners = manners
        self.chance = random.Random(seed)
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side goes away in the middle; that is what is tried."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        chance, content = self.server.chance, self.server.content
        manner = chance.choice(self.server.manners)
        start = 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and manner != "no ranges":
            start = min(int(asked[6:].split("-")[0]), len(content))
        if manner == "away":
            return
        if manner == "no head":
            self.wfile.write(b"\x16\x03\x01\x02\x00" * 20)
            return
        if manner == "error":
            self.send_error(chance.choice((403, 404, 416, 429, 500, 503)))
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            begin = start + (7 if manner == "wrong range" else 0)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        kind = "text/html" if manner == "page" else "application/octet-stream"
        self.send_header("Content-Type", kind)
        length = len(body) + (len(content) if manner == "endless" else 0) - (9 if manner == "short" else 0)
        if manner != "no length":
            self.send_header("Content-Length", str(max(length, 0)))
        self.end_headers()
        if manner == "another byte" and body:
            place = chance.randrange(len(body))
            body = body[:place] + bytes([body[place] ^ 255]) + body[place + 1 :]
        if manner == "endless":
            body += content
        if manner in ("cut", "stalled"):
            body = body[: chance.randrange(len(body) + 1)]
        self.wfile.write(body)
        if manner == "stalled":
            self.wfile.flush()
            time.sleep(2 * PATIENCE)
        elif manner == "slow":
            time.sleep(PATIENCE / 2)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@contextmanager
def serving(file: Path) -> Generator[str]:
    """The address of a file, from a server of good manners."""
    with _running(_Server(file.read_bytes(), 0, ("good",))) as server:
        yield f"{server.url}/{file.name}"


@contextmanager
def _running(server: _Server) -> Generator[_Server]:
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def tries(scratch: Path, seed: int, over: Callable[[], bool]) -> Iterator[tuple[str, str, str]]:
    """Download after download, until it is over: what was tried, by what, and what was lost."""
    content = random.Random(seed).randbytes(300_000)
    file = File("tiny.pth", len(content), hashlib.sha256(content).hexdigest())
    before = addresses.TIMEOUT
    addresses.TIMEOUT = PATIENCE
    try:
        with _running(_Server(content, seed)) as server:
            number = 0
            while not over():
                for way in (_published, _address):
                    folder = scratch / f"network-{seed}-{number}"
                    folder.mkdir()
                    number += 1
                    yield "a server that cuts, stalls and lies", way.__name__[1:], way(server, file, folder)
    finally:
        addresses.TIMEOUT = before


def _published(server: _Server, file: File, folder: Path) -> str:
    """Weights whose hash is known, until they are whole."""
    target = folder / file.name
    urls = tuple(f"{server.url}/{number}" for number in range(3))
    known = File(file.name, file.size if server.chance.random() < 0.8 else None, file.sha256, urls)
    for _ in range(50):
        try:
            download(known, target, progress=False)
        except EsrganError:
            continue
        if target.exists():
            if target.read_bytes() != server.content:
                return "a file with other bytes took the name"
            left = [path.name for path in folder.iterdir() if path != target]
            return f"left over: {', '.join(left)}" if left else ""
    return "50 attempts brought nothing"


def _address(server: _Server, file: File, folder: Path) -> str:
    """Weights from an address, of which nothing is known: what is kept is what its name says."""
    for _ in range(50):
        with contextlib.suppress(EsrganError):
            path, _ = fetch_url(f"{server.url}/{file.name}", FetchOptions(folder, progress=False))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            left = [each.name for each in folder.rglob("*") if each.is_file() and each != path]
            if not path.stem.endswith(digest[:16]):
                return "the name tells another hash"
            return f"left over: {', '.join(left)}" if left else ""
    return "50 attempts brought nothing"
