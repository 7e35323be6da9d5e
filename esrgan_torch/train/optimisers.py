"""Optimisers, made from a recipe's options."""

import torch
from torch import nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.options import OptimiserOptions

# longer sides of a weight are left as they are: an eigenbasis costs the third power of the side
_LARGEST_SIDE = 2048


def make_adam(network: nn.Module, options: OptimiserOptions) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015), or AdamW (Loshchilov and Hutter 2019) where the options say so.

    AdamW takes rate * weight_decay of each weight away at each step, apart from the gradients.
    """
    parameters = network.parameters()
    if options.kind == "AdamW":
        return torch.optim.AdamW(
            parameters, lr=options.rate, betas=options.betas, weight_decay=options.weight_decay, fused=True
        )
    return torch.optim.Adam(parameters, lr=options.rate, betas=options.betas, fused=True)


def make_optimiser(network: nn.Module, options: OptimiserOptions) -> torch.optim.Optimizer:
    """The generator's optimiser.

    SOAP (Vyas et al. 2024) is Adam in the eigenbasis of Shampoo's two covariances of a weight's gradients. A
    convolution's weight (out, in, kh, kw) counts as the matrix (out, in * kh * kw), the one that multiplies
    patches; biases and PReLU's slopes have plain Adam. The basis follows the gradients every 20 steps, which
    costs about a tenth of a step.

    Raises:
        ConfigError: SOAP's library is not installed.
    """
    if options.kind != "SOAP":
        return make_adam(network, options)
    try:
        from pytorch_optimizer import SOAP
    except ImportError as error:
        raise ConfigError(
            'optimiser.kind = "SOAP" needs pytorch-optimizer: pip install "esrgan-torch[train]"'
        ) from error
    parameters = list(network.parameters())
    groups = [
        {
            "params": [weight],
            "merge_dims": True,
            "max_precondition_dim": min(_matrix_side(weight), _LARGEST_SIDE),
        }
        for weight in parameters
        if weight.dim() > 1
    ]
    groups.append({"params": [vector for vector in parameters if vector.dim() == 1]})
    return SOAP(
        groups,
        lr=options.rate,
        betas=options.betas,
        weight_decay=0,
        precondition_frequency=20,
    )


def _matrix_side(weight: nn.Parameter) -> int:
    """The longer side of the weight as a matrix: up to this length the library merges a tensor's sides."""
    return max(weight.shape[0], weight[0].numel())
