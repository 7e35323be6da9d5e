"""What the arguments of `esrgan upscale` mean, for pictures, for films and on a cluster."""

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial

from esrgan_cli.options import parse_devices
from esrgan_cli.upscaling.background import parse_colour
from esrgan_cli.upscaling.coding import FileOptions
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.formats import DEFAULT_FORMAT, SAME
from esrgan_cli.upscaling.target_size import TargetSize, parse_size
from esrgan_torch.engines.places import resolve_place
from esrgan_torch.engines.precision import check_dtype
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import DEFAULT_MAX_PIXELS
from esrgan_torch.images.formats import EncodeOptions, find_format
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.modes import Tiling
from esrgan_torch.upscaler import LARGEST_SCALE, Upscaler
from esrgan_weights.denoise import check_denoise
from esrgan_weights.loading import load
from esrgan_weights.sources.resolve import known_scale

_MOST_SUFFIX = 100  # bytes


def make_upscalers(
    network: Generator, devices: Sequence[str], arguments: argparse.Namespace, tiling: Tiling
) -> list[Upscaler]:
    """One `Upscaler` for each device, with the arguments' dtype, engine, alpha, scale and tta."""
    return [upscaler_of(network, device, arguments, tiling)() for device in devices]


def upscaler_of(
    network: Generator, device: str, arguments: argparse.Namespace, tiling: Tiling
) -> Callable[[], Upscaler]:
    """Makes an `Upscaler` as the arguments say; it can be sent to another machine."""
    return partial(
        Upscaler,
        network,
        device=device,
        dtype=arguments.dtype,
        tiling=tiling,
        alpha=arguments.alpha,
        scale=arguments.scale,
        engine=arguments.engine,
        tta=arguments.tta,
    )


def max_pixels_of(arguments: argparse.Namespace) -> int:
    """What --max-pixels means.

    Raises:
        ConfigError: a number that cannot be.
    """
    millions: float | None = arguments.max_pixels
    if millions is None:
        return DEFAULT_MAX_PIXELS
    if not 1e-6 <= millions <= 1e9:
        raise ConfigError(f"--max-pixels counts millions of pixels, at least 0.000001, not {millions:g}")
    return round(millions * 1e6)


def file_options(arguments: argparse.Namespace) -> FileOptions:
    """How files are read and written; errors as of `max_pixels_of`."""
    max_pixels = max_pixels_of(arguments)
    same = arguments.format == SAME
    form = None if same else arguments.format
    return FileOptions(max_pixels, EncodeOptions(form, arguments.quality, arguments.lossless), same)


def finish_of(arguments: argparse.Namespace) -> Finish:
    """What is done to every result.

    Raises:
        ConfigError: a size, a background or an end of names that cannot be.
    """
    size = parse_size(arguments.width, arguments.height, arguments.fit)
    background = None
    if arguments.background is not None:
        if arguments.alpha == "drop":
            raise ConfigError(
                "--alpha drop removes the transparency that --background needs; give one of them"
            )
        background = parse_colour(arguments.background)
    suffix: str | None = arguments.suffix
    if suffix is not None and any(character in suffix for character in "/\\\0"):
        raise ConfigError(f"--suffix is the end of names, not a folder, given {suffix!r}")
    if suffix is not None and len(os.fsencode(suffix)) > _MOST_SUFFIX:
        raise ConfigError(f"--suffix has at most {_MOST_SUFFIX} bytes: the names of pictures need room too")
    return Finish(size, background, arguments.strip)


def check_format(arguments: argparse.Namespace, options: FileOptions, to_file: bool) -> str:
    """The suffix of results, with its dot; empty where each has its source's format."""
    if options.same:
        if to_file:
            raise ConfigError(
                f"-o {arguments.output} and --format {SAME} contradict each other; leave one out"
            )
        if options.encode.quality is not None:
            options.encode.coding(".webp")  # 1 to 100, and not both
        return ""
    asked = options.encode.format
    suffix: str = arguments.output.suffix if to_file else f".{asked or DEFAULT_FORMAT}"
    form = options.encode.coding(suffix).form
    if form != find_format(suffix):
        raise ConfigError(f"-o {arguments.output} and --format {asked} contradict each other; leave one out")
    return suffix.lower()


def check_network(arguments: argparse.Namespace) -> None:
    """Raise ConfigError where --scale is none that can be, or --denoise is nothing for the model."""
    scale: float | None = arguments.scale
    if scale is not None and not 0 < scale <= LARGEST_SCALE:
        raise ConfigError(f"--scale must be above 0 and at most {LARGEST_SCALE}, not {scale:g}")
    if arguments.denoise is not None:
        check_denoise(arguments.model, arguments.denoise)


def load_network(arguments: argparse.Namespace) -> Generator:
    """The network that the arguments name; errors as of `load`."""
    return load(arguments.model, offline=arguments.offline, cache=arguments.cache, denoise=arguments.denoise)


def scale_of(arguments: argparse.Namespace, size: TargetSize | None) -> tuple[float | None, Generator | None]:
    """How many times larger results are, None where a size says it; errors as of `load`.

    Returns:
        that, and the network where it had to be loaded to know.
    """
    scale: float | None = arguments.scale
    if size is not None or scale is not None:
        return scale, None
    known = known_scale(arguments.model)
    if known is not None:
        return known, None
    network = load_network(arguments)
    return network.scale, network


def devices_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """What --device names.

    Raises:
        ConfigError: one is no device, or does not compute in what --dtype asks for.
    """
    devices = parse_devices(arguments.device)
    for device in devices:
        check_dtype(arguments.dtype, resolve_place(device, arguments.engine))
    return devices


def ending_of(arguments: argparse.Namespace, size: TargetSize | None, scale: float | None) -> str:
    """The end of the names of results; a scale is there where no size is."""
    if arguments.suffix is not None:
        return str(arguments.suffix)
    return size.ending if size is not None else f"-x{scale:g}"
