"""PGM, PPM and PFM files whose header is hostile."""

import signal

import pytest

from esrgan_torch.errors import ImageReadError
from esrgan_torch.images.files import read_frames


class TooLongError(Exception):
    """Seconds of the processor went by."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no clock of the processor here")
@pytest.mark.parametrize("kind", [b"P5", b"P6", b"Pf", b"PF"])
@pytest.mark.parametrize(
    "gap", [b"\x0c" * 60, b"\n" * 60, b"\n" + b"#\n" * 30], ids=["form feeds", "lines", "comments"]
)
def test_a_long_gap_is_read_once(kind: bytes, gap: bytes) -> None:
    """65 bytes took hours, each space being tried as part of two repeats; found by the fuzzer."""

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20)
    try:
        with pytest.raises(ImageReadError, match="damaged"):
            read_frames(kind + gap + b"(5")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_comments_and_spaces_in_a_header() -> None:
    data = b"P5\n# a comment\n \t1 # width\n# another\n2\n\n65535\n" + bytes([255, 255, 0, 0])
    [frame] = read_frames(data)
    assert frame.picture.pixels.tolist() == [[[65535]], [[0]]]


@pytest.mark.parametrize("header", [b"P5 0 9 65535\n", b"P6 9 0 65535\n", b"Pf 0 0 -1\n", b"P5 0 9 255\n"])
def test_a_file_without_a_pixel_is_damaged(header: bytes) -> None:
    with pytest.raises(ImageReadError, match="damaged"):
        read_frames(header).first()
