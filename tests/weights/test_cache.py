from pathlib import Path

from esrgan_weights.cache import cache_folder, cached, difference, sha256_of
from esrgan_weights.registry import Alternative, File, Model

CONTENT = b"weights"


def test_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ESRGAN_CACHE", str(tmp_path / "variable"))
    assert cache_folder() == tmp_path / "variable"
    assert cache_folder(tmp_path / "argument") == tmp_path / "argument"
    monkeypatch.setenv("ESRGAN_CACHE", "~/there")
    assert cache_folder() == Path.home() / "there"
    monkeypatch.delenv("ESRGAN_CACHE")
    assert cache_folder().parts[-1] == "esrgan-torch"


def test_cached_only_where_whole(tmp_path):
    path = tmp_path / "tiny" / "tiny.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    file = File("tiny.pth", len(CONTENT), sha256_of(path), ("https://example.org/tiny.pth",))
    model = Model("tiny", "", "MIT", "", "RRDBNet", 4, 1, (Alternative("basicsr", (file,)),))
    assert cached(model, tmp_path) == model.alternatives[0]
    assert difference(path, file) is None
    path.write_bytes(b"Weights")
    assert cached(model, tmp_path) is None
    assert "sha256" in str(difference(path, file))
    path.write_bytes(b"weight")
    assert difference(path, file) == "6 bytes where 7 are expected"
    path.unlink()
    assert cached(model, tmp_path) is None


def test_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
