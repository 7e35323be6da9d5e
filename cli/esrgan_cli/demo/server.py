"""A server for the demo page on the loopback address: static files with the headers that threads need.

With a `Computer` it also enlarges pictures for the page, see `esrgan_cli.demo.requests`.
"""

import os
import re
import secrets
import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from esrgan_cli.demo import requests
from esrgan_cli.demo.computing import Computer
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
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".bin": "application/octet-stream",
    "": "application/octet-stream",
}


class DemoServer(ThreadingHTTPServer):
    """Listens as soon as it is made; `serve_forever` answers.

    Args:
        page: folder of the page, at `/`.
        models: folder of the models, at `/models/`, with their list `models.json`.
        port: 0 for any that is free.
        computer: enlarges pictures for whoever knows `token`; None: nothing is computed here.

    Raises:
        OSError: the port is taken, or not allowed.
    """

    daemon_threads = True
    # a second server on the same port would take the first one's visitors
    allow_reuse_port = False

    def __init__(self, page: Path, models: Path, port: int, computer: Computer | None = None) -> None:
        self.page = page
        self.models = models
        self.computer = computer
        self.token = secrets.token_urlsafe(24)
        super().__init__((ADDRESS, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of a file is none."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"

    @property
    def key_url(self) -> str:
        """The same with the token, which browsers keep to themselves there."""
        return f"{self.url}#{self.token}" if self.computer else self.url


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

    def do_GET(self) -> None:
        """A file of the page, or what is asked of the computer."""
        computer = self._asked_computer()
        if computer:
            self._reply(requests.ask(computer, urlsplit(self.path).path))
        elif not self._is_for_computer():
            super().do_GET()

    def do_POST(self) -> None:
        """A picture to enlarge, or to show."""
        computer = self._asked_computer()
        if not computer:
            return
        size = requests.body_size(self.headers.get("Content-Length"))
        if not isinstance(size, int):
            self._reply(size)
        elif len(data := self.rfile.read(size)) < size:
            self.close_connection = True  # it went away
        else:
            asked = urlsplit(self.path)
            self._reply(requests.take(computer, asked.path, asked.query, data), close=False)

    def do_DELETE(self) -> None:
        """A picture that is no longer wanted."""
        computer = self._asked_computer()
        if computer:
            computer.drop(self.path.removeprefix(f"{requests.ROOT}/jobs/"))
            self._reply(requests.reply(HTTPStatus.OK))

    def _is_for_computer(self) -> bool:
        return (self.path + "/").startswith((f"{requests.ROOT}/", f"{requests.ROOT}?"))

    def _asked_computer(self) -> Computer | None:
        """The computer, if this is for it and may be; else it is answered here, unless it asks for a file."""
        computer = self.server.computer
        if self.command != "GET" and (computer is None or not self._is_for_computer()):
            self._reply(requests.reply(HTTPStatus.NOT_FOUND, error="nothing is computed at this address"))
            return None
        if not self._is_for_computer():
            return None
        if computer is None:
            self._reply(requests.reply(HTTPStatus.NOT_FOUND, error="nothing is computed here"))
            return None
        if not requests.is_allowed(self.headers.get("Authorization", ""), self.server.token):
            self._reply(
                requests.reply(
                    HTTPStatus.UNAUTHORIZED,
                    error="the address lacks its key: open the one that `esrgan demo` printed",
                )
            )
            return None
        return computer

    def _reply(self, answer: requests.Reply, close: bool | None = None) -> None:
        # the body of a request that was refused is not read, so nothing after it can be
        self.close_connection = self.command == "POST" if close is None else close
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

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
