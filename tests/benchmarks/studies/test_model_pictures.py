from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.studies.model_pictures import (
    AROUND,
    PLACES,
    SIDE,
    card,
    drawn_lines,
    drawn_text,
    originals,
)
from esrgan_torch.images.files import write_image


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Stand-ins for the photographs, larger than a place."""
    folder = tmp_path / "train" / "gb82"
    folder.mkdir(parents=True)
    for number, (name, _, _) in enumerate(PLACES.values()):
        shape = (AROUND + 40, AROUND + 80, 3)
        write_image(folder / name, np.full(shape, 60 * number, np.uint8))
    return tmp_path


def test_what_is_drawn_has_ink_and_is_the_same_each_time() -> None:
    for draw in (drawn_text, drawn_lines):
        pixels = draw()
        assert (pixels.shape, pixels.dtype) == ((AROUND, AROUND, 3), np.uint8)
        assert pixels.mean(2).std() > 40
        assert (draw() == pixels).all()


def test_five_kinds_and_a_column_for_each_model_and_the_original(data: Path) -> None:
    assert [kind[2:] for kind in originals(data)] == ["faces", "text", "foliage", "lines", "night"]
    clean = card(["bicubic"], data)
    assert clean.shape == (5 * SIDE + 4 * 4, 2 * SIDE + 4, 3)
    damaged = card(["bicubic"], data, jpeg=40)
    assert (damaged[:, -SIDE:] == clean[:, -SIDE:]).all()  # the originals
    assert (damaged[:, :SIDE] != clean[:, :SIDE]).any()


def test_another_scale_is_nearer_to_the_original(data: Path) -> None:
    twice, four_times = (card(["bicubic"], data, scale=scale).astype(float) for scale in (2, 4))
    assert twice.shape == four_times.shape
    assert (twice[:, -SIDE:] == four_times[:, -SIDE:]).all()  # the originals
    nearer, further = (np.abs(pixels[:, :SIDE] - pixels[:, -SIDE:]).mean() for pixels in (twice, four_times))
    assert nearer < further
