"""SPAN in the form that is exported: of operators that every runtime has."""

from dataclasses import asdict
from typing import cast

import torch
from torch import Tensor, nn

from esrgan_torch.networks.export import reorder_outputs, shuffled
from esrgan_torch.networks.span import RGB_MEAN, RGB_RANGE, SPAN


class ExportedSPAN(nn.Module):
    """A SPAN whose last convolution gives its channels as (row, column, colour), for depth_to_space.

    The picture is normalised by a 1x1 convolution: a constant for each channel would be an operator of its
    own.
    """

    def __init__(self, model: SPAN) -> None:
        super().__init__()
        self.scale = model.scale
        clone = SPAN(**asdict(model.config))
        clone.load_state_dict(model.state_dict())
        reorder_outputs(cast(nn.Conv2d, clone.upsampler[0]), model.scale)
        self.net = clone
        self.normalise: nn.Module = nn.Identity()
        if model.config.normalised:
            channels = len(RGB_MEAN)
            self.normalise = nn.Conv2d(channels, channels, 1)
            self.normalise.weight = nn.Parameter(RGB_RANGE * torch.eye(channels)[:, :, None, None])
            self.normalise.bias = nn.Parameter(-RGB_RANGE * torch.tensor(RGB_MEAN))

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> output and features."""
        features = self.net.body(self.normalise(batch))
        return shuffled(features, self.scale), features
