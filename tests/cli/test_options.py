from pathlib import Path

import pytest

from esrgan_cli.options import Address, given_place, parse_devices, parse_tiling
from esrgan_torch.errors import ConfigError
from esrgan_torch.tiling.modes import Tiling


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("auto", ("auto",)),
        ("cpu", ("cpu",)),
        ("cuda:0,1", ("cuda:0", "cuda:1")),
        ("cuda:0, cuda:3", ("cuda:0", "cuda:3")),
        ("cuda,1", ("cuda", "cuda:1")),
        ("cpu,cpu", ("cpu", "cpu")),
        ("cpu,cuda:2,03", ("cpu", "cuda:2", "cuda:3")),
    ],
)
def test_devices(text: str, devices: tuple[str, ...]) -> None:
    assert parse_devices(text) == devices


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,1", "cuda:0"),
        ("", "missing"),
        ("cuda:0,", "missing"),
        ("auto,cpu", "auto cannot be combined"),
        ("auto,1", "cuda:1"),
    ],
)
def test_devices_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_devices(text)


@pytest.mark.parametrize(
    ("tile", "overlap", "tiling"),
    [
        ("auto", None, Tiling("auto")),
        ("exact", None, Tiling("exact")),
        ("off", None, Tiling("off")),
        ("128", None, Tiling("overlap", 128)),
        ("128", 0, Tiling("overlap", 128, 0)),
    ],
)
def test_tiling(tile: str, overlap: int | None, tiling: Tiling) -> None:
    assert parse_tiling(tile, overlap) == tiling


@pytest.mark.parametrize(
    ("tile", "overlap"), [("auto", 8), ("off", 0), ("overlap", None), ("-5", None), ("8", None), ("64", -1)]
)
def test_tiling_that_cannot_be(tile: str, overlap: int | None) -> None:
    with pytest.raises(ConfigError):
        parse_tiling(tile, overlap)


def test_places() -> None:
    assert given_place("a b.png") == Path("a b.png")
    assert given_place("file:///a%20b.png") == Path("/a b.png")
    assert given_place("file:/a.png") == Path("file:/a.png")  # in a folder of that name
    for address in ("s3://bucket/a.png", "file://server/a.png"):
        assert isinstance(given_place(address), Address)
