"""What comes back is what was given: arrays of every kind, Pillow's images, tensors; and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from esrgan_torch import ConfigError, Picture, Upscaler
from esrgan_torch.engines import packed as engine_packed
from tests.torch.networks import small_compact, small_rrdb
from tests.torch.test_upscaler import photo

MODEL = small_compact()
PIXELS = photo(9, 11)
UPSCALER = Upscaler(MODEL, "cpu", "float32", engine="eager")
LARGE = UPSCALER(PIXELS)
FLOATS = PIXELS.astype(np.float32) / np.float32(255)


def straight(batch: torch.Tensor) -> torch.Tensor:
    """What the bare network gives, cut off."""
    with torch.inference_mode():
        return MODEL(batch.float()).clamp(0, 1)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


WAYS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "plain": lambda array: array,
    "read only": read_only,
    "column order": np.asfortranarray,
    "mirrored": lambda array: array[:, ::-1].copy()[:, ::-1],
    "every second": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    "channels turned": lambda array: array[:, :, ::-1].copy()[:, :, ::-1],
    "channels first in memory": lambda array: array.transpose(2, 0, 1).copy().transpose(1, 2, 0),
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "a subclass": lambda array: array.view(type("Own", (np.ndarray,), {})),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64", "float16"])
@pytest.mark.parametrize("channels", [3, 4, 0])
def test_arrays_of_every_kind(way: str, kind: str, channels: int) -> None:
    pixels = photo(9, 11, channels or 1)
    array = pixels.astype(kind) * (257 if kind == "uint16" else 1)
    if kind.startswith("float"):
        array = (pixels / 255).astype(kind)
    expected = UPSCALER(array)
    given = WAYS[way](array)
    if not channels:
        given, expected = given[:, :, 0], expected[:, :, 0]
    before = given.copy()
    result = UPSCALER(given)
    assert result.dtype == given.dtype
    assert type(result) is np.ndarray
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert result.base is None or result.base.base is None
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("kind", ["flat", "one pixel", "tta", "scale", "dropped"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_results_are_contiguous_and_writable(kind: str, dtype: type) -> None:
    pixels = photo(1, 1, 4) if kind == "one pixel" else photo(6, 5, 4)
    if kind == "flat":
        pixels[:] = pixels[0, 0]
    options: dict[str, dict[str, Any]] = {
        "tta": {"tta": True},
        "scale": {"scale": 1.5},
        "dropped": {"alpha": "drop"},
    }
    given = pixels if dtype is np.uint8 else pixels.astype(np.float32) / 255
    result = Upscaler(MODEL, "cpu", "float32", **options.get(kind, {}))(given)
    assert result.flags.c_contiguous
    result[0, 0, 0] = 1
    assert result.dtype == dtype


def test_floats_are_the_network_s_unrounded_and_cut_off() -> None:
    result = UPSCALER(FLOATS)
    expected = straight(torch.from_numpy(FLOATS).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)
    assert result.min() >= 0
    assert result.max() <= 1
    assert (result == 1).any()
    assert np.abs(result * 255 - LARGE).max() < 0.51


@pytest.mark.parametrize("options", [{}, {"tta": True}, {"tiling": 16}, {"scale": 3}, {"alpha": "resize"}])
def test_floats_with_alpha_are_as_near_as_16_bits(options: dict[str, Any]) -> None:
    pixels = photo(19, 17, 4, np.uint16)
    pixels[3:9, 4:13, 3] = 0
    pixels[10:16, 2:9, 3] = 65535
    upscaler = Upscaler(MODEL, "cpu", "float32", **options)
    result = upscaler((pixels / 65535).astype(np.float32))
    difference = np.abs(result * 65535 - upscaler(pixels))
    if {"scale", "alpha"} & {*options}:  # whole numbers are also cut off between the two axes of a resize
        assert difference.mean() < 100
    else:
        assert difference.max() < 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_tensors(dtype: torch.dtype, layout: torch.memory_format) -> None:
    batch = torch.rand(3, 3, 7, 9).to(dtype).contiguous(memory_format=layout)
    result = UPSCALER(batch)
    assert result.dtype == dtype
    assert result.device == batch.device
    assert result.is_contiguous()
    assert not result.is_inference()
    torch.testing.assert_close(result.float(), straight(batch).to(dtype).float(), rtol=0, atol=1e-6)
    result.add_(1)
    told: list[float] = []
    UPSCALER(batch, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_tensors_are_tiled_as_pictures_are() -> None:
    model = small_rrdb(scale=2, unshuffle=2)
    batch = torch.rand(1, 3, 40, 37)
    tiled = Upscaler(model, "cpu", "float32", tiling=16, engine="eager")(batch)
    with torch.inference_mode():
        torch.testing.assert_close(tiled, model(batch).clamp(0, 1), rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_tensors_come_back_on_their_device(device: str) -> None:
    batch = torch.rand(2, 3, 20, 30, device=device)
    for place in ("cpu", "cuda"):
        result = Upscaler(MODEL, place, "float32")(batch)
        assert result.device == batch.device
        torch.testing.assert_close(result.cpu(), straight(batch.cpu()), rtol=0, atol=1e-4)


def pillow(mode: str) -> Image.Image:
    image = Image.fromarray(photo(9, 11, 4))
    return Image.fromarray(photo(9, 11, 1, np.uint16)[:, :, 0]) if mode == "I;16" else image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "back"),
    [
        *((mode, mode) for mode in ("L", "LA", "RGB", "RGBA", "I;16")),
        *(("1", "L"), ("P", "RGBA"), ("RGBX", "RGB"), ("RGBa", "RGBA"), ("La", "LA")),
    ],
)
def test_pillow_s_images(mode: str, back: str) -> None:
    image = pillow("LA").convert("La") if mode == "La" else pillow(mode)
    image.info |= {"icc_profile": b"profile", "exif": b"Exif\0\0", "dpi": (72, 72)}
    result = UPSCALER(image)
    assert isinstance(result, Image.Image)
    assert (result.mode, result.size) == (back, (44, 36))
    assert result.info["icc_profile"] == b"profile"
    assert result.info["dpi"] == (72, 72)
    plain = image if mode == "I;16" else image.convert(back)
    np.testing.assert_array_equal(np.asarray(result), UPSCALER(np.asarray(plain)))


def test_a_colour_that_is_transparent_becomes_alpha() -> None:
    image = pillow("RGB")
    image.info["transparency"] = image.getpixel((0, 0))
    result = UPSCALER(image)
    assert result.mode == "RGBA"
    assert "transparency" not in result.info


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (PIXELS.astype(np.int64), r"int64; give image.astype\(numpy.uint8\)"),
        (PIXELS > 9, r"bool; give image.astype\(numpy.uint8\) \* 255"),
        (PIXELS.astype(complex), "complex128"),
        (PIXELS.astype(np.float32), r"0 to 1, these in \d to 255; give image / 255"),
        (FLOATS * 2 - 1, r"give \(image \+ 1\) / 2 where they mean -1 to 1"),
        (FLOATS * 1.1, r"cut them off: image.clip\(0, 1\)"),
        (FLOATS + np.nan, "NaN"),
        (PIXELS.transpose(2, 0, 1), r"\(3, 9, 11\); give image.transpose\(1, 2, 0\)"),
        (PIXELS[None], r"\(1, 9, 11, 3\); give upscaler.map\(images\)"),
        (PIXELS[:0], r"at least one pixel, and this one none: its shape is \(0, 11, 3\)"),
        (Image.new("RGB", (0, 5)), r"at least one pixel, and this one none: its shape is \(5, 0\)"),
        (np.zeros((9, 9, 7), np.uint8), "1 to 4 channels"),
        (np.ma.masked_less(PIXELS, 9), r"image.filled\(0\)"),
        (PIXELS.tolist(), r"list .*upscaler.map\(pictures\)"),
        (b"\x89PNG", r"bytes .*read_image"),
        (None, "NoneType is not a picture"),
        (torch.rand(3, 7, 9), r"tensor\[None\]"),
        (torch.rand(1, 7, 9, 3), r"tensor.permute\(0, 3, 1, 2\)"),
        (torch.rand(7, 9, 3), r"tensor.permute\(2, 0, 1\)\[None\]"),
        (torch.rand(7, 9), r"tensor\[None, None\]"),
        (torch.rand(0, 3, 9, 9), r"none: its shape is \(0, 3, 9, 9\)$"),
        (torch.rand(1, 3, 9, 9).to_sparse(), r"tensor.to_dense\(\)"),
        (torch.rand(1, 3, 9, 9, device="meta"), "no values"),
        (torch.ones(1, 3, 7, 9, dtype=torch.bool), r"give tensor.float\(\)$"),
        (torch.zeros(1, 3, 7, 9, dtype=torch.uint16), r"tensor.float\(\) / 65535"),
        (torch.zeros(1, 3, 7, 9, dtype=torch.int32), "divided by the value of white"),
        (torch.zeros(1, 3, 7, 9, dtype=torch.complex64), "not torch.complex64; give floats"),
        (torch.zeros(1, 3, 7, 9, dtype=torch.uint8), r"tensor.float\(\) / 255"),
        (torch.rand(1, 3, 7, 9) * 255, "give image / 255"),
        (torch.rand(1, 3, 7, 9, requires_grad=True), r"tensor.detach\(\)"),
        (pillow("CMYK"), r'image.convert\("RGB"\)'),
        (pillow("YCbCr"), r'image.convert\("RGB"\)'),
        (pillow("F"), "as an array"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        UPSCALER(given)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_refused() -> None:
    pictures = [torch.rand(3, 7, 9), torch.rand(3, 8, 9)]
    with pytest.raises(ConfigError, match=r"several sizes; give upscaler.map\(each\[None\] for each in"):
        UPSCALER(torch.nested.nested_tensor(pictures))


def test_upscale_takes_what_can_be_a_picture() -> None:
    image = Image.fromarray(PIXELS)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    image.info["exif"] = exif.tobytes()
    for given in (PIXELS, Picture(PIXELS)):
        np.testing.assert_array_equal(UPSCALER.upscale(given).picture.pixels, LARGE)
    assert UPSCALER.upscale(PIXELS[:, :, 0]).picture.pixels.shape == (36, 44, 1)
    upright = UPSCALER.upscale(image).picture
    assert (upright.height, upright.width) == (44, 36)
    assert upright.exif is not None
    with pytest.raises(ConfigError, match="call upscaler"):
        UPSCALER.upscale(FLOATS)


def test_pictures_keep_the_machine_s_byte_order() -> None:
    pixels = photo(4, 5, 3, np.uint16)
    picture = Picture(pixels.astype(">u2"))
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert repr(Picture(pixels, b"profile", b"exif", frames=3)) == (
        "<Picture 5x4 RGB, 16 bits, ICC profile, EXIF, the first of 3 frames>"
    )
    with pytest.raises(ConfigError, match=r"numpy\.asarray"):
        Picture([[[0]]])


@pytest.mark.skipif(not engine_packed.is_available(), reason="x86 only")
def test_the_packed_engine_takes_floats_too() -> None:
    model = small_rrdb()
    result = Upscaler(model, "cpu", "float32", engine="eager")(FLOATS)
    with torch.inference_mode():
        expected = model(torch.from_numpy(FLOATS).permute(2, 0, 1)[None]).clamp(0, 1)
    np.testing.assert_allclose(result, expected[0].permute(1, 2, 0).numpy(), rtol=0, atol=1e-5)
