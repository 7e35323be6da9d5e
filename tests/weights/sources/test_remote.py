import hashlib
from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_weights.errors import FetchError, OfflineError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.sources import remote


def fetch_url(url: str, cache: Path, *, offline: bool = False) -> Path:
    path, sha256 = remote.fetch_url(url, FetchOptions(cache, offline))
    weights = path.with_suffix(".bin") if path.suffix == ".param" else path
    assert sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    return path


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_fetched_once_under_a_name_with_its_hash(server, tmp_path):
    digest = hashlib.sha256(server.content).hexdigest()
    for _ in range(2):
        path = fetch_url(f"{server.url}/folder/good.pth", cache=tmp_path)
        assert path.name == f"good-{digest[:16]}.pth"
        assert path.read_bytes() == server.content
    assert len(server.requests) == 1
    assert files(tmp_path) == [path.name]


def test_two_addresses_are_two_files(server, tmp_path):
    first = fetch_url(f"{server.url}/a/good.pth", cache=tmp_path)
    second = fetch_url(f"{server.url}/b/good.pth", cache=tmp_path)
    assert first.name == second.name
    assert first != second


def test_damaged_file_is_fetched_again(server, tmp_path):
    path = fetch_url(f"{server.url}/good.pth", cache=tmp_path)
    path.write_bytes(b"damaged")
    assert fetch_url(f"{server.url}/good.pth", cache=tmp_path).read_bytes() == server.content


def test_offline(server, tmp_path, no_network):
    with pytest.raises(OfflineError, match="is not in the cache, and the network is off"):
        fetch_url("https://a.example/good.pth", cache=tmp_path, offline=True)
    assert files(tmp_path) == []


def test_offline_with_the_file(server, tmp_path):
    path = fetch_url(f"{server.url}/good.pth", cache=tmp_path)
    assert fetch_url(f"{server.url}/good.pth", cache=tmp_path, offline=True) == path
    assert len(server.requests) == 1


def test_both_files_of_an_ncnn_model(server, tmp_path):
    server.files = {"good.param": b"graph", "good.bin": b"numbers"}
    for _ in range(2):
        path = fetch_url(f"{server.url}/good.param", cache=tmp_path)
        assert path.read_bytes() == b"graph"
        assert path.with_suffix(".bin").read_bytes() == b"numbers"
    assert len(server.requests) == 2
    path.with_suffix(".bin").write_bytes(b"damaged")
    path = fetch_url(f"{server.url}/good.param", cache=tmp_path)
    assert path.with_suffix(".bin").read_bytes() == b"numbers"


@pytest.mark.parametrize(
    ("manners", "reason"),
    [
        ("missing", "HTTP 404"),
        ("page", r"a web page; give the address of the file itself .* /resolve/ in place of /blob/"),
        ("cut", "ended after 40,000 of 102,400 bytes"),
        ("leaves", "redirects to http://192.0.2.1, which is not https"),
        ("astray", "Invalid IPv6 URL"),
        ("part", "a part of the file"),
    ],
)
def test_no_file(server, tmp_path, manners, reason):
    with pytest.raises(FetchError, match=reason) as caught:
        fetch_url(f"{server.url}/{manners}.pth?key=secret", cache=tmp_path)
    assert "secret" not in str(caught.value)
    assert files(tmp_path) == []


def test_page_that_says_it_is_a_file(server, tmp_path):
    server.content = b"\n <!DOCTYPE html><html>"
    with pytest.raises(FetchError, match="answered with a web page"):
        fetch_url(f"{server.url}/good.pth", cache=tmp_path)


def test_empty_file(server, tmp_path):
    server.content = b""
    with pytest.raises(FetchError, match="the server sent an empty file"):
        fetch_url(f"{server.url}/no-length", cache=tmp_path)


@pytest.mark.parametrize("manners", ["good", "no-length"])
def test_too_large(server, tmp_path, monkeypatch, manners):
    monkeypatch.setattr(remote, "LARGEST", 100_000)
    with pytest.raises(FetchError, match="more than the limit for weights"):
        fetch_url(f"{server.url}/{manners}.pth", cache=tmp_path)
    assert files(tmp_path) == []


def test_no_server(tmp_path):
    with pytest.raises(FetchError, match="no connection"):
        fetch_url("http://127.0.0.1:9/good.pth", cache=tmp_path)


def test_http_is_for_this_machine(tmp_path, no_network):
    with pytest.raises(ConfigError, match="fetched by https://"):
        fetch_url("http://a.example/good.pth", cache=tmp_path)


@pytest.mark.parametrize(
    ("path", "name"), [("good%20one.pth", "good_one-"), ("..%2F..%2Fgood.pth", "good-"), ("", "weights-")]
)
def test_odd_names(server, tmp_path, path, name):
    found = fetch_url(f"{server.url}/no-length/{path}", cache=tmp_path)
    assert found.name.startswith(name)
    assert found.parent.parent == tmp_path / "urls"


def test_unwritable_cache(server, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(FetchError, match="cannot be written to"):
        fetch_url(f"{server.url}/good.pth", cache=blocked)


def test_length_that_is_no_number(server, tmp_path):
    assert fetch_url(f"{server.url}/odd-length.pth", cache=tmp_path).read_bytes() == server.content


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("a b.pth", "/a%20b.pth"),
        ("gr\u00fcn.pth", "/gr%C3%BCn.pth"),
        ("a%20b.pth?x=1%2F2", "/a%20b.pth?x=1%2F2"),
    ],
)
def test_address_as_it_is_copied(server, tmp_path, path, asked):
    fetch_url(f"{server.url}/{path}", cache=tmp_path)
    assert server.paths == [asked]


@pytest.mark.parametrize("address", ["https://[bad/a.pth", "https:///a.pth"])
def test_address_without_a_host(tmp_path, no_network, address):
    with pytest.raises(ConfigError, match="fetched by https://"):
        fetch_url(address, cache=tmp_path)


@pytest.mark.parametrize("host", ["a..b", "a" * 300])
def test_host_that_cannot_be(tmp_path, host):
    with pytest.raises(FetchError, match="could not be fetched"):
        fetch_url(f"https://{host}/a.pth", cache=tmp_path)


def test_password_is_not_kept(tmp_path, no_network):
    with pytest.raises(ConfigError, match="user or a password") as caught:
        fetch_url("https://me:secret@a.example/a.pth", cache=tmp_path)
    assert "secret" not in str(caught.value)
