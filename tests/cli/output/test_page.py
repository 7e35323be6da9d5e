import base64
import errno
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from esrgan_cli.output import page as page_module
from esrgan_cli.output.page import Page, check_page, encode_shown
from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.picture import Picture
from esrgan_torch.tiling.modes import Box, Tile
from esrgan_torch.tiling.plan import Plan
from esrgan_torch.upscaled import Upscaled

PICTURE = Box(0, 0, 6, 8)
PLAN = Plan((Tile(PICTURE, PICTURE),), 128, 96, 0, True, 5 << 20, "trunk <whole>")


def noise(height: int, width: int, channels: int = 3, dtype: type = np.uint8) -> Picture:
    random = np.random.default_rng(0)
    return Picture(random.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype))


def upscaled(picture: Picture) -> Upscaled:
    return Upscaled(picture, PLAN, "CPU, 2 threads", "float32", "native", 0, 0, 1.25)


class Tags(HTMLParser):
    """Every tag with its attributes, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def pixels_of(address: str | None) -> np.ndarray:
    assert address is not None
    data = base64.b64decode(address.split(",", 1)[1], validate=True)
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image)


def test_one_file_with_everything_in_it(tmp_path: Path) -> None:
    page = Page(tmp_path / "page.html", "models/tiny.pth", 2)
    pictures = [(noise(6, 8), noise(24, 32)), (noise(5, 5, 1), noise(20, 20, 1))]
    for name, (before, after) in zip(("b.png", "a.png"), pictures, strict=True):
        page.add(Path(name), Path(f"out/x-{name}"), before, upscaled(after))
    assert page.write()
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Tags(text)
    assert tags.open == []
    images = [attributes["src"] for tag, attributes in tags.tags if tag == "img"]
    for address, picture in zip(images, (*pictures[1], *pictures[0]), strict=True):  # by name
        np.testing.assert_array_equal(pixels_of(address), picture.pixels.squeeze())
    for tag, attributes in tags.tags:
        for name, value in attributes.items():
            if name in ("src", "href"):
                assert value is not None
                assert value.startswith("data:"), tag
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert "{{" not in text
    ranges = [attributes for tag, attributes in tags.tags if attributes.get("type") == "range"]
    assert len(ranges) == 2
    assert all(attributes["aria-label"] for attributes in ranges)
    radios = {attributes["name"] for _, attributes in tags.tags if attributes.get("type") == "radio"}
    assert len(radios) == 4  # the pictures' choices do not share a group


def test_facts(tmp_path: Path) -> None:
    page = Page(tmp_path / "page.html", "models/tiny.pth", 1)
    page.add(Path("in/a.png"), Path("out/a-x4.png"), noise(6, 8), upscaled(noise(24, 32, dtype=np.uint16)))
    page.write()
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))
    assert facts == {
        "Model": "tiny.pth",
        "Original": "8 x 6 pixels",
        "Result": "32 x 24 pixels, 16 bits",
        "Device": "CPU, 2 threads",
        "Precision": "float32",
        "Tiling": "whole picture, exact, about 5 MiB (trunk &lt;whole&gt;)",
        "Time": "1.2 s",
        "Engine": "native",
        "File": "a-x4.png",
        "Shown here as": "PNG, lossless (original); PNG, lossless (result)",
    }


def test_names_are_only_text(tmp_path: Path) -> None:
    page = Page(tmp_path / "page.html", "x<script>", 1)
    name = '"><script>alert(1)<%2Fscript>{{before}}&.png'
    page.add(Path(name), Path(name), noise(2, 2), upscaled(noise(4, 4)))
    page._limit = page._left + 1  # no room for another
    page.add(Path("y"), Path("y<script>.png"), noise(2, 2), upscaled(noise(4, 4)))
    page.write()
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Tags(text).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert [attributes["alt"] for tag, attributes in tags if tag == "img"] == [
        f"Original, enlarged: {name}",
        f"Result: {name}",
    ]
    assert f"<h2>{escape(name)}</h2>" in text
    assert "<dd>x&lt;script&gt;</dd>" in text
    assert "<li>y&lt;script&gt;.png</li>" in text


def test_large_pictures_lose_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    lossless = encode_shown(noise(40, 40), 100_000)
    assert lossless.coding == "PNG, lossless"
    monkeypatch.setattr(page_module, "LOSSLESS_PIXELS", 1000)
    assert encode_shown(noise(40, 40), 100_000).coding == "JPEG, quality 95"
    assert encode_shown(noise(40, 40, 4), 100_000).coding == "WebP, quality 95"
    assert encode_shown(noise(40, 40, 1, np.uint16), 100_000).coding == "JPEG, quality 95"
    monkeypatch.setattr(page_module, "LARGEST_PIXELS", 500)
    shown = encode_shown(noise(40, 41), 100_000)
    assert shown.coding == "JPEG, quality 95, 1/2 of the size"
    assert pixels_of(shown.address).shape == (20, 20, 3)


@pytest.mark.parametrize("shape", [(200, 300, 3), (3, 4000, 3), (100, 200, 4)])
def test_a_picture_keeps_to_its_limit(shape: tuple[int, int, int]) -> None:
    shown = encode_shown(noise(*shape), 6000)
    assert len(base64.b64decode(shown.address.split(",")[1])) == shown.size <= 6000
    assert "1/" in shown.coding


def test_a_limit_that_nothing_meets_ends() -> None:
    assert "quality 80, 1/4 of the size" in encode_shown(noise(200, 200), 10).coding


def test_the_place_a_photo_was_taken_stays_private() -> None:
    exif = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    picture = Picture(noise(9, 9).pixels, exif=exif)
    assert exif not in base64.b64decode(encode_shown(picture, 10_000).address.split(",")[1])


def test_more_pictures_than_fit_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "PAGE_BYTES", 60_000)
    monkeypatch.setattr(page_module, "LEAST_BYTES", 20_000)
    page = Page(tmp_path / "page.html", "tiny", 10)
    for number in range(10):
        page.add(Path(f"{number}.png"), Path(f"{number}-x4.png"), noise(40, 40), upscaled(noise(100, 100)))
    page.write()
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    shown = text.count('class="picture"')
    assert 3 <= shown < 10
    assert f"{10 - shown} more" in text
    assert "<li>9-x4.png</li>" in text
    assert len(text) < 60_000 * 4 / 3 + 30_000


def test_no_picture_no_page(tmp_path: Path) -> None:
    assert not Page(tmp_path / "page.html", "tiny", 3).write()
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    page = Page(tmp_path / "page.html", "tiny", 1)
    page.add(Path("a.png"), Path("b.png"), noise(2, 2), upscaled(noise(4, 4)))
    (tmp_path / "page.html").write_text("earlier")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ImageWriteError, match=r"page\.html: No space left"):
        page.write()
    monkeypatch.undo()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier"]
    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(ImageWriteError):
        page.write()


def test_a_page_is_named_as_one() -> None:
    check_page(None)
    check_page(Path("a.HTML"))
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        check_page(Path("photo.png"))
