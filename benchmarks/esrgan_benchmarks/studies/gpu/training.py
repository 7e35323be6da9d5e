"""A training by a recipe on a machine that has a checkout, a `gpu.training_bundle` and so much time.

    python -m esrgan_benchmarks gpu.training RECIPE OUTPUT --seconds N [--from FILE.pt] [--set KEY=VALUE]

OUTPUT gets what the run came to, however it ended: the weights' moving average (NAME.safetensors), the state
that `esrgan train --from` resumes (NAME.pt, of runs without a discriminator), the log and the last
validation.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from esrgan_benchmarks.studies.gpu.training_bundle import PICTURES, VALIDATION, WEIGHTS, WHEELS

ENDING = 30.0  # seconds that a run has to store its checkpoint before it is ended


def command_of(recipe: str, bundle: Path, run: Path, carried: Path | None, settings: list[str]) -> list[str]:
    """`esrgan train` with the bundle's pictures in place of the recipe's."""
    own = [f'data.folders=["{bundle / PICTURES}"]', f"data.validation={bundle / VALIDATION}"]
    command = [sys.executable, "-m", "esrgan_cli", "train", recipe, "--output", str(run)]
    command += ["--from", str(carried)] if carried is not None else []
    for setting in (*own, *settings):
        command += ["--set", setting]
    return command


def environment_of(bundle: Path, cache: Path) -> dict[str, str]:
    """Where packages, pictures and weights are looked for; the bundle itself is left as it is."""
    paths = [os.environ.get("PYTHONPATH", ""), *map(str, sorted((bundle / WHEELS).glob("*.whl")))]
    if (bundle / WEIGHTS).is_dir():
        shutil.copytree(bundle / WEIGHTS, cache, dirs_exist_ok=True)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "ESRGAN_CACHE": str(cache)}


def train_for(command: list[str], seconds: float, environment: dict[str, str]) -> int:
    """Run it; a run that is not done in time is asked to store what it has, as by a scheduler."""
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def collect(run: Path, output: Path, name: str) -> list[Path]:
    """Put what a run came to into a folder; returns the files.

    Raises:
        ConfigError: there is no checkpoint; what the run told is in the folder all the same.
    """
    from esrgan_torch.errors import ConfigError
    from esrgan_torch.networks.reparameterised import deployed
    from esrgan_torch.train.carried import pack
    from esrgan_torch.train.recipe import read_recipe
    from esrgan_torch.train.state import latest
    from esrgan_weights.formats.write import save

    output.mkdir(parents=True, exist_ok=True)
    told = [run / each for each in ("recipe.toml", "log.jsonl", "validation.png")]
    files = [Path(shutil.copy(path, output)) for path in told if path.is_file()]
    state = latest(run)
    network = read_recipe(run / "recipe.toml").network.build()
    network.load_state_dict(state["ema"])
    files += [save(deployed(network), output / f"{name}.safetensors", facts={"steps": str(state["step"])})]
    try:
        pack(run, output / f"{name}.pt")
        files.append(output / f"{name}.pt")
    except ConfigError as error:  # it trains a discriminator too
        print(error, file=sys.stderr)
    return files


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("output", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--from", dest="carried", type=Path)
    parser.add_argument("--bundle", type=Path, default=Path("training-bundle"))
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    name = Path(options.recipe).stem
    bundle = options.bundle.resolve()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = command_of(options.recipe, bundle, run, options.carried, options.settings)
        status = train_for(command, options.seconds, environment_of(bundle, Path(folder) / "cache"))
        for path in collect(run, options.output, name):
            print(f"{path}: {path.stat().st_size:,} bytes")
    return 0 if status in (0, 128 + signal.SIGTERM) else 1
