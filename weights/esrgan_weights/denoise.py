"""How strongly a network removes noise, chosen between two that were trained to (`--denoise`).

Some networks were published with a twin that was trained alike and keeps noise. Their weights mixed give
what lies between (Wang et al. 2019, Deep Network Interpolation): Real-ESRGAN's `-dn`. 1 is the network
itself, 0 its twin.
"""

import os
from pathlib import Path

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.storage.paths import exists, expanded
from esrgan_weights import registry
from esrgan_weights.interpolation import interpolate
from esrgan_weights.registry import Model
from esrgan_weights.sources.resolve import Source, published_model

__all__ = ["check_denoise", "denoising", "ends_of"]


def check_denoise(source: Source, strength: float) -> Model:
    """The model whose noise removal can be chosen.

    Raises:
        ConfigError: the strength is outside [0, 1], or nothing lies between what `source` names and another
            network.
    """
    if not 0 <= strength <= 1:
        raise ConfigError(f"denoise must be from 0 (noise is kept) to 1 (noise is removed), not {strength:g}")
    able = [model for model in registry.models().values() if model.twin]
    name = _name_of(source)
    model = registry.models().get(name)
    if model is not None and model.twin:
        return model
    twins = {other.twin: other.name for other in able}
    if name in twins:
        cause = f"{name} is the end that keeps noise; give {twins[name]}"
    else:
        what = f"{name} has none" if name else "what is given has no name"
        cause = (
            f"{what}; networks that have one: {', '.join(other.name for other in able)}, by name or as a "
            "file that is called as it was published"
        )
    raise ConfigError(
        f"denoise mixes the weights of a network with those of a variant that keeps noise: {cause}"
    )


def ends_of(source: Source, strength: float) -> tuple[Source | None, Source | None]:
    """What to load: the network that removes noise, and the one that keeps it; None for what has no part.

    The twin of a file lies beside it, or else where the twin's name leads.

    Raises:
        ConfigError: see `check_denoise`.
    """
    model = check_denoise(source, strength)
    return source if strength else None, _twin(source, model) if strength < 1 else None


def denoising(first: Generator | None, twin: Generator | None, strength: float) -> Generator:
    """Mix the two networks that `ends_of` returns.

    Raises:
        WeightsError: they are not networks of the same sizes.
    """
    if first is None or twin is None:
        end = first or twin
        assert end is not None
        return end
    return interpolate(twin, first, strength)


def _twin(source: Source, model: Model) -> str | Path:
    if isinstance(source, str | os.PathLike) and not _is_name(source):
        folder = expanded(os.fspath(source)).parent
        for alternative in registry.find(model.twin).alternatives:
            beside = folder / alternative.files[0].name
            if exists(beside):
                return beside
    return model.twin


def _is_name(source: object) -> bool:
    return isinstance(source, str) and published_model(source) is not None


def _name_of(source: Source) -> str:
    """The published model that is meant, by its name or that of its file; else what the source is called."""
    if not isinstance(source, str | os.PathLike):
        return ""
    if isinstance(source, str):
        model = published_model(source)
        if model is not None:
            return model.name
    path = Path(os.fspath(source).split("?")[0])  # what follows in an address may be a key
    known = registry.aliases().get(path.stem, path.stem)
    return known if known in registry.models() else path.name
