"""VGG19's convolutions (Simonyan and Zisserman 2014), the eye of the perceptual loss.

The stack is written out here, under the names of torchvision's `vgg19().features`, so that its published
file loads without torchvision: torchvision's wheels on PyPI are tied to CUDA builds of PyTorch, and nothing
else of it is needed.
"""

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from esrgan_torch.errors import ConfigError, WeightsError

# torchvision.models.VGG19_Weights.IMAGENET1K_V1; the last eight hex digits of its SHA-256 are in the name
IMAGENET_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
IMAGENET = "imagenet"
RANDOM = "random"

_CHANNELS = (64, 128, 256, 512, 512)
_CONVOLUTIONS = (2, 2, 4, 4, 4)


def layer_indices() -> dict[str, int]:
    """Where each convolution stands in the stack: conv1_1 is 0, conv5_4 is 34."""
    indices: dict[str, int] = {}
    place = 0
    for group, convolutions in enumerate(_CONVOLUTIONS, 1):
        for number in range(1, convolutions + 1):
            indices[f"conv{group}_{number}"] = place
            place += 2  # a ReLU follows each convolution
        place += 1  # a pooling follows each group
    return indices


class VGG19Features(nn.Module):
    """What VGG19 computes at some of its convolutions, before their activations.

    ESRGAN compares before the activation (Wang et al. 2018, section 3.3): behind it most of conv5_4 is 0.

    Args:
        layers: names such as "conv5_4".
        weights: a file of torchvision's VGG19 (the whole network's or the features' state dict),
            "imagenet" to download it once by torch.hub, or "random" for tests.

    Raises:
        ConfigError: an unknown layer, or no layers.
        WeightsError: the file is missing, damaged or of another network.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, layers: list[str], weights: str = IMAGENET) -> None:
        super().__init__()
        indices = layer_indices()
        unknown = [layer for layer in layers if layer not in indices]
        if unknown or not layers:
            raise ConfigError(
                f"layers of VGG19 are {', '.join(indices)}; given: {', '.join(layers) or 'none'}"
            )
        self.layers = {indices[layer]: layer for layer in layers}
        stack: list[nn.Module] = []
        channels = 3
        for width, convolutions in zip(_CHANNELS, _CONVOLUTIONS, strict=True):
            for _ in range(convolutions):
                # not in place: the activation would overwrite what is compared
                stack += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=False)]
                channels = width
            stack.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*stack)
        if weights != RANDOM:
            self._load(weights)
        # layers behind the last one that is asked for have no use
        del self.features[max(self.layers) + 1 :]
        # ImageNet's statistics, by which the network was trained
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False
        )
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) in [0, 1] -> for each layer (N, C, h, w); h and w are halved at each pooling."""
        found: dict[str, Tensor] = {}
        features = (batch - self.mean) / self.deviation
        for index, layer in enumerate(self.features):
            features = layer(features)
            if index in self.layers:
                found[self.layers[index]] = features
        return found

    def _load(self, weights: str) -> None:
        if weights == IMAGENET:
            try:
                state = torch.hub.load_state_dict_from_url(
                    IMAGENET_URL, map_location="cpu", check_hash=True, weights_only=True
                )
            except (OSError, RuntimeError) as error:
                raise WeightsError(
                    f"VGG19's weights could not be downloaded from {IMAGENET_URL}: {error}; download it "
                    "yourself and give its path as losses.vgg"
                ) from error
        else:
            path = Path(weights)
            if not path.is_file():
                raise WeightsError(f"{path}: there is no such file of VGG19's weights ({IMAGENET_URL})")
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
            except Exception as error:  # torch.load raises whatever pickle and zipfile do
                raise WeightsError(f"{path} cannot be read as VGG19's weights: {error}") from error
        known = {f"features.{name}" for name in self.features.state_dict()}
        state = cast("dict[str, Tensor]", state)
        if not any(name.startswith("features.") for name in state):
            state = {f"features.{name}": value for name, value in state.items()}
        found = {name.removeprefix("features."): value for name, value in state.items() if name in known}
        try:
            self.features.load_state_dict(found)
        except RuntimeError as error:
            raise WeightsError(f"{weights} holds weights of another network than VGG19: {error}") from error
