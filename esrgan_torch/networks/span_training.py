"""SPAN as it is trained: every 3x3 convolution but the last as a sum of branches."""

from dataclasses import asdict
from typing import cast

import torch
from torch import Tensor, nn

from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.reparameterised import (
    Kernel,
    ReparameterisedConvolution,
    TrainingForm,
    merged,
    trainable_branches,
)
from esrgan_torch.networks.span import SPAN, SPANForm


class SPANTraining(SPANForm, TrainingForm):
    """The training form of a `SPAN`; sizes and errors as in `SPANConfig`.

    Parameter names are those of the official files; their `eval_conv`, which is computed from the others, has
    no place here.
    """

    @staticmethod
    def convolution(inputs: int, outputs: int) -> nn.Module:
        return ReparameterisedConvolution(inputs, outputs)

    def fused(self) -> SPAN:
        """The plain network that computes the same; see `TrainingForm.fused`."""
        tensors: dict[str, Tensor] = {}
        for name, convolution in self.convolutions().items():
            if isinstance(convolution, ReparameterisedConvolution):
                kernel = merged(convolution.branches().double())
            else:
                kernel = _kernel(convolution)
            tensors[f"{name}.weight"], tensors[f"{name}.bias"] = kernel
        plain = SPAN(**asdict(self.config)).to(self.conv_cat.weight)
        plain.load_state_dict({name: tensor.detach() for name, tensor in tensors.items()})
        plain.provenance = self.provenance
        return plain.eval().requires_grad_(False)

    @torch.no_grad()
    def adopt(self, plain: Generator) -> None:
        """Start as this `SPAN`; see `TrainingForm.adopt`."""
        if not isinstance(plain, SPAN) or plain.config != self.config:
            sizes = getattr(plain, "config", type(plain).__name__)
            raise RuntimeError(f"{self.config} cannot start as {sizes}")
        for convolution, theirs in zip(
            self.convolutions().values(), plain.convolutions().values(), strict=True
        ):
            if isinstance(convolution, ReparameterisedConvolution):
                kernel = Kernel(*(tensor.double() for tensor in _kernel(theirs)))
                convolution.set_branches(trainable_branches(kernel))
            else:
                convolution.load_state_dict(theirs.state_dict())


def _kernel(convolution: nn.Module) -> Kernel:
    plain = cast(nn.Conv2d, convolution)
    return Kernel(plain.weight, cast(Tensor, plain.bias))
