"""The node: ComfyUI's images are tensors (N, H, W, C) of floats from 0 to 1, on the CPU."""

from functools import lru_cache
from pathlib import Path
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
        upscaler = _upscaler(*_named(file, model), scale, str(comfy.model_management.get_torch_device()))
        bar = comfy.utils.ProgressBar(STEPS * len(image))
        results: list[torch.Tensor] = []
        for number, picture in enumerate(image):

            def tell(share: float, done: int = number) -> None:
                comfy.model_management.throw_exception_if_processing_interrupted()
                bar.update_absolute(round(STEPS * (done + share)))

            # nodes that resize or sharpen give values beyond 0 and 1, which ComfyUI cuts off when it saves
            batch = picture[None].movedim(-1, 1).clamp(0, 1).contiguous()
            results.append(upscaler(batch, progress=tell).movedim(1, -1))
        if not results:
            raise ValueError("there is no image to enlarge: the batch is empty")
        return (torch.cat(results),)

    @classmethod
    def IS_CHANGED(cls, model: str, file: str = "", **_: object) -> tuple[str, int]:
        """What ComfyUI compares: the same file may hold other weights now."""
        return _named(file, model)


def _named(file: str, model: str) -> tuple[str, int]:
    """The model that is meant; of a file also when it was changed."""
    name = file.strip()
    path = Path(name).expanduser()
    return (name, path.stat().st_mtime_ns) if name and path.is_file() else (name or model, 0)


@lru_cache(maxsize=1)
def _upscaler(model: str, changed: int, scale: float, device: str) -> Upscaler:
    """The last one is kept: a workflow that runs again does not load it anew, unless its file has changed."""
    return Upscaler(model, device, scale=scale)
