"""LPIPS: how different two pictures look, by the features of a network (Zhang et al. 2018)."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.torchvision_import import import_torchvision

NETWORK = "alex"  # the authors' advice where LPIPS is used to compare pictures


class Lpips:
    """Distance of two pictures: 0 for equal ones, about 0.1 to 0.6 for super-resolution; lower is better.

    AlexNet's weights for ImageNet come from torchvision, which downloads them once (244 MB).

    Args:
        device: where it is computed.

    Raises:
        ConfigError: torchmetrics or torchvision is missing or does not start, or the weights cannot be had.

    Example:
        >>> distance = Lpips()  # doctest: +SKIP
        >>> distance(picture, original)  # doctest: +SKIP
        0.1834
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        try:
            import_torchvision()
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

            metric: Any = LearnedPerceptualImagePatchSimilarity(net_type=NETWORK, normalize=True)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f'LPIPS needs torchmetrics and torchvision ({error}): pip install "esrgan-torch[lpips]"'
            ) from error
        except RuntimeError as error:
            raise ConfigError(
                f"LPIPS: torchvision does not start ({error}); its build has to be that of PyTorch "
                f"{torch.__version__}"
            ) from error
        except OSError as error:
            raise ConfigError(
                f"LPIPS: AlexNet's weights could not be downloaded ({error}); where there is a "
                f"connection, torchvision "
                f"stores them in {torch.hub.get_dir()}/checkpoints, and from there they may be copied"
            ) from error
        self._device = torch.device(device)
        self._metric = metric.eval().to(self._device)

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
        """Both (H, W, 3), RGB, of one size; sides of at least 32 pixels."""
        distance = self._metric(self._batch(image), self._batch(original)).item()
        self._metric.reset()  # it would keep a mean over all pairs
        return distance

    def _batch(self, image: NDArray[np.uint8]) -> torch.Tensor:
        values = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        return values.to(self._device).float().div_(255)
