"""A server for the demo page on the loopback address: static files with the headers that threads need."""

import os
import re
import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from esrgan_torch.storage.paths import real

ADDRESS = "127.0.0.1"
HOSTS = (ADDRESS, "localhost", "[::1]")
MODELS = "/models/"
WAIT = 60.0  # seconds for the next part of a request; a thread is not held longer
POLICY = {
    # the page's own files alone; TF.js and the kernels compile WebAssembly, and their threads begin with a
    # blob
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval' blob:",
    "worker-src": "'self' blob:",
    "style-src": "'self'",
    # a photo that was chosen is a blob, and it goes nowhere else
    "img-src": "'self' blob: data:",
    "connect-src": "'self' blob: data:",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    # a page that is isolated so may use shared memory, and WebAssembly threads with it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # another model may be served at the same address tomorrow; an unchanged file costs an empty answer
    "Cache-Control": "no-cache",
}
# not asked of the system: some of them know no .wasm, and .js as plain text
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".bin": "application/octet-stream",
    "": "application/octet-stream",
}


class DemoServer(ThreadingHTTPServer):
    """Listens as soon as it is made; `serve_forever` answers.

    Args:
        page: folder of the page, at `/`.
        models: folder of the models, at `/models/`, with their list `models.json`.
        port: 0 for any that is free.

    Raises:
        OSError: the port is taken, or not allowed.
    """

    daemon_threads = True
    # a second server on the same port would take the first one's visitors
    allow_reuse_port = False

    def __init__(self, page: Path, models: Path, port: int) -> None:
        self.page = page
        self.models = models
        super().__init__((ADDRESS, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of a file is none."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"


class _Handler(SimpleHTTPRequestHandler):
    server: DemoServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    extensions_map = TYPES
    timeout = WAIT

    def parse_request(self) -> bool:
        """Whether there is a request to answer; else it is answered already.

        A page of another site may give its own name this machine's address, and would then be the same site
        as this one for a browser; that name is what the browser sends as the host.
        """
        if not super().parse_request():
            return False
        host = self.headers.get("Host", "").strip().lower()
        named = bool(host) or self.request_version >= "HTTP/1.1"  # older programs name none
        if named and re.sub(r":[0-9]*$", "", host) not in HOSTS:
            self.close_connection = True
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, explain=f"ask for {self.server.url}")
            return False
        return True

    def translate_path(self, path: str) -> str:
        """The file of an address; one that is not there where the address would leave its folder."""
        try:
            name = unquote(urlsplit(path).path)
            os.fsencode(name)
        except ValueError:  # a bracket that is not closed, or letters that the file system's encoding lacks
            name = "/not/here"
        root, rest = self.server.page, name.removeprefix("/") or "index.html"
        if name.startswith(MODELS):
            root, rest = self.server.models, name.removeprefix(MODELS)
        nowhere = str(root / "not" / "here")
        if "\0" in rest:
            return nowhere
        file = real(root / rest)
        return str(file) if file.is_relative_to(real(root)) else nowhere

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """A line for each file would bury what the command has to say."""
