"""What several tests of the weights need: small random networks, and a server that misbehaves on request."""

import http.server
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import torch

from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet, RRDBNetConfig
from esrgan_weights.checkpoint import Config, build, empty_network

MakeNetwork = Callable[[Config], Generator]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The networks here are tiny: threads would wait for each other longer than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach the network fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.fixture
def make_network(rng: torch.Generator) -> MakeNetwork:
    """A network of given sizes with random weights, none of them zero or equal to another."""

    def make(config: Config) -> Generator:
        shapes = {name: tensor.shape for name, tensor in empty_network(config).state_dict().items()}
        tensors = {name: torch.randn(shape, generator=rng) / 8 for name, shape in shapes.items()}
        return build(config, tensors, None)

    return make


@pytest.fixture
def small_rrdb(make_network: MakeNetwork) -> RRDBNet:
    network = make_network(RRDBNetConfig(features=8, blocks=2, growth=4))
    assert isinstance(network, RRDBNet)
    return network


@pytest.fixture
def small_compact(rng: torch.Generator) -> CompactNet:
    network = CompactNet(features=8, convolutions=2).requires_grad_(False)
    for parameter in network.parameters():
        parameter.data.copy_(torch.randn(parameter.shape, generator=rng) / 8)
    return network


@dataclass
class Server:
    """A server on this machine; `content` is served under every path, each with its own manners."""

    url: str
    content: bytes
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # what is served under a name instead of `content`


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """What the last part of a path asks for: good, no-ranges, wrong, truncated, cut (breaks after 40,000
    bytes), page, longer, missing, no-length, moved (to good), leaves (to http on another machine), astray
    (to no address), part (status 206), odd-length."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            manners = self.path.rsplit("/", 1)[1].split(".")[0].split("?")[0]
            state.paths.append(self.path)
            asked = self.headers.get("Range")
            state.requests.append((manners, asked))
            body = state.files.get(self.path.rsplit("/", 1)[1], state.content)
            if manners == "missing":
                self.send_error(404)
                return
            places = {"moved": "good", "leaves": "http://192.0.2.1/good", "astray": "http://[good"}
            if manners in places:
                self.send_response(302)
                self.send_header("Location", places[manners])
                self.end_headers()
                return
            if manners == "wrong":
                body = bytes(len(body))
            if manners == "longer":
                body += b"more"
            start = int(asked[6:-1]) if asked and manners != "no-ranges" else 0
            if asked and start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if start or manners == "part" else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Type", "text/html" if manners == "page" else "application/octet-stream")
            if manners == "odd-length":
                self.send_header("Content-Length", "many")
            elif manners != "no-length":
                self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            end = {"truncated": len(body) // 2, "cut": start + 40_000}.get(manners, len(body))
            self.wfile.write(body[start:end])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{httpd.server_port}", bytes(range(256)) * 400)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()
