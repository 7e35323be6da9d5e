"""The losses of ESRGAN and Real-ESRGAN, each a function with its equation.

x is a low-resolution picture, G(x) what the generator makes of it, y the original, C(.) the discriminator's
logit, σ the sigmoid, E a mean over the batch.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.images.luma import luma

_LEAST = 1e-6  # of a map that is 0 all over


def pixel_loss(output: Tensor, target: Tensor) -> Tensor:
    """L1 = E |G(x) - y|, the mean over all pixels and channels (Wang et al. 2018, section 3.3).

    Args:
        output, target: (N, C, H, W), any float type; the mean is taken in float32.

    Returns:
        A scalar.
    """
    return F.l1_loss(output.float(), target.float())


def luma_loss(output: Tensor, target: Tensor) -> Tensor:
    """L1 of luma: E |w · (G(x) - y)|, w the weights of red, green and blue, see `esrgan_torch.images.luma`.

    Benchmarks compare luma (Y), so SRCNN, FSRCNN and VDSR were trained on it alone. A wrong colour that is as
    bright as the right one costs nothing here, hence some `pixel_loss` beside it.

    Args:
        output, target: (N, 3, H, W), any float type; the mean is taken in float32.

    Returns:
        A scalar.
    """
    return F.l1_loss(luma(output.float()), luma(target.float()))


def perceptual_loss(
    output: Mapping[str, Tensor], target: Mapping[str, Tensor], weights: Mapping[str, float]
) -> Tensor:
    """L_percep = Σ_l w_l E |φ_l(G(x)) - φ_l(y)|, φ_l the features of VGG19 before the activation.

    ESRGAN takes conv5_4 alone (section 3.3); Real-ESRGAN five layers (Wang et al. 2021, section 4.1). The
    distance is L1, as in BasicSR's recipes of both.

    Args:
        output, target: features by layer, as `esrgan_torch.train.vgg.VGG19Features` gives them.
        weights: w by layer.

    Returns:
        A scalar.
    """
    terms = [weight * F.l1_loss(output[layer], target[layer].detach()) for layer, weight in weights.items()]
    return torch.stack(terms).sum()


def matching_loss(output: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """L_match = Σ_l E |f_l(G(x)) - f_l(y)| / E |f_l(y)| / L: feature matching (Wang et al. 2018, pix2pixHD).

    f_l are the L maps of the discriminator, which takes the place of VGG19: what it looks at to tell the two
    apart. Each is divided by its own size, so that layers count alike, whatever their weights.

    Args:
        output, target: the discriminator's maps of generated pictures and of originals.

    Returns:
        A scalar; gradients flow through `output` alone.
    """
    terms = [
        F.l1_loss(made.float(), wanted.detach().float()) / (wanted.detach().float().abs().mean() + _LEAST)
        for made, wanted in zip(output, target, strict=True)
    ]
    return torch.stack(terms).mean()


def relativistic_generator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """L_G^Ra = -E[log(1 - D(y, G(x)))] - E[log D(G(x), y)], D(a, b) = σ(C(a) - E C(b)): equation 2.

    Halved, as BasicSR has it, with which the paper's weight of 5e-3 was published as a recipe.

    Args:
        real, fake: logits of originals and of generated pictures, of one shape.

    Returns:
        A scalar; gradients flow through `fake` alone.
    """
    real = real.detach()
    return (_cross_entropy(real - fake.mean(), 0.0) + _cross_entropy(fake - real.mean(), 1.0)) / 2


def relativistic_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """L_D^Ra = -E[log D(y, G(x))] - E[log(1 - D(G(x), y))]: equation 1, halved as above.

    As in BasicSR, no gradient flows through the means.

    Args:
        real, fake: logits of originals and of generated pictures, of one shape.

    Returns:
        A scalar.
    """
    fooled = _cross_entropy(real - fake.detach().mean(), 1.0)
    caught = _cross_entropy(fake - real.detach().mean(), 0.0)
    return (fooled + caught) / 2


def vanilla_generator_loss(fake: Tensor) -> Tensor:
    """L_G = -E[log σ(C(G(x)))] (Goodfellow et al. 2014, non-saturating), as Real-ESRGAN has it.

    Args:
        fake: logits, of any shape.

    Returns:
        A scalar.
    """
    return _cross_entropy(fake, 1.0)


def vanilla_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """L_D = -E[log σ(C(y))] - E[log(1 - σ(C(G(x))))].

    Args:
        real, fake: logits, of any shape.

    Returns:
        A scalar.
    """
    return _cross_entropy(real, 1.0) + _cross_entropy(fake, 0.0)


def _cross_entropy(logits: Tensor, truth: float) -> Tensor:
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))
