"""Make the models in web/test/fixtures: tiny random networks, and what PyTorch makes of pictures with them.

    python web/test/make_fixtures.py      (from the repository's root, with the package's extra for ONNX)

The same seed gives the same files. Beside each model lies `expected.json`: pictures as base64 of RGBA
bytes, given and upscaled by `esrgan_torch.Upscaler`, and one picture's float32 result, not rounded.
"""

import base64
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch

from esrgan_bridge.artifact import metadata_of
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.lowering.onnx_to_tf import lower
from esrgan_bridge.writers.graph_to_tfjs import write_tfjs
from esrgan_torch import CompactNet, RRDBNet, Upscaler
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.span import SPAN

HERE = Path(__file__).parent / "fixtures"
HEIGHT, WIDTH = 15, 18
STORED = "rrdb-x2"  # the model whose weights are stored in other forms too
SIZES = "sizes"  # folder of networks of every scale, without pictures


def networks() -> dict[str, Generator]:
    torch.manual_seed(3)
    return {
        "rrdb-x4": RRDBNet(features=8, blocks=2, growth=4, scale=4),
        "rrdb-x2": RRDBNet(features=8, blocks=1, growth=4, scale=2, unshuffle=2),
        "compact-x4": CompactNet(features=8, convolutions=3, scale=4),
        "span-x2": SPAN(features=8, scale=2),
    }


def of_every_size() -> dict[str, Generator]:
    """The smallest of every scale, for one channel and for three."""
    torch.manual_seed(4)
    return {
        f"compact-x{scale}-{channels}": CompactNet(
            in_channels=channels, out_channels=channels, features=4, convolutions=1, scale=scale
        )
        for scale in (1, 2, 3, 4)
        for channels in (1, 3)
    }


def write(model: Generator, name: str, folder: Path, quantize: str = "none") -> None:
    """One model as TensorFlow.js takes it, in place of what is there."""
    folder.parent.mkdir(exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        graph = lower(export_onnx(model, Path(scratch) / "model.onnx"))
    write_tfjs(graph, folder, metadata_of(model).with_changes(name=f"test-{name}"), quantize)


def enliven(model: Generator) -> None:
    """Weights whose result depends on all that the network sees and lies in 0-1."""
    batch = torch.from_numpy(picture(3)).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 4:
                parameter.mul_(2.0 if isinstance(model, RRDBNet) else 1.5)
        if not isinstance(model, CompactNet):
            last = model.conv_last if isinstance(model, RRDBNet) else model.upsampler[0]
            low, high = np.percentile(model(batch).numpy(), [1, 99])
            last.weight.div_(high - low)
            last.bias.copy_((last.bias - low) / (high - low))


def picture(channels: int) -> np.ndarray:
    generator = np.random.default_rng(5)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [127 + 80 * np.sin(rows / (3 + c)) * np.cos(columns / (4 - c / 2)) for c in range(channels)]
    pixels = np.stack(waves, axis=2) + generator.normal(0, 15, (HEIGHT, WIDTH, channels))
    return pixels.clip(0, 255).astype(np.uint8)


def rgba(pixels: np.ndarray) -> np.ndarray:
    """Any number of channels as the four that a browser knows."""
    height, width, channels = pixels.shape
    alpha = pixels[:, :, -1:] if channels in (2, 4) else np.full((height, width, 1), 255, np.uint8)
    colour = pixels[:, :, : channels - (channels in (2, 4))]
    return np.concatenate([np.broadcast_to(colour, (height, width, 3)), alpha], axis=2)


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def entry(given: np.ndarray, result: np.ndarray) -> dict[str, object]:
    return {
        "width": given.shape[1],
        "height": given.shape[0],
        "given": text(rgba(given)),
        "expected": text(rgba(result)),
    }


def main() -> None:
    for name, model in of_every_size().items():
        write(model.eval(), name, HERE / SIZES / name)
    for name, model in networks().items():
        enliven(model)
        model.eval()
        folder = HERE / name
        write(model, name, folder)
        for kind in ("float16", "uint8") if name == STORED else ():
            write(model, name, HERE / f"{name}-{kind}", kind)
        upscaler = Upscaler(model, device="cpu", dtype="float32", tiling="off")
        transparent = picture(4)
        transparent[:6, :7, 3] = 0
        transparent[9:, 10:, 3] = 255
        gray = picture(1)
        pictures = {"colour": picture(3), "alpha": transparent, "gray": gray}
        document: dict[str, object] = {key: entry(given, upscaler(given)) for key, given in pictures.items()}
        with torch.no_grad():
            batch = torch.from_numpy(picture(3)).permute(2, 0, 1)[None].float() / 255
            floats = model(batch)[0].permute(1, 2, 0).numpy()
        document["floats"] = text(floats.astype("<f4"))
        (folder / "expected.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        low, high = np.percentile(floats, [1, 99])
        print(f"{name}: {low:.2f} to {high:.2f}, {sum(f.stat().st_size for f in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
