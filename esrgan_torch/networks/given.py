"""The network that people mean: itself, or what it can be loaded from."""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from torch import jit, nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator

NetworkSource = Generator | str | os.PathLike[str] | Mapping[str, Any] | IO[bytes]

# The one thing that this package knows of those above it, so that `Upscaler("realesrgan-x4plus")` is one
# import: names, downloads and checkpoints are theirs. It is asked for by its name when no network is given,
# never imported otherwise, and everything else here works without it.
LOADER = "esrgan_weights.loading"


def network_of(given: object, denoise: float | None = None) -> Generator:
    """The network itself, or what `esrgan_weights.load` makes of a name, a path, an address or a state dict.

    Args:
        denoise: see `esrgan_weights.load`.

    Raises:
        ConfigError: something else; a wrapper around a network is named. Or `denoise` beside a network that
            is made already.
        WeightsError: there is no such model or file, see `esrgan_weights.load`.
    """
    if isinstance(given, Generator):
        if denoise is not None:
            raise ConfigError(
                "denoise mixes two files of weights, and this network has its weights already; give the name "
                "or file of a model, or load it with "
                'esrgan_weights.load("realesr-general-x4v3", denoise=0.5)'
            )
        return given
    if isinstance(given, str | os.PathLike | Mapping) or hasattr(given, "read"):
        load: Callable[..., Generator] = import_module(LOADER).load
        source = (
            Path(cast("os.PathLike[str]", given)) if isinstance(given, os.PathLike) else cast(object, given)
        )
        return load(source) if denoise is None else load(source, denoise=denoise)
    kind = type(given).__name__
    if isinstance(given, nn.DataParallel | nn.parallel.DistributedDataParallel):
        cause = f"it is wrapped in {kind}; give model.module, and an Upscaler a device for several"
    elif hasattr(given, "_orig_mod"):
        cause = "it comes from torch.compile; give the network that was compiled"
    elif isinstance(given, jit.ScriptModule):
        cause = "it is compiled by TorchScript; give the network that was traced"
    elif isinstance(given, nn.Module):
        cause = f"a {kind} is another class; give its state dict, model.state_dict()"
    elif isinstance(given, type):
        cause = f"{given.__name__} is a class; give a network made of it, or a model's name"
    else:
        cause = f"a {kind} is none"
    raise ConfigError(f"an Upscaler takes a network of this project, a model's name or a file: {cause}")
