"""Files of the hub, by the real huggingface_hub and a hub on this machine."""

import http.server
import sys
import threading
from collections.abc import Iterator

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_weights import load, save
from esrgan_weights.errors import FetchError, OfflineError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.sources.hub import fetch_hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(small_rrdb, tmp_path, monkeypatch) -> Iterator[dict[str, bytes]]:
    """What "someone/models" holds, by path; other repositories are not there."""
    saved = save(small_rrdb, tmp_path / "tiny.safetensors").read_bytes()
    contents = {"folder/tiny.safetensors": saved, "tiny.param": b"graph", "tiny.bin": b"numbers"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            repository, _, rest = self.path.removeprefix("/").partition("/resolve/")
            revision, _, path = rest.partition("/")
            body = contents.get(path) if repository == "someone/models" else None
            if body is None or revision not in ("main", "v1", COMMIT):
                code = "EntryNotFound" if repository == "someone/models" else "RepoNotFound"
                self.send_response(404)
                self.send_header("X-Error-Code", code)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hash(body):x}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    from huggingface_hub import constants

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{httpd.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    yield contents
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.mark.parametrize("revision", ["", "@v1"])
def test_load(hub, small_rrdb, revision):
    address = f"hf://someone/models/folder/tiny.safetensors{revision}"
    model = load(address)
    assert model.config == small_rrdb.config
    assert model.provenance.name == "tiny.safetensors"
    assert model.provenance.source == address


def test_offline(hub):
    address = "hf://someone/models/folder/tiny.safetensors"
    with pytest.raises(OfflineError, match="is not in the hub's cache"):
        fetch_hub(address, FetchOptions(offline=True))
    path = fetch_hub(address)
    assert fetch_hub(address, FetchOptions(offline=True)) == path


def test_the_hubs_own_variable_for_offline(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"is not in the hub's cache.*HF_HUB_OFFLINE"):
        fetch_hub("hf://someone/models/folder/tiny.safetensors")


def test_both_files_of_an_ncnn_model(hub):
    path = fetch_hub("hf://someone/models/tiny.param")
    assert path.with_suffix(".bin").read_bytes() == b"numbers"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("hf://someone/models/missing.pth", "EntryNotFoundError"),
        ("hf://someone/nothing/x.pth", "RepositoryNotFoundError"),
        ("hf://someone/models/folder/tiny.safetensors@v2", "NotFoundError"),
    ],
)
def test_what_is_not_there(hub, address, reason):
    with pytest.raises(FetchError, match=rf"could not be fetched: \w*{reason}"):
        fetch_hub(address)


def test_without_the_extra(monkeypatch, no_network):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r'need huggingface_hub .*: pip install "esrgan-torch\[hub\]"'):
        fetch_hub("hf://someone/models/x.pth")


def test_hub_without_encryption(monkeypatch, no_network):
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    with pytest.raises(ConfigError, match="fetched by https://"):
        fetch_hub("hf://someone/models/x.pth")
