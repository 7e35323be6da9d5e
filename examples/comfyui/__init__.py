"""A node for ComfyUI: copy this folder into its `custom_nodes`, and install esrgan-torch into its Python.

`Upscale (esrgan-torch)` enlarges images in tiles that show no seams, as large as memory allows.
"""

from .nodes import EsrganUpscale

NODE_CLASS_MAPPINGS = {"EsrganUpscale": EsrganUpscale}
NODE_DISPLAY_NAME_MAPPINGS = {"EsrganUpscale": "Upscale (esrgan-torch)"}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
