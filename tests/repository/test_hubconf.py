"""`hubconf.py` in a clone: torch.hub finds its entries, and they are this clone's own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import sys, torch
hub = dict(repo_or_dir=sys.argv[1], source="local")
network = torch.hub.load(model="network", name="esrgan-lite-x4", offline=True, **hub)
assert isinstance(network, torch.nn.Module) and not network.training
with torch.inference_mode():
    larger = network(torch.rand(1, 3, 8, 10))
upscaler = torch.hub.load(model="upscaler", name="esrgan-lite-x4", device="cpu", scale=2, **hub)
assert upscaler(larger.clamp(0, 1)).shape == (1, 3, 64, 80)
import esrgan_torch.metrics, esrgan_weights.interpolation  # what is imported later is found too
print(*larger.shape, esrgan_torch.__file__, esrgan_weights.__file__, sep="|")
"""


def test_from_a_clone(tmp_path: Path) -> None:
    """Elsewhere, and whether or not another release is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", CODE, str(ROOT)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=environment)
    *shape, torch_file, weights_file = done.stdout.strip().split("|")
    assert shape == ["1", "3", "32", "40"]
    assert Path(torch_file) == ROOT / "esrgan_torch" / "__init__.py"
    assert Path(weights_file) == ROOT / "weights" / "esrgan_weights" / "__init__.py"
