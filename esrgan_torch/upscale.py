"""`Upscaler`: from picture to larger picture."""

import time
from dataclasses import dataclass, replace
from typing import Literal, get_args, overload

import numpy as np
import torch

from esrgan_torch.alpha import bleed, bleed_evenly
from esrgan_torch.devices import device_name, free_memory, resolve_device
from esrgan_torch.engine import Engine, Progress
from esrgan_torch.engine_choice import EngineName, make_engine
from esrgan_torch.enlarge import Enlarger
from esrgan_torch.errors import ConfigError
from esrgan_torch.network import Generator
from esrgan_torch.picture import Picture, Pixels
from esrgan_torch.plan import Plan, make_plan
from esrgan_torch.precision import check_dtype, resolve_dtype
from esrgan_torch.resample import imresize
from esrgan_torch.tiling import Tiling
from esrgan_torch.uniform_alpha import keep_uniform

AlphaMode = Literal["model", "resize", "drop"]
LARGEST_SCALE = 32


@dataclass(frozen=True)
class Upscaled:
    """A result and how it came about.

    Args:
        picture: the larger picture, with the metadata of the given one.
        plan: how it was cut; with its estimated memory and the reason. Not exact where the plan was, but a
            window had to be divided.
        device: name of the device for people.
        dtype: precision, "float32", "float16" or "bfloat16".
        redone: tiles that were not finite in half precision and were computed again in float32.
        divided: tiles that did not fit in memory and were divided.
        seconds: wall time.
        tta: whether it is the mean of the eight turned and mirrored runs.
    """

    picture: Picture
    plan: Plan
    device: str
    dtype: str
    redone: int
    divided: int
    seconds: float
    tta: bool = False

    @property
    def exact(self) -> bool:
        """Whether the result equals the untiled one to float rounding."""
        return self.plan.exact


