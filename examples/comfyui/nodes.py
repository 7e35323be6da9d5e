"""The node: ComfyUI's images are tensors (N, H, W, C) of floats from 0 to 1, on the CPU."""

from functools import lru_cache
from typing import Any

import comfy.model_management
import comfy.utils
import torch

from esrgan_torch import Upscaler
from esrgan_weights import registry

STEPS = 1000  # of the bar that ComfyUI shows


class EsrganUpscale:
    """Enlarges images by a published network, or by a file of the user's own."""

    CATEGORY = "image/upscaling"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "upscale"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What ComfyUI shows: the published models by name, where the file's name is empty."""
        return {
            "required": {
                "image": ("IMAGE",),
                "model": (list(registry.models()),),
                "scale": ("FLOAT", {"default": 4.0, "min": 0.25, "max": 16.0, "step": 0.25}),
            },
            "optional": {"file": ("STRING", {"default": ""})},
        }

    def upscale(self, image: torch.Tensor, model: str, scale: float, file: str = "") -> tuple[torch.Tensor]:
        """One image after the other; ComfyUI's button ends it between two blocks of the network."""
        upscaler = _upscaler(file or model, scale, str(comfy.model_management.get_torch_device()))
        bar = comfy.utils.ProgressBar(STEPS * len(image))
        results: list[torch.Tensor] = []
        for number, picture in enumerate(image):

            def tell(share: float, done: int = number) -> None:
                comfy.model_management.throw_exception_if_processing_interrupted()
                bar.update_absolute(round(STEPS * (done + share)))

            batch = picture[None].movedim(-1, 1).contiguous()
            results.append(upscaler(batch, progress=tell).movedim(1, -1))
        return (torch.cat(results),)


@lru_cache(maxsize=1)
def _upscaler(model: str, scale: float, device: str) -> Upscaler:
    """The last one is kept: a workflow that runs again does not load it anew."""
    return Upscaler(model, device, scale=scale)
