"""Good files for the tries."""

import os
import subprocess
import sys
from pathlib import Path

from tests.torture.forks import ROOT

MAKE = """
import sys, numpy as np, torch
from pathlib import Path
from safetensors.torch import save_file
from esrgan_torch.images.files import write_image
from esrgan_torch.networks.compact import CompactNet
torch.manual_seed(0)
state = CompactNet(features=8, convolutions=1).state_dict()
save_file(state, "model.safetensors")
torch.save({"params": state}, "model.pth")
Path("pictures").mkdir()
noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
write_image("picture.png", noise[:12, :10])
write_image("pictures/a.png", noise)
write_image("pictures/b.png", noise[::-1])
recipe = Path(sys.argv[1]).read_text().replace('["examples"]', '["%s"]' % Path("pictures").absolute())
Path("recipe.toml").write_text(recipe + "\\n")
from esrgan_cli.main import main
to_onnx = ["convert", "model.safetensors", "--to", "onnx", "--runners", "onnxruntime"]
assert main([*to_onnx, "-o", "conversion"]) == 0
short = ["data.batch=2", "network.convolutions=1", "steps=1", "data.patch=32"]
assert main(["train", "recipe.toml", "-o", "run", *[word for each in short for word in ("--set", each)]]) == 0
Path("rows.jsonl").write_text("")
"""


def make_good(folder: Path) -> dict[str, Path]:
    """Whole files and folders, which every user may read."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = ROOT / "esrgan_torch" / "train" / "recipes" / "smoke.toml"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(
        [sys.executable, "-c", MAKE, str(recipe)],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    names = {
        "model": "model.safetensors",
        "pickle": "model.pth",
        "picture": "picture.png",
        "pictures": "pictures",
        "recipe": "recipe.toml",
        "conversion": "conversion",
        "run": "run",
        "rows": "rows.jsonl",
    }
    return {name: folder / file for name, file in names.items()}
