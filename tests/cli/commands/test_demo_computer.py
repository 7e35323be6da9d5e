"""`esrgan demo`: pictures that this computer enlarges for the page, and who may ask for them."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from esrgan_cli.commands.demo import _own  # pyright: ignore[reportPrivateUsage]
from esrgan_cli.demo import computing, requests
from esrgan_cli.demo.computing import Computer, Job
from esrgan_cli.demo.server import HEADERS, DemoServer
from esrgan_torch import Upscaler, read_image, write_image
from esrgan_torch.errors import ConfigError, MissingCodecError
from esrgan_weights import load, registry

WAIT = 60.0  # seconds for a picture of a few pixels, on a machine that does other things


@pytest.fixture
def server(tmp_path: Path, tiny_model: Path) -> Iterator[DemoServer]:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("the page")
    computer = Computer({"tiny": str(tiny_model)}, offline=True, cache=tmp_path / "cache")
    with DemoServer(page, tmp_path, 0, computer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    computer.close()


def ask(
    server: DemoServer, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=WAIT)
    headers.setdefault("Authorization", f"Bearer {server.token}")
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    given = answer.status, answer.read()
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    connection.close()
    return given


def picture(dtype: type[np.unsignedinteger[Any]] = np.uint8) -> bytes:
    """A PNG of 12 x 10 pixels."""
    file = BytesIO()
    pixels = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, (10, 12, 3), dtype)
    write_image(file, pixels, format="png")
    return file.getvalue()


def finished(server: DemoServer, job: str) -> dict[str, Any]:
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        report = json.loads(ask(server, f"/computer/jobs/{job}")[1])
        if report["state"] in ("done", "failed"):
            return report
        time.sleep(0.02)
    raise AssertionError("not finished")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_is_enlarged_as_the_library_does(
    server: DemoServer, tiny_model: Path, dtype: type[np.unsignedinteger[Any]]
) -> None:
    data = picture(dtype)
    status, said = ask(server, "/computer/jobs?model=tiny", "POST", data)
    assert status == 202
    job = json.loads(said)["job"]
    report = finished(server, job)
    assert (report["state"], report["share"], report["error"]) == ("done", 1.0, "")
    assert report["facts"]["Size"] == f"48 × 40 pixels, {8 * np.dtype(dtype).itemsize} bits a colour"
    status, result = ask(server, f"/computer/jobs/{job}/picture")
    assert status == 200
    expected = Upscaler(load(tiny_model))(read_image(data))
    np.testing.assert_array_equal(read_image(result).pixels, expected.pixels)
    assert ask(server, f"/computer/jobs/{job}", "DELETE")[0] == 200
    assert ask(server, f"/computer/jobs/{job}")[0] == 404


@pytest.mark.parametrize(("query", "size"), [("scale=2", (20, 24)), ("width=30", (25, 30))])
def test_the_size_may_be_chosen(server: DemoServer, query: str, size: tuple[int, int]) -> None:
    job = json.loads(ask(server, f"/computer/jobs?model=tiny&{query}", "POST", picture())[1])["job"]
    assert finished(server, job)["state"] == "done"
    result = read_image(ask(server, f"/computer/jobs/{job}/picture")[1])
    assert (result.height, result.width) == size


@pytest.mark.parametrize("name", ["tif", "jxl"])
def test_what_a_browser_cannot_open_is_shown_by_the_computer(server: DemoServer, name: str) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (10, 12, 3), np.uint8)
    file = BytesIO()
    try:
        write_image(file, pixels, format=name)
    except (ConfigError, MissingCodecError):
        pytest.skip(f"{name} is not written here")
    status, shown = ask(server, "/computer/pictures", "POST", file.getvalue())
    assert status == 200
    assert shown[:4] == b"\x89PNG"
    np.testing.assert_array_equal(read_image(shown).pixels, read_image(file.getvalue()).pixels)


def test_16_bits_are_shown_with_16_bits(server: DemoServer) -> None:
    status, shown = ask(server, "/computer/pictures", "POST", picture(np.uint16))
    assert status == 200
    np.testing.assert_array_equal(read_image(shown).pixels, read_image(picture(np.uint16)).pixels)


@pytest.mark.parametrize(("path", "status"), [("/computer/pictures", 422), ("/computer/none", 404)])
def test_what_is_no_picture_and_no_place_is_said(server: DemoServer, path: str, status: int) -> None:
    found, said = ask(server, path, "POST", b"nothing")
    assert found == status
    assert len(json.loads(said)["error"]) > 10


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/computer"),
        ("GET", "/computer?x"),
        ("GET", "/computer/jobs/1"),
        ("POST", "/computer/jobs?model=tiny"),
        ("POST", "/computer/pictures"),
        ("DELETE", "/computer/jobs/1"),
    ],
)
def test_who_does_not_know_the_token_is_refused(server: DemoServer, key: str, method: str, path: str) -> None:
    header = key.format(token=server.token)
    status, said = ask(server, path, method, picture() if method == "POST" else None, Authorization=header)
    assert (status, b"tiny" in said, server.token.encode() in said) == (401, False, False)


def test_the_token_is_in_the_address_that_is_opened_alone(server: DemoServer) -> None:
    assert server.key_url == f"{server.url}#{server.token}"
    assert len(server.token) >= 32
    for path in ("/", "/index.html", "/computer"):
        assert server.token.encode() not in ask(server, path, Authorization="")[1]


def test_another_host_s_page_is_refused_though_it_knew_the_token(server: DemoServer) -> None:
    for method in ("GET", "POST"):
        status, said = ask(server, "/computer", method, b"", Host="evil.example")
        assert (status, b"models" in said) == (421, False)


def test_a_browser_that_asks_first_for_another_site_is_not_allowed(server: DemoServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5) as connection:
        connection.sendall(
            b"OPTIONS /computer HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n"
            b"Access-Control-Request-Headers: authorization\r\nConnection: close\r\n\r\n"
        )
        said = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                said += part
    assert b" 501 " in said.splitlines()[0]
    assert b"Access-Control-Allow" not in said


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "empty"),
        (b"nothing", "not a picture|no picture|recognised|unknown"),
        (picture()[:-30], "truncated|damaged|ends"),
    ],
)
def test_a_wrong_picture_costs_itself(server: DemoServer, data: bytes, error: str) -> None:
    job = json.loads(ask(server, "/computer/jobs?model=tiny", "POST", data)[1])["job"]
    report = finished(server, job)
    assert report["state"] == "failed"
    assert any(word in report["error"] for word in error.split("|")), report["error"]
    assert ask(server, f"/computer/jobs/{job}/picture")[0] == 404
    after = json.loads(ask(server, "/computer/jobs?model=tiny", "POST", picture())[1])["job"]
    assert finished(server, after)["state"] == "done"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "no model ''"),
        ("model=/etc/passwd", "no model '/etc/passwd'"),
        ("model=tiny&scale=0", "scale must be above 0"),
        ("model=tiny&scale=nan", "scale must be above 0"),
        ("model=tiny&scale=99", "scale must be above 0"),
        ("model=tiny&width=-1", "width is 1 to"),
        ("model=tiny&width=1e9", "width is 1 to"),
        ("&".join(f"a{number}=1" for number in range(20)), ""),
    ],
)
def test_a_wish_that_cannot_be_is_said(server: DemoServer, query: str, error: str) -> None:
    status, said = ask(server, f"/computer/jobs?{query}", "POST", picture())
    assert status == 400
    assert error in json.loads(said)["error"]


@pytest.mark.parametrize(
    ("length", "status"), [("x", 411), ("-1", 411), (str(requests.LARGEST + 1), 413), ("9" * 5000, 413)]
)
def test_a_body_is_read_only_as_far_as_it_is_announced(server: DemoServer, length: str, status: int) -> None:
    headers = {"Content-Length": length}
    assert ask(server, "/computer/jobs?model=tiny", "POST", None, **headers)[0] == status
    assert ask(server, "/")[1] == b"the page"


def test_all_published_models_are_offered_and_those_to_fetch_say_so(tmp_path: Path) -> None:
    offline = Computer({"own.pth": "/somewhere/own.pth"}, offline=True, cache=tmp_path)
    online = Computer({}, cache=tmp_path)
    try:
        names = [each["name"] for each in offline.offers()]
        assert names[0] == "own.pth"
        assert names[1:] == [name for name, model in registry.models().items() if model.bundled]
        listed = {each["name"]: each for each in online.offers()}
        assert list(listed) == list(registry.models())
        assert listed["realesrgan-x4plus"]["fetch"] > 60_000_000
        assert listed["esrgan-lite-x4"]["fetch"] == 0
    finally:
        offline.close()
        online.close()


def test_own_models_have_names_of_their_own() -> None:
    given = ["esrgan-lite-x4", "a/one.pth", "b/one.pth"]
    assert _own(given) == {"one.pth": "a/one.pth", "b/one.pth": "b/one.pth"}


class Slow(Computer):
    """Works until it is told to stop."""

    def _enlarge(self, job: Job) -> None:
        job.state = "working"
        assert job.cancel.wait(WAIT)


def test_pictures_are_held_up_to_a_limit_and_dropped_when_nobody_asks() -> None:
    slow = Slow({})
    try:
        jobs = [Job(b"", "any") for _ in range(computing.MOST)]
        names = [slow.start(job) for job in jobs]
        with pytest.raises(computing.FullError, match="pictures are here already"):
            slow.start(Job(b"", "any"))
        slow.drop(names[0])
        assert jobs[0].cancel.is_set()
        jobs[1].asked -= computing.FORGOTTEN + 1  # nobody has asked for that long
        slow.start(Job(b"", "any"))
        assert jobs[1].cancel.is_set()
        assert slow.find(names[1]) is None
        assert slow.find(names[2]) is jobs[2]
    finally:
        slow.close()
    assert all(job.cancel.is_set() for job in jobs)
