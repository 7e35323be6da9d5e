import pytest

from esrgan_torch.errors import ConfigError
from esrgan_weights.sources.addresses import HubFile, is_address, parse_hub, url_of


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("hf://a/b/c.pth", HubFile("a/b", "c.pth", "main")),
        ("hf://a-1/b_2.x/folder/c.pth@v1.0", HubFile("a-1/b_2.x", "folder/c.pth", "v1.0")),
        ("hf://a/b/c.pth@refs/pr/1", HubFile("a/b", "c.pth", "refs/pr/1")),
        ("HF://a/b/with space.pth", HubFile("a/b", "with space.pth", "main")),
    ],
)
def test_files_on_the_hub(address, file):
    assert parse_hub(address) == file


@pytest.mark.parametrize(
    "address", ["hf://", "hf://a", "hf://a/b", "hf://a/b/", "hf://a/b/../c", "hf://a/b/c@", "hf://a/b/c@x y"]
)
def test_no_file_on_the_hub(address):
    with pytest.raises(ConfigError, match="written hf://OWNER/REPO/FILE"):
        parse_hub(address)


def test_urls_of_the_hub(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert url_of("hf://a/b/c d.pth@x/y") == "https://huggingface.co/a/b/resolve/x%2Fy/c%20d.pth"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hub/")
    assert url_of("hf://a/b/c.pth") == "https://mirror.example/hub/a/b/resolve/main/c.pth"
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    with pytest.raises(ConfigError, match="fetched by https://"):
        url_of("hf://a/b/c.pth")


def test_https_or_this_machine():
    for allowed in ("https://a.example/x", "http://127.0.0.1:80/x", "http://localhost/x", "http://[::1]/x"):
        assert url_of(allowed) == allowed
    for refused in ("http://a.example/x", "ftp://a.example/x", "file:///etc/passwd", "https:///x"):
        with pytest.raises(ConfigError, match="fetched by https://"):
            url_of(refused)


def test_what_is_an_address():
    assert is_address("https://a/b.pth")
    assert is_address("HF://a/b/c.pth")
    for other in ("model.pth", "C:\\model.pth", "hf/model.pth", 3):
        assert not is_address(other)
