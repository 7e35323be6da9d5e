"""What people hand over for a picture, and what they get back: arrays, Pillow's images, tensors.

Each is turned into samples, (H, W, C) uint8, uint16 or float32 from 0 to 1, and their enlargement into what
was given. What could mean two things is refused, with the conversion to write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Picture, Pixels, Samples
from esrgan_torch.images.pillow import described

WHOLE = ("uint8", "uint16")
# of a mode of Pillow, the mode whose samples are taken; those of the others are no gray and no RGB
MODES = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "La": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGB": "RGB",
    "RGBX": "RGB",
    "RGBA": "RGBA",
    "RGBa": "RGBA",
}
_BY_WHITE = "tensor.float() divided by the value of white, which is 255 for 8 bits, 65535 for 16"
# of a type of tensors that is not taken, what to give instead
_FLOATS = {
    torch.uint8: "tensor.float() / 255",
    torch.bool: "tensor.float()",
    torch.uint16: "tensor.float() / 65535",
    **dict.fromkeys((torch.int8, torch.int16, torch.int32, torch.int64), _BY_WHITE),
}


@dataclass(frozen=True)
class Given:
    """Pictures, and how their enlargements are given back.

    Args:
        pictures: (H, W, C) each; more than one for a tensor alone.
        give_back: from as many enlargements, which it may keep.
    """

    pictures: Sequence[Samples]
    give_back: Callable[[Sequence[Samples]], Any]


def take(image: object) -> Given:
    """An array, an image of Pillow's or a tensor; see `Upscaler.__call__`.

    Raises:
        ConfigError: something else, or something that could be meant in two ways.
    """
    if isinstance(image, np.ndarray):
        return _array(cast(NDArray[Any], image))
    if isinstance(image, Image.Image):
        return _pillow(image)
    if isinstance(image, Tensor):
        return _tensor(image)
    kind = type(image).__name__
    if isinstance(image, list | tuple):
        hint = "give upscaler.map(pictures), or numpy.asarray(picture) where it is one"
    elif isinstance(image, bytes | bytearray | memoryview) or hasattr(image, "read"):
        hint = "give esrgan_torch.read_image(it)"
    elif hasattr(image, "__array__") or hasattr(image, "__dlpack__"):
        hint = "give numpy.asarray(it)"
    else:
        hint = "give an array, a tensor, an image of Pillow's, a Picture or a path"
    raise ConfigError(f"a {kind} is not a picture; {hint}")


def as_picture(image: object) -> Picture:
    """A `Picture` of what is one, an array of whole numbers or an image of Pillow's.

    Raises:
        ConfigError: as `take`; floats, which a Picture does not hold.
    """
    if isinstance(image, Picture):
        return image
    given = take(image)
    if len(given.pictures) != 1 or str(given.pictures[0].dtype) not in WHOLE:
        raise ConfigError("a Picture holds uint8 or uint16; call upscaler(image) for floats and tensors")
    pixels = cast(Pixels, given.pictures[0])
    if not isinstance(image, Image.Image):
        return Picture(pixels)
    return described(image, pixels, image.info.get("icc_profile"))


def _array(array: NDArray[Any]) -> Given:
    def give_back(large: Sequence[Samples]) -> NDArray[Any]:
        result = large[0]
        if array.ndim == 2:
            result = result[:, :, 0]
        return np.require(result, array.dtype, ("C_CONTIGUOUS", "WRITEABLE"))

    return Given([_samples(array)], give_back)


def _samples(array: NDArray[Any]) -> Samples:
    if isinstance(array, np.ma.MaskedArray):
        raise ConfigError("a masked array has pixels that are missing; give image.filled(0)")
    shape = array.shape
    _check_not_empty(shape)
    if array.ndim not in (2, 3):
        hint = "; give upscaler.map(images) for several" if array.ndim == 4 else ""
        raise ConfigError(f"a picture has the shape (height, width, channels), not {shape}{hint}")
    if array.ndim == 3 and shape[2] not in (1, 2, 3, 4):
        hint = "; give image.transpose(1, 2, 0)" if shape[0] in (1, 2, 3, 4) else ""
        raise ConfigError(
            f"a picture has the shape (height, width, channels) with 1 to 4 channels, not {shape}{hint}"
        )
    samples = np.asarray(array).reshape(*shape[:2], -1)
    kind, name = array.dtype.kind, array.dtype.name
    if name in WHOLE:
        return samples.astype(name, copy=False)  # in the machine's byte order
    if kind == "f":
        return _unit(samples.astype(np.float32), f"values of {name}")
    conversion = {
        "b": "image.astype(numpy.uint8) * 255",
        "i": "image.astype(numpy.uint8) for 0 to 255, or image.astype(numpy.uint16) for 0 to 65535",
        "u": "image.astype(numpy.uint8) for 0 to 255, or image.astype(numpy.uint16) for 0 to 65535",
    }.get(kind, "an array of uint8")
    raise ConfigError(f"pixels are uint8, uint16, or floats from 0 to 1, not {name}; give {conversion}")


def _check_not_empty(shape: Sequence[int]) -> None:
    if 0 in shape:
        raise ConfigError(f"a picture has at least one pixel, and this one none: its shape is {tuple(shape)}")


def _unit(samples: NDArray[np.float32], what: str) -> Samples:
    """ConfigError unless all lie in 0 to 1."""
    low, high = float(samples.min()), float(samples.max())
    if low >= 0 and high <= 1:
        return samples
    if not np.isfinite(low + high):
        raise ConfigError(f"{what} contain NaN or infinity")
    if high > 2:
        hint = "give image / 255" if high <= 255 else "divide them by the value of white"
    elif low < -0.5:
        hint = "give (image + 1) / 2 where they mean -1 to 1, or else cut them off at 0 and 1"
    else:
        hint = "cut them off: image.clip(0, 1)"
    raise ConfigError(f"{what} lie in 0 to 1, these in {low:g} to {high:g}; {hint}")


def _pillow(image: Image.Image) -> Given:
    _check_not_empty((image.height, image.width))
    if image.mode.startswith("I;16"):
        plain = np.asarray(image).astype(np.uint16, copy=False)[:, :, None]
    elif image.mode in MODES:
        mode = MODES[image.mode]
        if "A" not in mode and image.has_transparency_data:
            mode += "A"
        pixels = np.asarray(image if image.mode == mode else image.convert(mode))
        plain = pixels.reshape(*pixels.shape[:2], -1)
    else:
        raise ConfigError(
            f"the samples of Pillow's mode {image.mode} are no gray and no RGB; "
            + ("give its values as an array" if image.mode in ("I", "F") else 'give image.convert("RGB")')
        )

    def give_back(large: Sequence[Samples]) -> Image.Image:
        pixels = np.ascontiguousarray(large[0])
        result = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        # as Pillow's own `resize` does
        result.info = {key: value for key, value in image.info.items() if key != "transparency"}
        return result

    return Given([plain], give_back)


def _tensor(batch: Tensor) -> Given:
    if batch.is_nested:  # which may have no shape
        raise ConfigError(
            "a nested tensor has pictures of several sizes; "
            "give upscaler.map(each[None] for each in tensor.unbind())"
        )
    shape = tuple(batch.shape)
    _check_not_empty(shape)
    if batch.dim() != 4 or shape[1] not in (1, 2, 3, 4):
        if batch.dim() == 3:
            last = shape[0] not in (1, 2, 3, 4) and shape[2] in (1, 2, 3, 4)
            hint = "; give tensor.permute(2, 0, 1)[None]" if last else "; give tensor[None]"
        elif batch.dim() == 2:
            hint = "; give tensor[None, None]"
        elif batch.dim() == 4 and shape[3] in (1, 2, 3, 4):
            hint = "; give tensor.permute(0, 3, 1, 2)"
        else:
            hint = ""
        raise ConfigError(f"a tensor has the shape (N, channels, height, width), not {shape}{hint}")
    if not batch.is_floating_point():
        hint = _FLOATS.get(batch.dtype, "floats")
        raise ConfigError(f"a tensor has floats from 0 to 1, not {batch.dtype}; give {hint}")
    if batch.layout != torch.strided:
        raise ConfigError(f"a tensor has a value for every pixel, not {batch.layout}; give tensor.to_dense()")
    if batch.is_meta:
        raise ConfigError("a tensor on the device meta has no values; give one on a device that holds them")
    if batch.requires_grad and torch.is_grad_enabled():
        raise ConfigError(
            "an Upscaler computes no gradients; give tensor.detach(), or call the network itself"
        )
    values = cast(NDArray[np.float32], batch.detach().float().numpy(force=True))
    _unit(values, f"values of {batch.dtype}")

    def give_back(large: Sequence[Samples]) -> Tensor:
        stacked = np.stack([picture.transpose(2, 0, 1) for picture in large])
        return torch.from_numpy(np.ascontiguousarray(stacked)).to(batch.device, batch.dtype)

    return Given([picture.transpose(1, 2, 0) for picture in values], give_back)
