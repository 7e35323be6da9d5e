"""Put a run's result among the weights that come with this project.

    python -m esrgan_benchmarks bundle_weights RUN NAME --licence SPDX --data "..." [--metric Set5="31.0 dB"]

RUN is a folder of `esrgan train`; the moving average of its last checkpoint is stored as float16, with the
recipe, the data, the steps, the metrics and the licence as metadata. What registry.toml needs is printed.
"""

import argparse
from pathlib import Path

from esrgan_torch.networks.base import Provenance
from esrgan_torch.networks.reparameterised import deployed
from esrgan_torch.train.recipe import read_recipe
from esrgan_torch.train.state import latest
from esrgan_weights.cache import BUNDLED, sha256_of
from esrgan_weights.formats.write import save

SOURCE = "trained by this project, docs/training.md"


def bundle(run: Path, name: str, licence: str, data: str, metrics: list[str], folder: Path = BUNDLED) -> Path:
    """Store the moving average of a run's newest checkpoint; returns the file.

    Args:
        run: folder of `esrgan train`.
        name: of the model.
        licence: SPDX name.
        data: the pictures it was trained on, and their terms.
        metrics: such as "Set5=31.0 dB".
        folder: where to store it.

    Raises:
        ConfigError: the folder holds no recipe or no checkpoint.
        WeightsError: the file could not be written.
    """
    state = latest(run)
    recipe = run / "recipe.toml"
    network = read_recipe(recipe).network.build()
    network.load_state_dict(state["ema"])
    network = deployed(network)
    network.provenance = Provenance(name, "basicsr", sha256_of(recipe), licence, SOURCE)
    facts = {
        "recipe": recipe.read_text(encoding="utf-8"),
        "data": data,
        "steps": str(state["step"]),
        "metrics": "; ".join(metrics),
    }
    folder.mkdir(exist_ok=True)
    return save(network, folder / f"{name}.safetensors", dtype="float16", facts=facts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--licence", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--metric", action="append", default=[], metavar="SET=VALUE")
    options = parser.parse_args()
    path = bundle(options.run, options.name, options.licence, options.data, options.metric)
    print(f'name = "{path.name}"\nsize = {path.stat().st_size}\nsha256 = "{sha256_of(path)}"')
