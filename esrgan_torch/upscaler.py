"""`Upscaler`: from picture to larger picture."""

import logging
import os
import time
from typing import Any, Literal, Self, cast, get_args

import numpy as np
import torch
from PIL import Image

from esrgan_torch.by_rows import ByRows
from esrgan_torch.calls import Calls
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose import make_engine, resolve_precision
from esrgan_torch.engines.choose_rows import RowEngine, make_row_engine
from esrgan_torch.engines.computing import CPU
from esrgan_torch.engines.devices import device_name, recent_free_memory, release_memory
from esrgan_torch.engines.kinds import EngineName, name_of
from esrgan_torch.engines.ncnn.vulkan import VULKAN
from esrgan_torch.engines.places import resolve_place
from esrgan_torch.engines.precision import check_dtype
from esrgan_torch.errors import ConfigError, EngineError, ForkedError
from esrgan_torch.images.exchange import as_picture
from esrgan_torch.images.picture import Picture, Pixels, Samples
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.given import NetworkSource, network_of
from esrgan_torch.tiling.enlarge import AlphaMode, Way, enlarge
from esrgan_torch.tiling.means import Course, Means
from esrgan_torch.tiling.modes import Tiling, as_tiling
from esrgan_torch.tiling.plan import Plan, make_plan
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.watch import Flag, Progress, Watch

log = logging.getLogger("esrgan_torch")

LARGEST_SCALE = 32


