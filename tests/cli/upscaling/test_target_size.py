import pytest

from esrgan_cli.upscaling.target_size import TargetSize, parse_size
from esrgan_torch.errors import ConfigError


@pytest.mark.parametrize(
    ("width", "height", "fit", "size", "ending"),
    [
        (1920, None, None, (1280, 1920), "-w1920"),
        (None, 100, None, (100, 150), "-h100"),
        (None, None, "100x100", (67, 100), "-100x100"),
        (None, None, "1000X100", (100, 150), "-1000x100"),
        (1, None, None, (1, 1), "-w1"),
    ],
)
def test_sizes(
    width: int | None, height: int | None, fit: str | None, size: tuple[int, int], ending: str
) -> None:
    target = parse_size(width, height, fit)
    assert target is not None
    assert target.of(200, 300) == size
    assert target.ending == ending
    assert parse_size(None, None, None) is None


@pytest.mark.parametrize(
    ("width", "height", "fit", "words"),
    [
        (0, None, None, "not 0"),
        (None, -5, None, "not -5"),
        (None, None, "100", "such as 1920x1080"),
        (None, None, "0x100", "not 0"),
        (None, None, "9999999x10", "not 9999999"),
    ],
)
def test_sizes_that_cannot_be(width: int | None, height: int | None, fit: str | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_size(width, height, fit)


def test_too_much_is_refused_with_numbers() -> None:
    with pytest.raises(ConfigError, match="it is 3 x 2 pixels, and would be enlarged 100 times; 32 times"):
        TargetSize(300).of(2, 3)
