"""Files of strangers: a decoder that crashes, hangs or asks for memory costs its picture and nothing else."""

import io
import struct
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from esrgan_torch.errors import ConfigError, ImageReadError, ImageTooLargeError
from esrgan_torch.images import reader as image_reader
from esrgan_torch.images import tiff_lzw
from esrgan_torch.images import wire as image_wire
from esrgan_torch.images.files import read_frames
from esrgan_torch.images.picture import Frame
from esrgan_torch.images.reader import ISOLATED, Reader
from esrgan_torch.images.wire import PipeWire
from tests.support import odd_workers
from tests.support.mutations import PIXELS, SAMPLES

APART = [kind for kind in SAMPLES if kind.startswith(("tiff", "bigtiff", "jxl", "avif", "heif"))]
# LZW whose codes lead imagecodecs' decoder out of its tables (126 bytes)
CRASHES_LZW = bytes.fromhex(
    "49492a000c000000804a2040090000010300010000001f00000001010300010000001800000002010300010000000800"
    "000003010300010000000500000006010300010000000100000011010400010000000800000015010300010000000100"
    "000016010300010000001800000017010400010000000400000000000000"
)


def said_by(text: str) -> bytes:
    """A TIFF file that says something."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, PIXELS, photometric="rgb", description=text)
    return stream.getvalue()


def same(one: Frame, other: Frame) -> bool:
    facts = ("icc_profile", "exif", "xmp", "iptc", "texts", "density", "frames", "bits")
    return (
        np.array_equal(one.picture.pixels, other.picture.pixels)
        and all(getattr(one.picture, name) == getattr(other.picture, name) for name in facts)
        and one.seconds == other.seconds
    )


@pytest.fixture(scope="module")
def reader() -> "object":
    with Reader() as shared:
        yield shared


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> "object":
    """A reader whose process does what files ask for."""
    monkeypatch.setattr(image_reader, "WORKER", odd_workers.__name__)
    with Reader(time_limit=3) as made:
        yield made


@pytest.mark.parametrize("kind", APART)
def test_a_file_that_is_decoded_apart_is_the_same(kind: str, reader: Reader) -> None:
    data = SAMPLES[kind]()
    here, apart = read_frames(data), reader.read_frames(data)
    assert (here.count, here.timed, here.loop) == (apart.count, apart.timed, apart.loop)
    assert same(Frame(here.first()), Frame(apart.first()))
    assert all(same(one, other) for one, other in zip(here, apart, strict=True))
    assert apart.memory >= apart.first().pixels.nbytes


def test_two_files_may_be_gone_through_in_turn(reader: Reader) -> None:
    pages = [np.full((8, 8, 3), number, np.uint8) for number in range(6)]
    files: list[bytes] = []
    for part in (pages[:3], pages[3:]):
        stream = io.BytesIO()
        tifffile.imwrite(stream, np.stack(part), photometric="rgb")
        files.append(stream.getvalue())
    one, other = (reader.read_frames(data) for data in files)
    levels = [
        (int(a.picture.pixels[0, 0, 0]), int(b.picture.pixels[0, 0, 0]))
        for a, b in zip(one, other, strict=True)
    ]
    assert levels == [(0, 3), (1, 4), (2, 5)]


def test_no_process_for_what_is_decoded_here() -> None:
    with Reader() as reader:
        assert np.array_equal(reader.read_frames(SAMPLES["png"]()).first().pixels.shape, (31, 24, 3))
        assert not reader.started
        reader.read_frames(SAMPLES["tiff"]())
        assert reader.started
    assert not reader.started


def test_pixels_can_be_written_to_and_outlive_the_process() -> None:
    large = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    stream = io.BytesIO()
    tifffile.imwrite(stream, large, photometric="rgb")
    with Reader() as reader:
        pixels = reader.read_frames(stream.getvalue()).first().pixels
    assert np.array_equal(pixels, large)
    pixels[0, 0] = 7
    assert (pixels[0, 0] == 7).all()


def test_descriptors_are_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_wire, "_DESCRIPTORS", 0)
    large = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    stream = io.BytesIO()
    tifffile.imwrite(stream, large, photometric="rgb")
    with Reader() as reader:
        assert np.array_equal(reader.read_frames(stream.getvalue()).first().pixels, large)


def test_a_decoder_that_crashes_costs_its_picture(odd: Reader) -> None:
    well = odd.read_frames(said_by("well"))
    with pytest.raises(ImageReadError, match=r"the decoder crashed \(signal 6\); the TIFF file is damaged"):
        odd.read_frames(said_by("please abort"))
    assert well.first().height == 24  # it is opened again, in another process
    with pytest.raises(ImageReadError, match="the decoder crashed"):
        odd.read_frames(said_by("please babble"))
    assert odd.read_frames(said_by("well")).first().height == 24


def test_a_decoder_that_takes_too_long_is_ended(odd: Reader) -> None:
    with pytest.raises(ImageReadError, match=r"took longer than 3 seconds"):
        odd.read_frames(said_by("please sleep"))
    assert odd.read_frames(said_by("well")).first().height == 24


def test_errors_are_those_of_reading_here(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "cut.tif"
    path.write_bytes(SAMPLES["tiff"]()[:400])
    with pytest.raises(ImageReadError, match=r"cut\.tif"):
        reader.read_frames(path).first()
    with pytest.raises(ImageReadError, match="is not a picture"):
        reader.read_frames(b"no picture at all")
    with Reader(max_pixels=100) as small, pytest.raises(ImageTooLargeError, match="max_pixels=744 or more"):
        small.read_frames(SAMPLES["tiff"]()).first()
    with pytest.raises(ConfigError, match="max_pixels"):
        Reader(max_pixels=0)


def test_what_libraries_say_there_is_a_warning_here(reader: Reader) -> None:
    data = bytearray(SAMPLES["tiff"]())
    at = data.index(b"\x16\x01\x04\x00")  # RowsPerStrip: more strips than there are offsets
    data[at + 8] = 5
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with suppress(ImageReadError):
            reader.read_frames(bytes(data)).first()
    assert any("tifffile" in str(warning.message) for warning in said)


def test_lzw_that_ended_the_process_is_a_damaged_file(reader: Reader) -> None:
    assert len(CRASHES_LZW) == 126
    with pytest.raises(ImageReadError, match="is a damaged TIFF file"):
        read_frames(CRASHES_LZW).first()
    with pytest.raises(ImageReadError, match="is a damaged TIFF file"):
        reader.read_frames(CRASHES_LZW).first()


@pytest.mark.parametrize("form", ["strips", "one strip", "tiles", "planes", "one row"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_lzw_is_what_was_packed(form: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_lzw, "_AT_ONCE", 4000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)  # what is unpacked is bytes, not pixels
    pixels = (PIXELS / np.float32(255)).astype(kind) if kind is np.float32 else PIXELS.astype(kind)
    options = {
        "strips": {"rowsperstrip": 5},
        "one strip": {"rowsperstrip": 24},
        "tiles": {"tile": (16, 16)},
        "planes": {"planarconfig": "separate", "rowsperstrip": 7},
        "one row": {"rowsperstrip": 1},
    }[form]
    stored = pixels.transpose(2, 0, 1).copy() if form == "planes" else pixels
    for predictor in (False, True):
        stream = io.BytesIO()
        tifffile.imwrite(stream, stored, photometric="rgb", compression="lzw", predictor=predictor, **options)
        found = read_frames(stream.getvalue()).first().pixels
        expected = np.rint(pixels * 65535.0).astype(np.uint16) if kind is np.float32 else pixels
        assert np.array_equal(found, expected)


def damaged_tiff(*changes: tuple[int, int, int, int]) -> bytes:
    """A small file with other tags: (number in the directory, tag, type and count as one, value)."""
    data = bytearray(SAMPLES["tiff"]())
    for number, tag, kind, value in changes:
        struct.pack_into("<HHII", data, 10 + 12 * number, tag, kind, 1, value)
    return bytes(data)


def test_samples_count_however_few_pixels_there_are() -> None:
    """396 bytes of TIFF with 65,535 samples a pixel took 8.3 GB."""
    # ImageLength, SamplesPerPixel
    data = damaged_tiff((1, 257, 4, 4095), (7, 277, 3, 65535))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frames = read_frames(data)
    with pytest.raises(ImageTooLargeError, match=r"8,\d+\.\d million bytes of samples.*pass max_pixels=\d+"):
        frames.first()


def test_one_number_where_tifffile_would_take_a_list() -> None:
    """2,404 bytes of TIFF with an ImageDepth of three numbers filled 3.6 GB, and 805 MB of messages."""
    data = bytearray(SAMPLES["tiff"]())
    struct.pack_into("<HHII", data, 10 + 12, 257, 4, 1, 1 << 31)
    struct.pack_into("<HHI", data, 10 + 24, 32997, 3, 3)
    with pytest.raises(ImageReadError, match="its tag 32997 has 3 values instead of one"):
        read_frames(bytes(data)).first()


def test_a_decoder_that_asks_for_more_memory_than_the_header_is_refused_it(reader: Reader) -> None:
    """A tile that is a JPEG XL file of another size than the header says."""
    imagecodecs = pytest.importorskip("imagecodecs")
    large = bytes(imagecodecs.jpegxl_encode(np.zeros((9000, 9000, 3), np.uint8), effort=1))
    data = bytearray(SAMPLES["tiff-jxl"]())
    at = data.index(struct.pack("<HHI", 273, 4, 1)) + 8
    struct.pack_into("<I", data, at, len(data))
    at = data.index(struct.pack("<HHI", 279, 4, 1)) + 8
    struct.pack_into("<I", data, at, len(large))
    with pytest.raises(ImageReadError):
        reader.read_frames(bytes(data) + large).first()


def test_a_multipage_chain_that_leads_back_ends() -> None:
    data = bytearray(SAMPLES["tiff"]())
    (count,) = struct.unpack_from("<H", data, 8)
    struct.pack_into("<I", data, 10 + 12 * count, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_frames(bytes(data)).count == 1


def test_the_wire_of_windows() -> None:
    """Named blocks over pipes; here, between two threads."""
    import os

    (a, b), (c, d) = os.pipe(), os.pipe()
    near = PipeWire(os.fdopen(a, "rb"), os.fdopen(d, "wb"))
    far = PipeWire(os.fdopen(c, "rb"), os.fdopen(b, "wb"))
    large = np.arange(100_000, dtype=np.uint16)

    def answer() -> None:
        message, blocks = far.receive()
        far.send({"got": message, "sizes": [len(block) for block in blocks]}, blocks)

    thread = threading.Thread(target=answer)
    thread.start()
    near.send({"words": "ä"}, [b"small", large])
    message, blocks = near.receive()
    thread.join()
    near.close()
    far.close()
    assert message == {"got": {"words": "ä"}, "sizes": [5, 200_000]}
    assert blocks[0].tobytes() == b"small"
    assert np.array_equal(blocks[1].view(np.uint16), large)


def test_kinds_that_are_decoded_apart_are_known() -> None:
    assert {"TIFF", "JPEG XL", "HEIF", "AVIF"} == ISOLATED