class Upscaler(Calls, ByRows):
    """Runs a network on pictures of any size. It can be called from several threads, and pickled.

    Args:
        model: a network of this project, with 1 or 3 channels in and out; or a published model's name, an
            address, a file or a state dict, see `esrgan_weights.load`. The network is copied, not changed.
        device: "auto" (a working accelerator, else the CPU), a device such as "cpu", "cuda:1" or
            "vulkan:0" (by ncnn), or an accelerator's number.
        dtype: "auto" (see `esrgan_torch.engines.choose.resolve_precision`), "float32", "float16" or
            "bfloat16"; or "fp32", "fp16", "bf16". "auto" computes 16-bit pictures and floats in float32, on
            CUDA without TF32, because half precision would leave fewer than 8 bits.
        tiling: how a picture may be cut to fit into memory: a `Tiling`, a mode's name, or the size of tiles.
        alpha: how transparency is enlarged: "model" enlarges it with the network, "resize" by bicubic
            interpolation, "drop" removes it. With "model" and "resize" the colour of visible pixels is first
            spread under the transparent ones, so that no dark fringe grows into the picture.
            With "model", alpha stays exactly 0, or full, at every pixel whose eight neighbours have the same
            value. Colour or alpha of a single value keeps that value, without running the network.
        scale: output pixels an input pixel; None: the network's own. Any other value resizes the network's
            result by MATLAB's bicubic interpolation.
        engine: "auto": the fastest by measurement for this network, device and precision; "eager": only
            PyTorch's operators; "native" and "openvino" on CPUs, docs/cpu.md; "ncnn" on Vulkan devices,
            docs/devices.md; "triton": the project's own kernels for an RRDBNet in half precision on CUDA,
            docs/kernels.md, which "auto" chooses only on devices with a recorded run.
        tta: test-time augmentation: the mean of the results for all eight rotations and mirrorings of the
            picture, each transformed back, before rounding. It takes eight times as long. Rotating the
            picture then rotates the result.
        denoise: how strongly noise is removed, from 0 to 1, for names and files of models that have a variant
            that keeps noise; see `esrgan_weights.load`.

    Raises:
        ConfigError: an argument is not possible.
        EngineError: the engine that you named does not run on this machine.
        WeightsError: the model cannot be loaded.

    Example:
        >>> upscaler = Upscaler(CompactNet(features=8, convolutions=1))
        >>> upscaler(np.zeros((10, 12, 3), np.uint8)).shape
        (40, 48, 3)
    """

    def __init__(
        self,
        model: NetworkSource,
        device: str | int | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
        tiling: Tiling | int | Literal["auto", "exact", "off"] = "auto",
        alpha: AlphaMode = "model",
        scale: float | None = None,
        engine: EngineName = "auto",
        tta: bool = False,
        denoise: float | None = None,
    ) -> None:
        if alpha not in get_args(AlphaMode):
            raise ConfigError(f"alpha is {', '.join(get_args(AlphaMode))}, not {alpha!r}")
        if scale is not None and not 0 < scale <= LARGEST_SCALE:
            raise ConfigError(f"the scale lies above 0 and up to {LARGEST_SCALE}, given {scale}")
        self.tiling = as_tiling(tiling)
        self.device = resolve_place(device, engine)
        self._dtype_is_open = check_dtype(dtype, self.device) is None
        network = network_of(model, denoise)
        if network.in_channels not in (1, 3) or network.out_channels != network.in_channels:
            raise ConfigError(
                "an Upscaler needs a network with 1 or 3 channels, the same in and out; "
                f"this one has {network.in_channels} and {network.out_channels}"
            )
        named = isinstance(model, str | os.PathLike)  # it is loaded again where this is unpickled
        mine = (model, denoise) if named else (network, None)
        self._arguments = (mine[0], device, dtype, tiling, alpha, scale, engine, tta, mine[1])
        self.model = network
        try:
            self._made: Engine | None = self._make(dtype, engine)
        except (ConfigError, EngineError) as error:
            unasked = device == "auto" and engine == "auto" and self.device.type != "cpu"
            if not unasked or (isinstance(error, ConfigError) and self.device.type != VULKAN):
                raise
            log.warning("%s: the CPU computes instead", error)
            self.device = CPU
            self._made = self._make(dtype, engine)
        self.alpha: AlphaMode = alpha
        self.tta = tta
        self.scale = float(network.scale if scale is None else scale)
        # the project's kernels compute in half precision
        self._float32_engine_name: EngineName = "auto" if engine == "triton" else engine
        self._engine_of_16_bits: Engine | None = None
        self._exact_engine: Engine | None = None
        self._engine_name: EngineName = engine
        self._row_engines: list[RowEngine | None] = []
        self._process = os.getpid()

    def _make(self, dtype: str | torch.dtype, engine: EngineName) -> Engine:
        self._precision = resolve_precision(dtype, self.model, self.device, engine)
        self.dtype = self._precision.dtype
        return make_engine(self.model, self.device, self.dtype, engine)

    def __reduce__(self) -> tuple[type["Upscaler"], tuple[Any, ...]]:
        return type(self), self._arguments

    def __repr__(self) -> str:
        engine = "closed" if self._made is None else type(self._made).__name__
        dtype = name_of(self.dtype)
        name, device = _name_of(self.model), device_name(self.device)
        return f"<Upscaler {name} x{self.scale:g}, {device}, {dtype}, {engine}>"

    def describe(self) -> str:
        """Describe in a sentence which precision and engine compute 8-bit pictures here, and why.

        Raises:
            ConfigError: it is closed.
            ForkedError: the process was forked since this Upscaler was made.

        Example:
            >>> Upscaler(CompactNet(features=8, convolutions=1), "cpu", "float32", engine="eager").describe()
            'CompactNet on the CPU in float32, as requested; by PyTorch, as requested'
        """
        engine = self._engine
        where = "the CPU" if self.device.type == "cpu" else str(self.device)
        precision = f"{name_of(self.dtype)}, {self._precision.why}"
        return f"{_name_of(self.model)} on {where} in {precision}; by {engine.choice.describe()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory of weights and compiled graphs; pictures in progress in other threads are finished.

        Calls after that raise ConfigError. Closing again does nothing.
        """
        self._made = self._exact_engine = self._engine_of_16_bits = None
        self._row_engines.clear()
        release_memory(self.device)

    @property
    def _engine(self) -> Engine:
        if self._made is None:
            raise ConfigError("this Upscaler is closed; make another")
        if os.getpid() != self._process:
            raise ForkedError(
                "this Upscaler was made before the process was forked, and a fork loses PyTorch's threads; "
                'start processes with multiprocessing.get_context("spawn"), or make the Upscaler after the '
                "fork, in a program that has not computed with PyTorch before"
            )
        return self._made

    def plan(self, height: int, width: int, bits: int = 8) -> Plan:
        """Plan how a picture of height x width input pixels with `bits` bits a channel would be computed now.

        Raises:
            OutOfMemoryError: nothing that `tiling` allows fits the memory that is free.
        """
        return self._plan(self._engine_for(bits), height, width, bits)

    def _plan(self, engine: Engine, height: int, width: int, bits: int) -> Plan:
        # a CPU holds the result as well: RGB, in two versions when it is resized after; the mean of turns and
        # the turn that is added to it are RGB in float32
        result_bytes = 6 * bits // 8 + (24 if self.tta else 0)
        on_host = self.device.type in ("cpu", "mps", VULKAN)  # whose memory is the device's, or counted
        held = result_bytes * height * width * self.model.scale**2 if on_host else 0
        free = recent_free_memory(self.device)
        return make_plan(self.model, engine, height, width, self.tiling, free, held, self._row_engine)

    def upscale(
        self,
        picture: Picture | Pixels | Image.Image,
        progress: Progress | None = None,
        cancel: Flag | None = None,
    ) -> Upscaled:
        """Upscale a picture, and return the result with a description of how it was computed.

        Args:
            picture: any size of at least 1x1; an array of whole numbers or an image of Pillow's is made one.
            progress: called with the share that is done, from 0 to 1, in the thread of the call. What it
                raises ends the work and comes out as it is.
            cancel: a `threading.Event`; when it is set the work ends, at the latest a few percent further on.

        Raises:
            OutOfMemoryError: nothing that `tiling` allows fits the memory that is free.
            NonFiniteError: the network gives NaN or infinity in float32 too.
            CancelledError: `cancel` is set.
            ForkedError: the process was forked since this Upscaler was made.
            ConfigError: it is closed, or what is given is no picture.
        """
        started = time.perf_counter()
        picture = picture if isinstance(picture, Picture) else as_picture(picture)
        course = Course()
        engine = self._engine_for(picture.bits)
        large, plan = self._compute(picture.pixels, engine, course, Watch(progress, cancel))
        row_engine = self._row_engine() if plan.by_rows else None
        if row_engine is not None:
            engine = row_engine.engine
        return Upscaled(
            picture.with_pixels(cast(Pixels, large)),
            plan,
            device_name(self.device),
            name_of(engine.dtype),
            engine.choice.engine,
            course.redone,
            course.divided,
            time.perf_counter() - started,
            self.tta,
        )

    def _enlarged(self, samples: Samples, watch: Watch) -> Samples:
        return self._compute(samples, self._engine_for(8 * samples.dtype.itemsize), Course(), watch)[0]

    def _compute(
        self, samples: Samples, engine: Engine, course: Course, watch: Watch
    ) -> tuple[Samples, Plan]:
        """The enlarged samples, and how they were cut in the end."""
        height, width = samples.shape[:2]
        bits = 8 * samples.dtype.itemsize
        with torch.inference_mode(), np.errstate(all="ignore"):
            watch(0.0)
            divisible = self.tiling.mode in ("auto", "overlap")
            way = Way(
                Means(self.model, engine, self._float32_engine, divisible, self._row_engine),
                plan=self._plan(engine, height, width, bits),
                plan_on_its_side=self._plan(engine, width, height, bits) if self.tta else None,
                alpha=self.alpha,
                size=(max(round(height * self.scale), 1), max(round(width * self.scale), 1)),
            )
            large = enlarge(samples, way, course, watch)
            watch(1.0)  # nothing may have had to be computed
        return np.require(large, requirements=("C_CONTIGUOUS", "WRITEABLE")), way.gone(course)

    def _engine_for(self, bits: int) -> Engine:
        """The engine of `dtype`; where that was left open, one in float32 for what 8 bits do not hold."""
        engine = self._engine
        if bits == 8 or not self._dtype_is_open or self.dtype == torch.float32:
            return engine
        if self._engine_of_16_bits is None:
            self._engine_of_16_bits = make_engine(
                self.model, self.device, torch.float32, self._float32_engine_name
            )
        return self._engine_of_16_bits

    def _row_engine(self) -> RowEngine | None:
        if not self._row_engines:
            engine = self._engine
            self._row_engines.append(make_row_engine(self.model, self.device, engine, self._engine_name))
        return self._row_engines[0]

    def _float32_engine(self) -> Engine:
        if self._exact_engine is None:
            self._exact_engine = make_engine(self.model, self.device, torch.float32, "eager")
        return self._exact_engine


def _name_of(model: Generator) -> str:
    """Of its weights, or of its class where they are from nowhere."""
    return type(model).__name__ if model.provenance is None else model.provenance.name
