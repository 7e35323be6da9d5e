"""`esrgan demo`: what is served, with which headers, and where the page comes from."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from esrgan_bridge.errors import MissingRuntimeError
from esrgan_cli.commands.demo import DRAWINGS, MODELS, PHOTOS, default_models
from esrgan_cli.demo import page as demo_page
from esrgan_cli.demo.page import page_folder
from esrgan_cli.demo.server import HEADERS, DemoServer
from esrgan_cli.main import main
from esrgan_weights import fetch, registry
from esrgan_weights.cache import model_folder

ROOT = Path(__file__).parents[3]
START = "import sys; from esrgan_cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>the page")
    (folder / "assets" / "main.js").write_text("1")
    (folder / "engine.wasm").write_bytes(b"\0asm")
    (folder / "assets" / "cat.jpg").write_bytes(b"\xff\xd8")
    return folder


@pytest.fixture
def address(page: Path, tmp_path: Path) -> Iterator[str]:
    models = tmp_path / "models"
    (models / "one").mkdir(parents=True)
    (models / "models.json").write_text("[]")
    (models / "one" / "model.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    with DemoServer(page, models, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("index.html?x=1", "text/html; charset=utf-8"),
        ("assets/main.js", "text/javascript; charset=utf-8"),
        ("engine.wasm", "application/wasm"),
        ("assets/cat.jpg", "image/jpeg"),
        ("models/models.json", "application/json"),
        ("models/one/model.json", "application/json"),
    ],
)
def test_files_have_their_type_and_the_headers_of_an_isolated_page(
    address: str, path: str, kind: str
) -> None:
    with urllib.request.urlopen(address + path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == kind
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "path",
    [
        "none.js",
        "assets/",
        "models/",
        "models",
        "../secret",
        "models/../secret",
        "models/%2e%2e/secret",
        "%00",
    ],
)
def test_nothing_else_is_served(address: str, path: str) -> None:
    connection = HTTPConnection(address.removeprefix("http://").removesuffix("/"))
    connection.request("GET", "/" + path)  # as it stands: urllib would tidy it up
    answer = connection.getresponse()
    assert (answer.status, b"secret" in answer.read()) == (404, False)
    connection.close()


def ask(address: str, *lines: str | bytes) -> bytes:
    """What the server answers to these lines, as they stand, until it closes or waits for more."""
    host, port = address.removeprefix("http://").removesuffix("/").split(":")
    with socket.create_connection((host, int(port)), timeout=0.5) as connection:
        said = b""
        with contextlib.suppress(ConnectionError):  # it may have answered before it has read all
            for line in lines:
                connection.sendall((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
            connection.sendall(b"\r\n")
        with contextlib.suppress(TimeoutError, ConnectionError):
            while part := connection.recv(65536):
                said += part
                if b"the page" in said or b"</html>" in said:
                    break
        return said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:8642", "[::1]:1", "127.0.0.1:1"])
def test_this_machine_s_names_are_answered(address: str, host: str) -> None:
    assert b" 200 " in ask(address, "GET / HTTP/1.1", f"Host: {host}").splitlines()[0]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8642", "127.0.0.1@evil", ""]
)
def test_a_name_that_was_given_this_address_is_not(address: str, host: str) -> None:
    said = ask(address, "GET / HTTP/1.1", f"Host: {host}")
    assert b" 421 " in said.splitlines()[0]
    assert b"the page" not in said


def test_the_policy_lets_nothing_out() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self' blob: data:" in policy
    assert "http" not in policy
    assert "'unsafe-" not in policy.replace("wasm-unsafe-eval", "")


@pytest.mark.parametrize(
    "lines",
    [
        ["GET http://[ HTTP/1.1", "Host: localhost"],
        ["GET //[x HTTP/1.1", "Host: localhost"],
        ["GET /%ff%fe HTTP/1.1", "Host: localhost"],
        [b"GET /\xff\xfe HTTP/1.1", "Host: localhost"],
        ["GET /" + "a" * 5000 + " HTTP/1.1", "Host: localhost"],
        ["GET /" + "a/" * 5000 + " HTTP/1.1", "Host: localhost"],
        ["GET /" + "a" * 70000 + " HTTP/1.1", "Host: localhost"],
        ["GET /loop HTTP/1.1", "Host: localhost"],
        ["GET / HTTP/1.1", "Host: localhost", "If-Modified-Since: Thu, 99 Foo 99999999999999 99:99:99"],
        ["GET / HTTP/1.1", "Host: localhost", "Content-Length: -1"],
        ["POST / HTTP/1.1", "Host: localhost"],
        ["G\0T / HTTP/9.9"],
        ["GET / HTTP/1.1", "Host"],
        ["GET / HTTP/1.1", *[f"X{number}: 1" for number in range(200)]],
        ["\x16\x03\x01 a greeting by TLS"],
        [""],
        ["GET /"],
    ],
    ids=lambda lines: str(lines[0])[:24],
)
def test_a_bad_request_is_no_fault(
    address: str, lines: list[str | bytes], page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (page / "loop").symlink_to(page / "loop")
    said = ask(address, *lines)
    assert b" 500 " not in said[:20]
    assert b" 200 " in ask(address, "GET / HTTP/1.1", "Host: localhost").splitlines()[0]
    assert capsys.readouterr().err == ""


def test_a_port_that_is_taken_is_named(page: Path, tiny_model: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("esrgan_cli.demo.page.page_folder", lambda: page)
    monkeypatch.setattr("esrgan_cli.commands.demo.convert_models", lambda *given: None)
    with DemoServer(page, page, 0) as server:
        port = str(server.server_address[1])
        assert main(["demo", "--port", port, "--no-browser"]) == 2
    assert f"--port {port} cannot be used" in capsys.readouterr().err
    assert main(["demo", "--port", "70000"]) == 2


def checkout(folder: Path, built: bool) -> Path:
    """A `web/` with a source, and with a page that was built after it."""
    web = folder / "web"
    (web / "src").mkdir(parents=True)
    (web / "node_modules").mkdir()
    (web / "package.json").write_text("{}")
    (web / "src" / "index.ts").write_text("")
    if built:
        (web / "dist-demo").mkdir()
        (web / "dist-demo" / "index.html").write_text("")
        os.utime(web / "src" / "index.ts", (1, 1))
    return web


def test_a_checkout_takes_its_built_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = checkout(tmp_path, built=True)
    monkeypatch.setattr(demo_page.shutil, "which", lambda name: None)
    assert page_folder(web, tmp_path / "none") == web / "dist-demo"


@pytest.mark.skipif(sys.platform == "win32", reason="npm is a shell script here")
def test_a_checkout_builds_what_is_missing_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = checkout(tmp_path, built=True)
    said = tmp_path / "said"
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\necho "$@" >> {said}\ntouch dist-demo/index.html\n')
    npm.chmod(0o755)
    monkeypatch.setattr(demo_page.shutil, "which", lambda name: str(npm))
    (web / "src" / "index.ts").write_text("newer")
    os.utime(web / "dist-demo" / "index.html", (2, 2))
    assert page_folder(web, tmp_path / "none") == web / "dist-demo"
    assert [line.split()[-1] for line in said.read_text().splitlines()] == [
        "--no-fund",
        "build",
        "build:demo",
    ]
    page_folder(web, tmp_path / "none")
    assert len(said.read_text().splitlines()) == 3  # nothing to do any more
    npm.write_text("#!/bin/sh\nexit 3\n")
    (web / "dist-demo" / "index.html").unlink()
    with pytest.raises(MissingRuntimeError, match=r"npm install .* failed"):
        page_folder(web, tmp_path / "none")


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = checkout(tmp_path, built=False)
    monkeypatch.setattr(demo_page.shutil, "which", lambda name: None)
    with pytest.raises(MissingRuntimeError, match="npm is not installed: install Node"):
        page_folder(web, tmp_path / "none")
    with pytest.raises(MissingRuntimeError, match="this installation from sources has no demo page"):
        page_folder(tmp_path / "none", tmp_path / "none")


def test_the_wheel_carries_the_built_page(tmp_path: Path) -> None:
    """As `make wheel` lays the files; the page itself is a stand-in here."""
    clone = tmp_path / "clone"
    for name in ("esrgan_torch", "weights", "bridge", "benchmarks/esrgan_benchmarks", "cli"):
        copytree(ROOT / name, clone / name, ignore=ignore_patterns("demo_files", "__pycache__"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "THIRD_PARTY.md", ".gitignore"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    (clone / "cli" / "esrgan_cli" / "demo_files" / "wasm").mkdir(parents=True)
    (clone / "cli" / "esrgan_cli" / "demo_files" / "index.html").write_text("the page")
    (clone / "cli" / "esrgan_cli" / "demo_files" / "wasm" / "engine.wasm").write_bytes(b"\0asm")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        archive.extractall(tmp_path / "site")
    code = "from esrgan_cli.demo.page import page_folder; print(page_folder())"
    found = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {code}"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    folder = Path(found.stdout.strip())
    assert folder == tmp_path / "site" / "esrgan_cli" / "demo_files"
    assert (folder / "wasm" / "engine.wasm").read_bytes() == b"\0asm"


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_from_the_command_to_ctrl_c(
    tiny_model: Path,
    page: Path,
    tmp_path: Path,
    start_command: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page is a stand-in; web/test/browser/served.test.ts has the real one in a browser."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    code = f"import esrgan_cli.demo.page as d; d.page_folder = lambda: d.Path({str(page)!r}); {START}"
    given = ["demo", "--no-browser", "--port", "0", "--model", str(tiny_model), "--model", str(tiny_model)]
    process = start_command(code, *given)
    try:
        assert process.stdout is not None
        url, _, token = process.stdout.readline().strip().partition("#")
        assert url.startswith("http://127.0.0.1:"), process.communicate()
        request = urllib.request.Request(f"{url}computer", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["models"][0] == {"name": "tiny.safetensors", "fetch": 0}
        with urllib.request.urlopen(f"{url}models/models.json") as answer:
            listed = json.load(answer)
        assert [entry["name"] for entry in listed] == ["tiny.safetensors"] * 2
        assert listed[0]["folder"] != listed[1]["folder"]
        assert listed[0]["scale"] == 4
        assert listed[0]["bytes"] > 1000
        with urllib.request.urlopen(f"{url}models/{listed[1]['folder']}/model.json") as answer:
            assert json.load(answer)["format"] == "graph-model"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)  # an impatient user
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert list(temporary.glob("esrgan-demo-*")) == []


@pytest.mark.official
@pytest.mark.parametrize("name", [PHOTOS, DRAWINGS])
def test_an_official_network_is_offered_first_once_it_was_fetched(tmp_path: Path, name: str) -> None:
    assert default_models(tmp_path) == list(MODELS)
    fetch(name, progress=False)  # into the common cache, as other tests do
    model = registry.find(name)
    copytree(model_folder(model), model_folder(model, tmp_path))
    assert default_models(tmp_path) == [name, *MODELS]
