"""One step of the generator and one of the discriminator, as functions: from a batch to a loss.

They change nothing; the loop takes the gradients and moves the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from esrgan_torch.train.discriminators import Discriminator
from esrgan_torch.train.losses import (
    luma_loss,
    matching_loss,
    perceptual_loss,
    pixel_loss,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    vanilla_discriminator_loss,
    vanilla_generator_loss,
)
from esrgan_torch.train.sharpen import sharpen
from esrgan_torch.train.structure import grid_loss, sharpness_loss
from esrgan_torch.train.vgg import VGG19Features


@dataclass(frozen=True)
class Objective:
    """What the generator is trained for.

    Args:
        pixel, luma, perceptual, adversarial, matching: weights of the losses; 0 leaves one out.
        grid, sharpness: weights of the losses of `grid_loss` and `sharpness_loss`.
        scale: of the generator, the period of that grid.
        judged: side of the part of each picture that the discriminator sees, at a place drawn anew each time;
            0: all of it.
        layers: of VGG19, with their weights in the perceptual loss.
        vgg: needed where `perceptual` is not 0.
        relativistic: the relativistic average GAN of ESRGAN, else the plain one.
        sharpen_targets: all but the adversarial loss compare with sharpened originals (Real-ESRGAN).
        teacher: a network whose results take the originals' place, or None.
    """

    pixel: float = 1.0
    luma: float = 0.0
    perceptual: float = 0.0
    adversarial: float = 0.0
    matching: float = 0.0
    grid: float = 0.0
    sharpness: float = 0.0
    scale: int = 4
    judged: int = 0
    layers: Mapping[str, float] = field(default_factory=dict[str, float])
    vgg: VGG19Features | None = None
    relativistic: bool = True
    sharpen_targets: bool = False
    teacher: nn.Module | None = None


@dataclass(frozen=True)
class GeneratorStep:
    """The loss to minimise, its weighted parts, and the pictures that were made and aimed at."""

    loss: Tensor
    parts: dict[str, Tensor]
    output: Tensor
    target: Tensor


class Judge(nn.Module):
    """A discriminator that sees originals and generated pictures in one call, each as a batch of its own.

    One call, since a wrapper for several processes expects one forward to a backward; batches of their own,
    since batch normalisation would mix them.
    """

    def __init__(self, discriminator: Discriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (N, C, H, W) -> logits of both."""
        return self.discriminator(real), self.discriminator(fake)


def generator_step(
    generator: nn.Module, judge: Judge | None, small: Tensor, large: Tensor, objective: Objective
) -> GeneratorStep:
    """The generator's loss on a batch: L_G = L_percep + λ L_G^Ra + η L1 (Wang et al. 2018, equation 3).

    Args:
        generator: (N, C, h, w) -> (N, C, H, W).
        judge: needed where `objective.adversarial` or `matching` is not 0; its weights should be frozen.
        small, large: the batch, in [0, 1].
        objective: weights and helpers of the losses.
    """
    output = generator(small).float()
    target = large
    if objective.teacher is not None:
        with torch.no_grad():
            target = objective.teacher(small).float().clamp(0, 1)
    with torch.autocast(target.device.type, enabled=False):
        wanted = sharpen(target.float()) if objective.sharpen_targets else target
    parts: dict[str, Tensor] = {}
    if objective.pixel:
        parts["pixel"] = objective.pixel * pixel_loss(output, wanted)
    if objective.luma:
        parts["luma"] = objective.luma * luma_loss(output, wanted)
    if objective.grid:
        parts["grid"] = objective.grid * grid_loss(output, wanted, objective.scale)
    if objective.sharpness:
        parts["sharpness"] = objective.sharpness * sharpness_loss(output, wanted)
    if objective.perceptual:
        assert objective.vgg is not None
        with torch.no_grad():
            features = objective.vgg(wanted)
        parts["perceptual"] = objective.perceptual * perceptual_loss(
            objective.vgg(output), features, objective.layers
        )
    if objective.adversarial or objective.matching:
        assert judge is not None
        parts |= _judged(judge.discriminator, *_parts(output, target, objective.judged), objective)
    return GeneratorStep(torch.stack(list(parts.values())).sum(), parts, output.detach(), target)


def _parts(one: Tensor, other: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The same part of both, at any pixel, drawn by PyTorch's global numbers; all where `side` is 0."""
    if not side:
        return one, other
    height, width = one.shape[2:]
    top = int(torch.randint(height - side + 1, ()))
    left = int(torch.randint(width - side + 1, ()))
    area = (..., slice(top, top + side), slice(left, left + side))
    return one[area], other[area]


def _judged(
    discriminator: Discriminator, output: Tensor, target: Tensor, objective: Objective
) -> dict[str, Tensor]:
    """The weighted losses that take a discriminator."""
    parts: dict[str, Tensor] = {}
    real, maps = None, list[Tensor]()
    if objective.matching or objective.relativistic:  # originals do not matter to the plain one
        with torch.no_grad():
            real, maps = discriminator.judged(target)
    fake, made = discriminator.judged(output)
    if objective.adversarial:
        if objective.relativistic:
            assert real is not None
            lost = relativistic_generator_loss(real, fake)
        else:
            lost = vanilla_generator_loss(fake)
        parts["adversarial"] = objective.adversarial * lost
    if objective.matching:
        parts["matching"] = objective.matching * matching_loss(made, maps)
    return parts


def discriminator_step(judge: nn.Module, real: Tensor, fake: Tensor, objective: Objective) -> Tensor:
    """The discriminator's loss on originals and generated pictures (N, C, H, W)."""
    logits = judge(*_parts(real, fake.detach(), objective.judged))
    if objective.relativistic:
        return relativistic_discriminator_loss(*logits)
    return vanilla_discriminator_loss(*logits)
