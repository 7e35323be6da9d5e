from pathlib import Path

import pytest

from esrgan_cli.upscaling.formats import suffix_for, suffix_like

PNG, JPEG, GIF = b"\x89PNG\r\n\x1a\n" + bytes(24), b"\xff\xd8\xff" + bytes(29), b"GIF89a" + bytes(26)


@pytest.mark.parametrize(
    ("head", "suffix", "expected"),
    [
        (PNG, ".PNG", ".png"),
        (JPEG, ".jpeg", ".jpeg"),
        (JPEG, ".png", ".jpg"),
        (JPEG, "", ".jpg"),
        (GIF, ".gif", ".gif"),
        (b"\xff\x0a" + bytes(30), "", ".jxl"),
        (b"", ".webp", ".webp"),
    ],
)
def test_the_format_is_that_of_the_content(head: bytes, suffix: str, expected: str) -> None:
    assert suffix_for(head, suffix) == (expected, "")


def test_what_cannot_be_written_becomes_png(tmp_path: Path) -> None:
    assert suffix_for(b"????", ".pcx") == (".png", "pcx cannot be written: png instead")
    assert suffix_like(tmp_path / "missing") == (".png", "its format cannot be written: png instead")
