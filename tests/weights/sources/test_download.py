import errno
import hashlib
import io
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from esrgan_torch.storage.leftovers import AGE, mark
from esrgan_weights.errors import FetchError
from esrgan_weights.registry import File
from esrgan_weights.sources import download as module
from esrgan_weights.sources.download import download


@pytest.fixture
def file(server):
    def make(*manners: str) -> File:
        digest = hashlib.sha256(server.content).hexdigest()
        return File(
            "tiny.pth", len(server.content), digest, tuple(f"{server.url}/{name}" for name in manners)
        )

    return make


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "tiny.pth"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_download(file, server, target):
    assert download(file("good"), target) == []
    assert target.read_bytes() == server.content
    assert names(target.parent) == ["tiny.pth"]


@pytest.mark.parametrize(
    ("manners", "reason"),
    [
        ("wrong", "the server sent another file: sha256"),
        ("missing", "HTTP 404"),
        ("page", "the server answered with a web page"),
        ("longer", "the server has 102,404 bytes where 102,400 are expected"),
        ("truncated", "the connection ended after 51,200 of 102,400 bytes"),
    ],
)
def test_next_url(file, server, target, manners, reason):
    failures = download(file(manners, "good"), target)
    [(url, said)] = failures
    assert url.endswith(manners)
    assert reason in said
    assert server.requests[-1] == ("good", "bytes=51200-" if manners == "truncated" else None)
    assert target.read_bytes() == server.content
    assert names(target.parent) == ["tiny.pth"]


def test_all_wrong(file, target):
    failures = download(file("wrong", "missing"), target)
    assert len(failures) == 2
    assert names(target.parent) == []  # a wrong part is no use to anyone


def test_no_server(file, target):
    unreachable = File("tiny.pth", 9, "ab" * 32, ("http://127.0.0.1:9/x",))
    [(_, reason)] = download(unreachable, target)
    assert "no connection" in reason


def test_broken_connections_are_resumed(file, server, target):
    assert download(file("cut"), target) == []
    assert target.read_bytes() == server.content
    assert [asked for _, asked in server.requests] == [None, "bytes=40000-", "bytes=80000-"]


def test_partial_file_is_kept_and_resumed(file, server, target, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    [(_, reason)] = download(file("cut"), target)
    assert "the next attempt resumes" in reason
    assert names(target.parent) == ["tiny.pth.part"]
    assert download(file("good"), target) == []
    assert server.requests[-1] == ("good", "bytes=40000-")
    assert target.read_bytes() == server.content


def test_server_that_ignores_ranges(file, server, target):
    (target.parent / "tiny.pth.part").write_bytes(b"x" * 1000)
    assert download(file("no-ranges"), target) == []
    assert server.requests == [("no-ranges", "bytes=1000-")]
    assert target.read_bytes() == server.content


@pytest.mark.parametrize("size", [1000, 102_400, 200_000])
def test_wrong_partial_file_is_given_up(file, server, target, size):
    (target.parent / "tiny.pth.part").write_bytes(b"x" * size)
    assert download(file("good"), target) == []
    assert server.requests[-1] == ("good", None)
    assert target.read_bytes() == server.content


def test_complete_partial_file_needs_no_download(file, server, target):
    (target.parent / "tiny.pth.part").write_bytes(server.content)
    assert download(file("good"), target) == []
    assert server.requests == []


def test_the_longest_part_of_killed_processes_is_taken_up(file, server, target):
    lengths = {"0": 5000, "1": 7000, "2": 0}
    parts = {digit: target.parent / f".tiny.pth.{digit * 32}.part" for digit in lengths}
    for digit, length in lengths.items():  # of another machine, since yesterday
        parts[digit].write_bytes(server.content[:length])
        os.utime(parts[digit], (time.time() - AGE - 60,) * 2)
    live = target.parent / f".tiny.pth.{mark()}.part"
    live.write_bytes(server.content[:9000])
    download(file("good"), target)
    assert server.requests == [("good", "bytes=7000-")]
    assert names(target.parent) == [live.name, "tiny.pth"]  # this process writes to the other one


@pytest.mark.parametrize("manners", ["good", "cut", "no-length", "moved"])
def test_size_that_is_not_known(file, server, target, manners):
    assert download(replace(file(manners), size=None), target) == []
    assert target.read_bytes() == server.content


@pytest.mark.parametrize("left", [1000, 102_400, 200_000])
def test_partial_file_of_a_size_that_is_not_known(file, server, target, left):
    """What is there is taken up; where the server cannot go on from there, from the start."""
    (target.parent / "tiny.pth.part").write_bytes((server.content * 2)[:left])
    assert download(replace(file("good"), size=None), target) == []
    assert target.read_bytes() == server.content


def test_wrong_file_of_a_size_that_is_not_known(file, target):
    [(_, reason)] = download(replace(file("wrong"), size=None), target)
    assert "the server sent another file: sha256" in reason
    assert names(target.parent) == []


def test_file_without_end(file, target, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 100_000)
    [(_, reason)] = download(replace(file("no-length"), size=None), target)
    assert reason == "the server sends more than the expected 100,000 bytes"
    assert names(target.parent) == []


def test_redirect_to_a_place_without_encryption(file, target):
    [(_, reason)] = download(file("leaves"), target)
    assert "redirects to http://192.0.2.1, which is not https: not followed" in reason


def test_hub(server, target, monkeypatch):
    """hf:// by the standard library, from the place that HF_ENDPOINT names."""
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/hub/")
    digest = hashlib.sha256(server.content).hexdigest()
    urls = ("hf://kornia/real_esrgan/folder/good.safetensors",)
    assert download(File("x.safetensors", None, digest, urls), target) == []
    assert target.read_bytes() == server.content
    assert server.paths == ["/hub/kornia/real_esrgan/resolve/main/folder/good.safetensors"]


class FullDisk(io.FileIO):
    def write(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_disk_full(file, target, monkeypatch):
    monkeypatch.setattr(module.io, "FileIO", FullDisk)
    with pytest.raises(FetchError, match=r"the disk that holds .* is full; the partial download was deleted"):
        download(file("good", "good"), target)
    assert names(target.parent) == []


class ReadOnlyDisk(io.FileIO):
    def __init__(self, path, mode):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_read_only_folder(file, target, monkeypatch):
    monkeypatch.setattr(module.io, "FileIO", ReadOnlyDisk)
    with pytest.raises(FetchError, match=r"cannot be written to \(Permission denied\).*ESRGAN_CACHE"):
        download(file("good"), target)


def test_interrupted_download_keeps_its_part(file, target, monkeypatch):
    written = module._write

    def interrupt(stream, chunk, part):
        written(stream, chunk[:7], part)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download(file("good"), target)
    assert (target.parent / "tiny.pth.part").stat().st_size == 7


def test_two_at_once(file, server, target):
    threads = [threading.Thread(target=download, args=(file("cut"), target)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == server.content
    assert names(target.parent) == ["tiny.pth"]


def test_progress_bar(file, target, capsys):
    download(file("good"), target, progress=True)
    assert "tiny.pth" in capsys.readouterr().err
    target.unlink()
    download(file("good"), target, progress=False)
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_a_download_is_one_line(file, server, target, capsys):
    download(file("good"), target)
    size = len(server.content) / 1e6
    assert capsys.readouterr() == ("", f"downloading tiny.pth ({size:.1f} MB)\n")
