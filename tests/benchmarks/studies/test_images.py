"""The benchmark of picture files: every format, written and read."""

import numpy as np

from esrgan_benchmarks.studies.images import FORMATS, enlarge, measure


def test_every_format_is_written_and_read() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    rows = measure(pixels, runs=2)
    assert [(row["case"], row["format"], row["bits"]) for row in rows] == [
        (case, *form) for form in FORMATS for case in ("write", "read")
    ]
    for row in rows:
        assert row["seconds_a_megapixel"] > 0
        # noise cannot be stored without loss in less
        lossless = row["format"] in ("png", "tiff")
        assert row["bytes_a_pixel"] >= 3 or not lossless


def test_a_photo_is_repeated_until_it_is_large_enough() -> None:
    large = enlarge(np.zeros((10, 20, 3), np.uint8), 1000)
    assert large.shape == (30, 60, 3)
