"""Convolutions that are trained as a sum of branches and run as one (RepVGG, Ding et al. 2021, and others).

Here the form that SPAN's authors have: a 1x1 convolution beside a 1x1, a 3x3 and a 1x1 in a row, with twice
the channels between and nothing between them. All of it is linear, so one 3x3 convolution computes the same.
"""

from abc import abstractmethod
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.networks.base import Generator

GAIN = 2  # channels between the branch's convolutions, by those outside


class Kernel(NamedTuple):
    """Weight (outputs, inputs, 3, 3) and bias (outputs,) of a convolution."""

    weight: Tensor
    bias: Tensor


class Branches(NamedTuple):
    """Weights and biases of the branches: `sk`, 1x1; `conv.0`, 1x1; `conv.1`, 3x3; `conv.2`, 1x1.

    With c inputs, d outputs and a gain g: (d, c, 1, 1), (g * c, c, 1, 1), (g * d, g * c, 3, 3) and
    (d, g * d, 1, 1); a bias for each.
    """

    sk_weight: Tensor
    sk_bias: Tensor
    first_weight: Tensor
    first_bias: Tensor
    middle_weight: Tensor
    middle_bias: Tensor
    last_weight: Tensor
    last_bias: Tensor

    def double(self) -> "Branches":
        """The same in float64."""
        return Branches(*(tensor.double() for tensor in self))


def merged(branches: Branches) -> Kernel:
    """The one convolution that computes what the branches do, in their precision; gradients pass through.

    It holds at the border too, since the branch pads the picture rather than what its first convolution
    makes of it.
    """
    first = branches.first_weight[:, :, 0, 0]
    last = branches.last_weight[:, :, 0, 0]
    middle = branches.middle_weight
    # the outer convolutions are matrices
    weight = _between(last, middle, first)
    bias = last @ (middle.sum((2, 3)) @ branches.first_bias + branches.middle_bias) + branches.last_bias
    return Kernel(weight + F.pad(branches.sk_weight, (1, 1, 1, 1)), bias + branches.sk_bias)


def exact_branches(kernel: Kernel) -> Branches:
    """Branches whose sum is the convolution, without any rounding: most of their numbers are 0.

    For files that other programs read. They cannot be trained on: what is 0 on both sides stays 0.
    """
    weight, bias = kernel
    outputs, inputs = weight.shape[:2]
    middle = weight.new_zeros(GAIN * outputs, GAIN * inputs, 3, 3)
    middle[:outputs, :inputs] = weight
    return Branches(
        weight.new_zeros(outputs, inputs, 1, 1),
        torch.zeros_like(bias),
        torch.eye(GAIN * inputs, inputs, dtype=weight.dtype)[:, :, None, None],
        weight.new_zeros(GAIN * inputs),
        middle,
        weight.new_zeros(GAIN * outputs),
        torch.eye(outputs, GAIN * outputs, dtype=weight.dtype)[:, :, None, None],
        bias.clone(),
    )


def trainable_branches(kernel: Kernel) -> Branches:
    """Branches whose sum is the convolution up to rounding, and in which every number can be learnt.

    The outer convolutions are orthonormal, drawn from PyTorch's global random numbers; the middle one undoes
    them on both sides.
    """
    weight, bias = kernel
    outputs, inputs = weight.shape[:2]
    first = _orthonormal(GAIN * inputs, inputs).to(weight.dtype)
    last = _orthonormal(GAIN * outputs, outputs).to(weight.dtype).T
    middle = _between(last.T, weight, first.T)
    return Branches(
        weight.new_zeros(outputs, inputs, 1, 1),
        torch.zeros_like(bias),
        first[:, :, None, None],
        weight.new_zeros(GAIN * inputs),
        middle.contiguous(),
        weight.new_zeros(GAIN * outputs),
        last[:, :, None, None].contiguous(),
        bias.clone(),
    )


class ReparameterisedConvolution(nn.Module):
    """A padded 3x3 convolution whose weight is the sum of branches; names as in SPAN's files.

    The branches' weights are merged at each call, and the picture sees one convolution: the same result and
    the same gradients as with the picture sent through every branch, which takes four times the arithmetic.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.sk = nn.Conv2d(inputs, outputs, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, GAIN * inputs, 1),
            nn.Conv2d(GAIN * inputs, GAIN * outputs, 3),
            nn.Conv2d(GAIN * outputs, outputs, 1),
        )

    def branches(self) -> Branches:
        """The parameters themselves."""
        first, middle, last = (cast(nn.Conv2d, layer) for layer in self.conv)
        return Branches(
            self.sk.weight,
            cast(Tensor, self.sk.bias),
            first.weight,
            cast(Tensor, first.bias),
            middle.weight,
            cast(Tensor, middle.bias),
            last.weight,
            cast(Tensor, last.bias),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        # the merged weight is rounded once, as a plain convolution's is, whatever the picture is computed in
        with torch.autocast(features.device.type, enabled=False):
            kernel = merged(self.branches())
        return F.conv2d(features, kernel.weight, kernel.bias, padding=1)

    @torch.no_grad()
    def set_branches(self, branches: Branches) -> None:
        """Take over these numbers."""
        for parameter, value in zip(self.branches(), branches, strict=True):
            parameter.copy_(value)


class TrainingForm(Generator):
    """A network as it is trained, of which a plainer one computes the same."""

    @abstractmethod
    def fused(self) -> Generator:
        """The network that runs: evaluation mode, frozen; merged in float64, then rounded."""

    @abstractmethod
    def adopt(self, plain: Generator) -> None:
        """Start as a network of `fused`'s kind: the same function up to rounding, every number learnable.

        Raises:
            RuntimeError: its sizes are others.
        """


def deployed(network: Generator) -> Generator:
    """The network as it runs: what a training form computes as its plain form, any other as it is."""
    return network.fused() if isinstance(network, TrainingForm) else network


def _between(left: Tensor, weight: Tensor, right: Tensor) -> Tensor:
    """left @ weight @ right at each place of a convolution's weight (outputs, inputs, height, width)."""
    inner = torch.matmul(left, weight.flatten(1)).view(-1, *weight.shape[1:])
    return torch.matmul(inner.permute(0, 2, 3, 1), right).permute(0, 3, 1, 2)


def _orthonormal(rows: int, columns: int) -> Tensor:
    """(rows, columns) float64 with orthonormal columns, at random; at least as many rows as columns."""
    return nn.init.orthogonal_(torch.empty(rows, columns, dtype=torch.float64))
