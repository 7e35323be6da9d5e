"""Pages of a TIFF: each is read, and thumbnails are never taken for one."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from esrgan_torch.images.files import Frame, Picture, read_frames, read_image, write_frames


def pages(*shapes: tuple[int, ...]) -> list[Picture]:
    rng = np.random.default_rng(0)
    return [Picture(rng.integers(0, 65536, shape).astype(np.uint16)) for shape in shapes]


def test_pages_of_a_tiff_may_differ(tmp_path: Path) -> None:
    written = [*pages((8, 9, 3), (5, 4, 1), (6, 7, 4)), Picture(np.full((3, 3, 3), 7, np.uint8), exif=None)]
    count = write_frames(tmp_path / "a.tif", (Frame(picture) for picture in written))
    assert count == 4
    frames = read_frames(tmp_path / "a.tif")
    assert (frames.count, frames.timed, frames.loop) == (4, False, 0)
    for frame, picture in zip(frames, written, strict=True):
        assert frame.seconds is None
        np.testing.assert_array_equal(frame.picture.pixels, picture.pixels)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert [page.shape for page in file.pages] == [(8, 9, 3), (5, 4), (6, 7, 4), (3, 3, 3)]


def test_pages_that_pillow_decodes(tmp_path: Path) -> None:
    palettes = [Image.fromarray(np.full((6, 5), number, np.uint8)).convert("P") for number in (10, 200)]
    palettes[0].save(tmp_path / "a.tif", save_all=True, append_images=palettes[1:])
    assert [frame.picture.pixels[0, 0].tolist() for frame in read_frames(tmp_path / "a.tif")] == [
        [10, 10, 10],
        [200, 200, 200],
    ]


@pytest.mark.parametrize("subfiletype", [1, 4])
@pytest.mark.parametrize("place", ["first", "last"])
def test_reduced_pages_and_masks_of_a_tiff_are_no_pages(tmp_path: Path, subfiletype: int, place: str) -> None:
    picture, thumbnail = np.full((20, 30, 3), 9, np.uint8), np.zeros((4, 6, 3), np.uint8)
    small, kind = (thumbnail, "rgb") if subfiletype == 1 else (np.ones((20, 30), bool), "mask")
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        if place == "first":
            out.write(small, photometric=kind, subfiletype=subfiletype)
        out.write(picture, photometric="rgb", subifds=1)
        out.write(thumbnail, photometric="rgb", subfiletype=1)  # in SubIFDs of the one before
        if place == "last":
            out.write(small, photometric=kind, subfiletype=subfiletype)
    frames = read_frames(tmp_path / "a.tif")
    assert frames.count == 1
    np.testing.assert_array_equal(frames.first().pixels, picture)


def test_a_tiff_of_thumbnails_alone_means_the_largest(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        for side in (4, 9, 6):
            out.write(np.zeros((side, side, 3), np.uint8), photometric="rgb", subfiletype=1)
    assert read_image(tmp_path / "a.tif").height == 9


def test_pages_that_lead_in_a_circle_have_an_end(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 7, np.uint8))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        offset = file.pages[0].offset
    data = bytearray((tmp_path / "a.tif").read_bytes())
    (entries,) = struct.unpack_from("<H", data, offset)
    struct.pack_into("<I", data, offset + 2 + 12 * entries, offset)  # the next directory is this one
    frames = read_frames(bytes(data))
    assert (frames.count, [int(frame.picture.pixels[0, 0, 0]) for frame in frames]) == (1, [7])
