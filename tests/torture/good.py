"""Good files for the tries; what takes long to make is made when it is asked for."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.torture.forks import ROOT, own_places

START = """
import sys, numpy as np, torch
from pathlib import Path
"""
MAKE = {
    "model": """
from safetensors.torch import save_file
from esrgan_torch.images.files import write_image
from esrgan_torch.networks.compact import CompactNet
torch.manual_seed(0)
state = CompactNet(features=8, convolutions=1).state_dict()
save_file(state, "model.safetensors")
torch.save({"params": state}, "model.pth")
other = CompactNet(features=12, convolutions=1).state_dict()
save_file(other, "other.safetensors")
Path("pictures").mkdir()
noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
write_image("picture.png", noise[:12, :10])
write_image("pictures/a.png", noise)
write_image("pictures/b.png", noise[::-1])
""",
    "packages": """
from tests.torture import packages
Path("packages").mkdir()
Path("packages", packages.WHEEL).write_bytes(packages.wheel())
Path("packages", packages.TARBALL).write_bytes(packages.tarball())
""",
    "film": """
import av
with av.open("film.mkv", "w") as film:
    stream = film.add_stream("ffv1", 25, width=16, height=12, pix_fmt="yuv420p")
    for number in range(110):
        pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), np.uint8)
        film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
    film.mux(stream.encode())
""",
    "conversion": """
from esrgan_cli.main import main
to_onnx = ["convert", "model.safetensors", "--to", "onnx", "--runners", "onnxruntime"]
assert main([*to_onnx, "-o", "conversion"]) == 0
""",
    "run": """
from esrgan_cli.main import main
short = ["data.batch=2", "network.convolutions=1", "steps=1", "data.patch=32"]
assert main(["train", "recipe.toml", "-o", "run", *[word for each in short for word in ("--set", each)]]) == 0
""",
}
NAMES = {
    "model": "model.safetensors",
    "other model": "other.safetensors",
    "pickle": "model.pth",
    "picture": "picture.png",
    "pictures": "pictures",
    "recipe": "recipe.toml",
    "conversion": "conversion",
    "run": "run",
    "rows": "rows.jsonl",
    "packages": "packages",
    "film": "film.mkv",
}


class Good(Mapping[str, Path]):
    """Whole files and folders by their names, which every user may read.

    Args:
        folder: for them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        recipe = (ROOT / "esrgan_torch" / "train" / "recipes" / "smoke.toml").read_text()
        pictures = recipe.replace('["examples"]', f'["{folder / "pictures"}"]')
        (folder / "recipe.toml").write_text(pictures)
        rows = (ROOT / "benchmarks" / "results" / "runtimes.jsonl").read_text().splitlines(keepends=True)
        (folder / "rows.jsonl").write_text("".join(rows[-20:]))
        self._make("model")

    def __getitem__(self, name: str) -> Path:
        path = self._folder / NAMES[name]
        if not path.exists():
            self._make(name)
        return path

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def _make(self, name: str) -> None:
        environment = {
            **os.environ,
            **own_places(self._folder.parent / "made by"),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        subprocess.run(
            [sys.executable, "-c", START + MAKE[name]],
            cwd=self._folder,
            env=environment,
            check=True,
            capture_output=True,
        )
        for path in (self._folder, *self._folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
