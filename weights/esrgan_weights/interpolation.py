"""Network interpolation (Wang et al. 2018, section 3.4): the weights of two networks, mixed.

Between a PSNR-oriented network and a GAN this gives a continuum from faithful to sharp, without
artefacts; between realesr-general-x4v3 and its wdn counterpart it chooses the strength of denoising.
"""

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.networks.base import Generator, Provenance
from esrgan_torch.networks.registry import names
from esrgan_weights.architectures.registry import is_own
from esrgan_weights.checkpoint import build


def interpolate(first: Generator, second: Generator, alpha: float) -> Generator:
    """The network with the weights (1 - alpha) * first + alpha * second.

    Args:
        first, second: two networks of the same architecture and sizes.
        alpha: 0 gives `first`, 1 gives `second`.

    Raises:
        ConfigError: alpha is outside [0, 1].
        WeightsError: the two differ in architecture or sizes.
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha must be between 0 (the first network) and 1 (the second), not {alpha:g}")
    if not is_own(first) or not is_own(second):
        raise WeightsError(
            f"only {names(' and ')} can be interpolated, not {type(first).__name__} and "
            f"{type(second).__name__}"
        )
    if first.config != second.config:
        raise WeightsError(
            f"only networks of the same sizes can be interpolated; given {first.config} and {second.config}"
        )
    other = second.state_dict()
    mixed = {
        name: (1 - alpha) * tensor.detach().cpu().float() + alpha * other[name].detach().cpu().float()
        for name, tensor in first.state_dict().items()
    }
    return build(first.config, mixed, _provenance(first.provenance, second.provenance, alpha))


def _provenance(first: Provenance | None, second: Provenance | None, alpha: float) -> Provenance | None:
    """Both sources; a licence only where both state one."""
    if first is None or second is None:
        return None
    licence = first.licence
    if first.licence != second.licence:
        stated = first.licence and second.licence
        licence = f"{first.licence} AND {second.licence}" if stated else None
    return Provenance(
        name=f"{1 - alpha:g} * {first.name} + {alpha:g} * {second.name}",
        layout="interpolated",
        sha256=f"{first.sha256} {second.sha256}",
        licence=licence,
    )
