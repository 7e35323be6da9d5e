"""Two processes by `accelerate launch`: one is killed, and the run goes on as if it had not been."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from safetensors.torch import load_file

STEPS = 40


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A run of two processes on this machine."""
    launch = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
    ]
    # its way of several processes, with GPUs or not; a port of its own, since other tests may have a run
    launch += ["--multi_gpu", "--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]
    return subprocess.Popen(
        [*launch, "-m", "esrgan_cli", "train", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=folder.parent,
    )


def recipe(photos: Path, folder: Path) -> list[str]:
    settings = {
        "data.folders": f'["{photos}"]',
        "data.cache": folder.parent / "cache",
        "data.patch": 32,
        "data.batch": 2,
        "steps": STEPS,
        "log_every": 5,
        "checkpoint_every": 5,
        "network.features": 8,
        "network.convolutions": 2,
    }
    given = [text for name, value in settings.items() for text in ("--set", f"{name}={value}")]
    return ["smoke", "-o", str(folder), *given]


def ended(run: subprocess.Popen[str]) -> None:
    _, told = run.communicate(timeout=240)
    assert run.returncode == 0, told


def test_a_killed_process_ends_the_run_which_goes_on_bit_for_bit(photos: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    ended(start(whole, *recipe(photos, whole)))

    run = start(killed, *recipe(photos, killed))
    until = time.monotonic() + 240
    while not list(killed.glob("checkpoints/step-*5.pt")):
        assert run.poll() is None, run.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.002)
    [second] = [
        process
        for process in psutil.Process(run.pid).children(recursive=True)
        if process.environ().get("RANK") == "1" and "train" in process.cmdline()
    ]
    second.kill()
    run.communicate(timeout=240)
    assert run.returncode != 0
    assert not (killed / "weights.safetensors").exists()

    ended(start(killed, "--resume", str(killed)))
    ours, theirs = (load_file(folder / "weights.safetensors") for folder in (killed, whole))
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert value.equal(theirs[name]), name
