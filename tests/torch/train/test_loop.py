import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import read_image
from esrgan_torch.networks.span import SPAN
from esrgan_torch.storage import alone
from esrgan_torch.train import keeper
from esrgan_torch.train.journal import make_strip
from esrgan_torch.train.log import read_log
from esrgan_torch.train.loop import train
from esrgan_torch.train.options import Options
from esrgan_torch.train.recipe import as_toml
from esrgan_torch.train.state import latest
from tests.torch.train.settings import ADVERSARIAL, JUDGED, SPAN_SETTINGS

MakeOptions = Callable[..., Options]


def same(one: Any, other: Any) -> bool:
    """Whether nested containers of tensors are equal, bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(*both) for both in zip(one, other, strict=True))
    return one == other


@pytest.mark.parametrize(
    "settings",
    [(), ("optimiser.kind=SOAP",), ADVERSARIAL, SPAN_SETTINGS],
    ids=["pixel", "SOAP", "adversarial", "SPAN"],
)
def test_20_steps_are_10_and_10_more(
    settings: tuple[str, ...], make_options: MakeOptions, tmp_path: Path
) -> None:
    # the cosine goes over 20 steps in both; sharpening needs crops of more than 25 pixels
    options = make_options("steps=20", "checkpoint_every=10", "ema=0.9", "data.patch=32", *settings)
    whole = train(options, tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stop(folder: Path, step: int, state: Any, keep: int) -> None:
        store(folder, step, state, keep)
        if step == 10:
            raise Stopped

    store = keeper.store
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "store", stop)
        with pytest.raises(Stopped):
            train(options, tmp_path / "parts")
    resumed = train(options, tmp_path / "parts", resume=True)
    assert same(dict(resumed.state_dict()), dict(whole.state_dict()))
    assert same(latest(tmp_path / "parts"), latest(tmp_path / "whole"))


def test_training_learns_and_tells(make_options: MakeOptions, photos: Path, tmp_path: Path) -> None:
    options = make_options(
        "steps=60",
        "log_every=20",
        f"data.validation={photos}",
        "validate_every=20",
        "data.batch=8",
        "ema=0.8",
    )
    network = train(options, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    quality = [line["psnr"] for line in lines if "psnr" in line]
    assert all(10 < line["psnr_rgb"] < line["psnr"] for line in lines if "psnr" in line)
    assert len(losses) == len(quality) == 3
    assert losses[-1] < losses[0]
    assert quality[-1] > quality[0]
    assert all(0 <= line["waiting"] < 1 and line["steps_a_second"] > 0 for line in lines if "loss" in line)
    assert (tmp_path / "run" / "recipe.toml").read_text() == as_toml(options)
    assert read_image(tmp_path / "run" / "validation.png").pixels.shape == (256, 4 * 256, 3)
    assert not network.training


def test_features_of_the_discriminator_are_matched(make_options: MakeOptions, tmp_path: Path) -> None:
    settings = ("steps=2", "log_every=1", "seed=3", *JUDGED)
    for name, own in (("with", ("losses.matching=0.1",)), ("without", ())):
        train(make_options(*settings, *own), tmp_path / name, progress=False)
    matched, plain = (read_log(tmp_path / name) for name in ("with", "without"))
    assert all(line["matching"] > 0 for line in matched)
    assert not any("matching" in line for line in plain)
    # the same losses at first; then the weights go another way
    assert matched[0]["adversarial"] == plain[0]["adversarial"]
    assert matched[1]["adversarial"] != plain[1]["adversarial"]


def test_the_last_checkpoints_are_kept(make_options: MakeOptions, tmp_path: Path) -> None:
    train(make_options("steps=5", "checkpoint_every=1", "keep=2"), tmp_path / "run")
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step-00000004.pt", "step-00000005.pt"]


def test_two_processes_do_not_train_into_one_folder(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "PATIENCE", 0.1)
    run = tmp_path / "run"
    run.mkdir()
    with alone.alone_in(run), pytest.raises(ConfigError, match="another process trains into"):
        train(make_options("steps=1"), run, progress=False)
    assert [path.name for path in run.iterdir()] == [alone.LOCK]
    train(make_options("steps=1"), run, progress=False)
    assert latest(run)["step"] == 1


def test_a_gradient_is_clipped(make_options: MakeOptions, tmp_path: Path) -> None:
    # Adam's first moment after one step is (1 - beta) times the gradient
    train(make_options("steps=1", "optimiser.clip=1e-3"), tmp_path / "run")
    moments = latest(tmp_path / "run")["optimiser"]["state"].values()
    norm = torch.stack([state["exp_avg"].norm() for state in moments]).norm().item()
    assert norm == pytest.approx(0.1 * 1e-3, rel=1e-2)


def test_bfloat16_and_tensorboard(make_options: MakeOptions, photos: Path, tmp_path: Path) -> None:
    options = make_options(
        "precision=bfloat16", "tensorboard=true", f"data.validation={photos}", *ADVERSARIAL
    )
    train(options, tmp_path / "run")
    parts = {"loss", "pixel", "perceptual", "adversarial", "discriminator"}
    line = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[0])
    assert parts <= line.keys()
    [events] = (tmp_path / "run" / "tensorboard").iterdir()
    written = events.read_bytes()
    assert all(name.encode() in written for name in (*parts, "validation", "psnr"))


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # its own
def test_compiled_steps_are_those_of_eager_ones(make_options: MakeOptions, tmp_path: Path) -> None:
    settings = ("optimiser.clip=0", "losses.luma=0.5")
    eager = train(make_options(*settings), tmp_path / "eager")
    compiled = train(make_options(*settings, "compiled=true"), tmp_path / "compiled")
    for (name, ours), (other, theirs) in zip(
        compiled.state_dict().items(), eager.state_dict().items(), strict=True
    ):
        assert name == other
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_branches_are_trained_and_the_plain_network_is_given(
    make_options: MakeOptions, photos: Path, tmp_path: Path
) -> None:
    options = make_options(*SPAN_SETTINGS, "steps=12", "log_every=4", f"data.validation={photos}", "ema=0.8")
    network = train(options, tmp_path / "run")
    assert isinstance(network, SPAN)
    trained = options.network.build()
    trained.load_state_dict(latest(tmp_path / "run")["ema"])
    batch = torch.rand(1, 3, 9, 7)
    with torch.no_grad():
        torch.testing.assert_close(network(batch), trained(batch), rtol=0, atol=1e-5)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0]
    # and goes on from the plain one, in branches again
    further = train(
        make_options(*SPAN_SETTINGS, "steps=1", "optimiser.rate=1e-9"), tmp_path / "on", initial=network
    )
    for name, tensor in further.state_dict().items():
        torch.testing.assert_close(tensor, network.state_dict()[name], rtol=0, atol=1e-5)


def test_a_teacher_takes_the_originals_place(make_options: MakeOptions, tmp_path: Path) -> None:
    torch.manual_seed(1)
    teacher = CompactNet(4, 1)
    with torch.no_grad():
        teacher.body[-1].get_parameter("bias").fill_(9.0)  # white, whatever it is shown
    settings = ("steps=30", "optimiser.rate=2e-2", "optimiser.clip=0", "ema=0")
    network = train(make_options(*settings), tmp_path / "run", teacher=teacher.eval())
    with torch.no_grad():
        assert network(torch.full((1, 3, 8, 8), 0.5)).mean() > 0.7


def test_two_processes_move_the_weights_as_one_does(make_options: MakeOptions, tmp_path: Path) -> None:
    options = make_options("steps=2", "optimiser.clip=0", "data.workers=0")
    train(options, tmp_path / "one")
    (tmp_path / "own.toml").write_text(as_toml(options))
    code = (
        "import sys; from pathlib import Path; import torch; torch.set_num_threads(1)\n"
        "from esrgan_torch.train.loop import train; from esrgan_torch.train.recipe import read_recipe\n"
        "train(read_recipe(sys.argv[1]), Path(sys.argv[2]))"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "own.toml"), str(tmp_path / "two")],
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
            }
            | shared,
        )
        for rank in range(2)
    ]
    assert [process.wait(100) for process in processes] == [0, 0]
    one, two = latest(tmp_path / "one"), latest(tmp_path / "two")
    # Adam's moments are sums of gradients, so equal moments are equal gradients
    for ours, theirs in zip(
        one["optimiser"]["state"].values(), two["optimiser"]["state"].values(), strict=True
    ):
        assert torch.allclose(ours["exp_avg"], theirs["exp_avg"], rtol=1e-4, atol=1e-9)
        assert torch.allclose(ours["exp_avg_sq"], theirs["exp_avg_sq"], rtol=1e-3, atol=1e-14)


def test_a_strip_of_middles() -> None:
    large, small = np.full((20, 30, 3), 1, np.uint8), np.full((4, 6, 3), 2, np.uint8)
    strip = make_strip([large, small], 8)
    assert strip.shape == (8, 16, 3)
    assert (strip[:, :8] == 1).all()
    assert (strip[:4, 8:14] == 2).all()
    assert not strip[4:, 8:].any()


@pytest.mark.parametrize(
    "settings", [(), ("optimiser.kind=AdamW", *JUDGED, "data.patch=32")], ids=["Adam", "AdamW, GAN"]
)
def test_float16_with_scaled_losses_goes_on_as_it_was(
    settings: tuple[str, ...], make_options: MakeOptions, tmp_path: Path
) -> None:
    options = make_options("precision=float16", "steps=4", "checkpoint_every=2", *settings)
    whole = train(options, tmp_path / "whole")
    state = latest(tmp_path / "whole")
    assert state["scalers"][0]["scale"] > 1
    assert state["scalers"][0]["_growth_tracker"] > 0
    shutil.copytree(tmp_path / "whole", tmp_path / "parts")
    (tmp_path / "parts" / "checkpoints" / "step-00000004.pt").unlink()
    resumed = train(options, tmp_path / "parts", resume=True)
    assert same(dict(resumed.state_dict()), dict(whole.state_dict()))
    assert same(latest(tmp_path / "parts"), state)


def test_lines_outside_a_terminal_and_nothing_where_it_is_to_be_quiet(
    make_options: MakeOptions, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = make_options("steps=4", "log_every=2", f"data.validation={photos}", *JUDGED)
    train(options, tmp_path / "run")
    told = capsys.readouterr().err
    number = r"[\d.e+-]+"
    assert re.search(
        rf"^step 2/4 \(50%\), 0:00:\d\d left, rate {number}, loss {number}, pixel {number}, "
        rf"adversarial {number}, discriminator {number}, waiting \d+%, {number} MP/s, {number} steps/s, "
        r"8 crops$",
        told,
        re.MULTILINE,
    )
    assert f"validation: {photos.name}, 4 pictures, low-resolution ones made from the originals" in told
    assert re.search(rf"^validation after step 4: {photos.name} \d+\.\d\d dB, 0\.\d+$", told, re.MULTILINE)
    train(make_options("steps=2"), tmp_path / "quiet", progress=False)
    assert capsys.readouterr().err == ""
