"""Make `src/models/model.ts`: the model that comes with tfjs-esrgan, esrgan-lite-x4 as float16, in its JavaScript.

    python web/make_model.py      (from the repository's root, with the package's extra for ONNX)

It is committed, as the kernels' modules are: whoever packs the library needs neither Python nor PyTorch, and
gets the same bytes. `tests/bridge/test_web_model.py` makes it anew and compares. Beside it come pictures for
the tests in other people's projects, `test/projects/expected.json`: one given, and what PyTorch makes of it
with the weights as they are.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.artifact import metadata_of
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.lowering.onnx_to_tf import lower
from esrgan_bridge.writers.graph_to_tfjs import write_tfjs
from esrgan_torch import Upscaler
from esrgan_weights import load

HERE = Path(__file__).parent
TARGET = HERE / "src" / "models" / "model.ts"
EXPECTED = HERE / "test" / "projects" / "expected.json"
NAME = "esrgan-lite-x4"
HEIGHT, WIDTH = 20, 24


def as_typescript() -> str:
    """The text of `src/models/model.ts`, from the weights that come with the Python package."""
    model = load(NAME)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "tfjs"
        graph = lower(export_onnx(model, Path(scratch) / "model.onnx"))
        write_tfjs(graph, folder, metadata_of(model), "float16")
        manifest = (folder / "model.json").read_text(encoding="utf-8")
        shards = {file.name: file.read_bytes() for file in sorted(folder.glob("*.bin"))}
    compact = json.dumps(json.loads(manifest), separators=(",", ":"))
    size = sum(map(len, shards.values()))
    lines = [
        f"// Made by `python web/make_model.py`: {NAME} as float16, {size} bytes of weights.",
        f"export const name = {json.dumps(NAME)};",
        # JSON twice: a text is parsed faster than an object of JavaScript
        f"export const manifest = {json.dumps(compact)};",
        "export const shards: Readonly<Record<string, string>> = {",
        *(
            f"  {json.dumps(file)}: {json.dumps(base64.b64encode(data).decode())},"
            for file, data in shards.items()
        ),
        "};",
        "",
    ]
    return "\n".join(lines)


def expected() -> dict[str, object]:
    """A picture of waves and noise, and four times as large; RGBA bytes as base64."""
    generator = np.random.default_rng(7)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [127 + 90 * np.sin(rows / (3 + c)) * np.cos(columns / (4 - c / 2)) for c in range(3)]
    pixels = np.stack(waves, axis=2) + generator.normal(0, 8, (HEIGHT, WIDTH, 3))
    given = np.dstack([pixels.clip(0, 255), np.full((HEIGHT, WIDTH), 255)]).astype(np.uint8)
    result = Upscaler(load(NAME), device="cpu", dtype="float32", tiling="off")(given[:, :, :3])
    large = np.dstack([result, np.full(result.shape[:2], 255, np.uint8)])
    return {"width": WIDTH, "height": HEIGHT, "given": _text(given), "expected": _text(large)}


def _text(array: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def main() -> int:
    TARGET.write_text(as_typescript(), encoding="utf-8")
    EXPECTED.parent.mkdir(parents=True, exist_ok=True)
    EXPECTED.write_text(json.dumps(expected(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