class Upscaler:
    """Runs a network on pictures of any size.

    Args:
        model: an `RRDBNet` or `CompactNet`, with 1 or 3 channels in and out; it is copied, not changed.
        device: "auto" (the first of cuda, mps, cpu), or a device such as "cpu" or "cuda:1".
        dtype: "auto" (see `esrgan_torch.precision.resolve_dtype`), "float32", "float16" or "bfloat16".
            "auto" computes 16-bit pictures in float32, on CUDA without TF32: half precision gives them fewer
            than 8 bits.
        tiling: what may be done to fit memory, see `Tiling`; a mode's name will do.
        alpha: what becomes of transparency: "model" enlarges it with the network, "resize" by bicubic
            interpolation, "drop" removes it. With "model" and "resize" the colour of visible pixels is first
            spread under the transparent ones, so that no dark fringe grows into the picture.
            Alpha by the network stays exactly 0, or full, at every pixel whose eight neighbours are so too.
            Colour or alpha of a single value is not run through the network: it keeps its value.
        scale: output pixels an input pixel; None: the network's own. Any other value resizes the network's
            result by MATLAB's bicubic interpolation.
        engine: "auto": the fastest that was measured for this network, device and precision; "eager":
            PyTorch's operators alone; "openvino" on CPUs, docs/cpu.md; "triton": the project's own kernels
            for an RRDBNet in half precision on CUDA, docs/kernels.md, which "auto" takes on devices with a
            recorded run only.
        tta: test-time augmentation: the mean of the results for the picture turned and mirrored in all eight
            ways, each laid back, before rounding. It takes eight times as long; turning the picture then
            turns the result.

    Raises:
        ConfigError: any of these cannot be.
        EngineError: the engine that was asked for by name does not run here.

    Example:
        >>> upscaler = Upscaler(CompactNet(features=8, convolutions=1))
        >>> upscaler(np.zeros((10, 12, 3), np.uint8)).shape
        (40, 48, 3)
    """

    def __init__(
        self,
        model: Generator,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
        tiling: Tiling | Literal["auto", "exact", "off"] = "auto",
        alpha: AlphaMode = "model",
        scale: float | None = None,
        engine: EngineName = "auto",
        tta: bool = False,
    ) -> None:
        if model.in_channels not in (1, 3) or model.out_channels != model.in_channels:
            raise ConfigError(
                "an Upscaler needs a network with 1 or 3 channels, the same in and out; "
                f"this one has {model.in_channels} and {model.out_channels}"
            )
        if alpha not in get_args(AlphaMode):
            raise ConfigError(f"alpha is {', '.join(get_args(AlphaMode))}, not {alpha!r}")
        if scale is not None and not 0 < scale <= LARGEST_SCALE:
            raise ConfigError(f"the scale lies above 0 and up to {LARGEST_SCALE}, given {scale}")
        self.model = model
        self.device = resolve_device(device)
        self.dtype = resolve_dtype(dtype, model, self.device)
        self._dtype_is_open = check_dtype(dtype, self.device) is None
        self.tiling = tiling if isinstance(tiling, Tiling) else Tiling(tiling)
        self.alpha: AlphaMode = alpha
        self.tta = tta
        self.scale = float(model.scale if scale is None else scale)
        self._engine = make_engine(model, self.device, self.dtype, engine)
        # the project's kernels compute in half precision
        self._float32_engine_name: EngineName = "auto" if engine == "triton" else engine
        self._engine_of_16_bits: Engine | None = None
        self._exact_engine: Engine | None = None

    @overload
    def __call__(self, image: Picture) -> Picture: ...
    @overload
    def __call__(self, image: Pixels) -> Pixels: ...
    def __call__(self, image: Picture | Pixels) -> Picture | Pixels:
        """Upscale a picture, or its pixels: (H, W, C) uint8 or uint16, C = 1 gray, 2 gray and alpha, 3 RGB,
        4 RGB and alpha; the same kind comes back. Errors as in `upscale`."""
        if isinstance(image, Picture):
            return self.upscale(image).picture
        return self.upscale(Picture(image)).picture.pixels

    def plan(self, height: int, width: int, bits: int = 8) -> Plan:
        """How a picture of height x width input pixels with 8 or 16 bits a channel would be computed now.

        Raises:
            OutOfMemoryError: nothing that `tiling` allows fits the memory that is free.
        """
        # a CPU holds the result as well: RGB, in two versions when it is resized after; the mean of turns and
        # the turn that is added to it are RGB in float32
        result_bytes = 6 * bits // 8 + (24 if self.tta else 0)
        held = result_bytes * height * width * self.model.scale**2 if self.device.type == "cpu" else 0
        engine = self._engine_for(bits)
        return make_plan(self.model, engine, height, width, self.tiling, free_memory(self.device), held)

    def upscale(self, picture: Picture, progress: Progress | None = None) -> Upscaled:
        """Upscale a picture and say how it was done.

        Args:
            picture: any size of at least 1x1.
            progress: called with the share that is done, from 0 to 1.

        Raises:
            OutOfMemoryError: nothing that `tiling` allows fits the memory that is free.
            NonFiniteError: the network gives NaN or infinity in float32 too.
        """
        started = time.perf_counter()
        engine = self._engine_for(picture.bits)
        plan = self.plan(picture.height, picture.width, picture.bits)
        colour, alpha = _split(picture.pixels)
        if self.alpha == "drop":
            alpha = None
        if alpha is not None:
            colour = (bleed_evenly if self.tta else bleed)(colour, alpha)
        # a network for gray takes the channels of a colour picture one by one
        planes = np.split(colour, colour.shape[2], axis=2) if self.model.in_channels == 1 else [colour]
        if alpha is not None and self.alpha == "model":
            planes.append(alpha)
        on_its_side = self.plan(picture.width, picture.height, picture.bits) if self.tta else None
        enlarger = Enlarger(
            model=self.model,
            engine=engine,
            exact_engine=self._float32_engine,
            plan=plan,
            plan_on_its_side=on_its_side,
            divisible=self.tiling.mode in ("auto", "overlap"),
            planes=sum(not _is_flat(plane) for plane in planes),
            progress=progress or _ignore,
        )
        with torch.inference_mode():
            parts = [self._enlarge(enlarger, plane, is_alpha=plane is alpha) for plane in planes]
        if alpha is not None and self.alpha == "resize":
            parts.append(imresize(alpha, *self._size(*alpha.shape[:2])))
        if progress is not None:
            progress(1.0)  # nothing may have had to be computed
        if on_its_side is not None and not on_its_side.exact:
            plan = on_its_side  # the worse of the two, where memory has become less in between
        if plan.exact and not enlarger.exact:
            plan = replace(plan, exact=False, reason="memory ran out, divided into overlapping windows")
        return Upscaled(
            picture.with_pixels(np.concatenate(parts, axis=2)),
            plan,
            device_name(self.device),
            str(engine.dtype).removeprefix("torch."),
            enlarger.redone,
            enlarger.divided,
            time.perf_counter() - started,
            self.tta,
        )

    def _engine_for(self, bits: int) -> Engine:
        """The engine of `dtype`; where that was left open, one in float32 for what 8 bits do not hold."""
        if bits == 8 or not self._dtype_is_open or self.dtype == torch.float32:
            return self._engine
        if self._engine_of_16_bits is None:
            self._engine_of_16_bits = make_engine(
                self.model, self.device, torch.float32, self._float32_engine_name
            )
        return self._engine_of_16_bits

    def _float32_engine(self) -> Engine:
        if self._exact_engine is None:
            self._exact_engine = make_engine(self.model, self.device, torch.float32, "eager")
        return self._exact_engine

    def _enlarge(self, enlarger: Enlarger, pixels: Pixels, *, is_alpha: bool) -> Pixels:
        size = self._size(*pixels.shape[:2])
        if _is_flat(pixels):
            # one colour has no detail to restore, and the networks would shift it by several levels
            return np.broadcast_to(pixels[0, 0], (*size, pixels.shape[2]))
        large = enlarger.pixels(pixels)
        if is_alpha:
            keep_uniform(large, pixels)
        return large if large.shape[:2] == size else imresize(large, *size)

    def _size(self, height: int, width: int) -> tuple[int, int]:
        return max(round(height * self.scale), 1), max(round(width * self.scale), 1)


def _split(pixels: Pixels) -> tuple[Pixels, Pixels | None]:
    """Colour (1 or 3 channels) and alpha (1 channel), or None."""
    if pixels.shape[2] in (2, 4):
        return pixels[:, :, :-1], pixels[:, :, -1:]
    return pixels, None


def _is_flat(pixels: Pixels) -> bool:
    return bool((pixels == pixels[0, 0]).all())


def _ignore(_: float) -> None:
    """Nobody is told."""
