import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from esrgan_cli.upscaling import work
from esrgan_cli.upscaling.tally import remarks
from esrgan_torch.images.files import Frames, read_image
from esrgan_torch.images.picture import Picture
from esrgan_torch.images.reader import Reader
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.tiling.modes import Box, Tile
from esrgan_torch.tiling.plan import Plan
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler
from tests.support.folders import made

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_remarks() -> None:
    tile = Tile(Box(0, 0, 9, 9), Box(0, 0, 9, 9))
    plan = Plan((tile,), 128, 96, 0, True, 1, "whole")
    picture = Picture(np.zeros((9, 9, 3), np.uint8))
    assert remarks(Upscaled(picture, plan, "CPU", "bfloat16", "eager", 0, 0, 1.0)) == []
    cut = replace(plan, exact=False)
    [exact, redone, divided] = remarks(Upscaled(picture, cut, "CPU", "bfloat16", "eager", 2, 3, 1.0))
    assert "NOT EXACT" in exact
    assert "2 tiles were not finite in bfloat16" in redone
    assert "3 tiles did not fit in memory" in divided


def test_half_precision_for_16_bits_is_remarked_with_what_it_costs() -> None:
    plan = Plan((), None, 0, 0, True, 0, "")
    fine = Picture(np.arange(0, 12000, 1000, dtype=np.uint16).reshape(2, 2, 3))
    assert remarks(Upscaled(fine, plan, "CPU", "float32", "native", 0, 0, 1.0)) == []
    [text] = remarks(Upscaled(fine, plan, "CPU", "bfloat16", "eager", 0, 0, 1.0))
    assert "bfloat16" in text
    assert "12 distinct values" in text


def test_several_devices_share_the_files(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.png" for number in range(8)]
    for name in names:
        make_picture(Path("in") / name, 10, 12 + int(name[0]))
    whole = Upscaler.upscale
    users: set[int] = set()

    def slow(self: Upscaler, *arguments: object) -> Upscaled:
        users.add(id(self))
        time.sleep(0.05)
        return whole(self, *arguments)

    monkeypatch.setattr(Upscaler, "upscale", slow)
    assert upscale("in", "-o", "one") == 0
    assert len(users) == 1
    users.clear()
    assert upscale("in", "-o", "two", "--device", "cpu,cpu") == 0
    assert len(users) == 2
    assert made("one") == made("two") == [f"{number}-x4.png" for number in range(8)]
    for name in made("one"):
        np.testing.assert_array_equal(read_image(f"one/{name}").pixels, read_image(f"two/{name}").pixels)


STOPPABLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process of a background shell ignores it
from esrgan_cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("devices", ["cpu", "cpu,cpu"])
def test_stopping_leaves_no_half_file(
    devices: str,
    tmp_path: Path,
    make_picture: MakePicture,
    start_command: Callable[..., "subprocess.Popen[str]"],
) -> None:
    torch.manual_seed(0)
    model = tmp_path / "slow.safetensors"
    save_file(RRDBNet(features=32, blocks=2, growth=16).state_dict(), model)
    for number in range(40):
        make_picture(tmp_path / "in" / f"{number:02}.png", 96, 96)
    output = tmp_path / "out"
    process = start_command(
        STOPPABLE,
        "upscale",
        str(tmp_path / "in"),
        "-o",
        str(output),
        "--model",
        str(model),
        "--device",
        devices,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == "esrgan: stopped"
    results = [Path(line) for line in (first + rest).splitlines()]
    files = sorted(output.rglob("*.png"))
    assert 1 <= len(files) < 40
    assert set(results) <= set(files)
    for path in files:
        assert read_image(path).width == 384
    summary = re.search(r"^(\d+) done, 0 skipped, 0 failed, (\d+) not finished in", errors, re.MULTILINE)
    assert summary is not None
    done, left = int(summary[1]), int(summary[2])
    assert done + left == 40
    # Ctrl-C may come between writing a file, counting it and printing its name
    assert len(results) <= done <= len(files) <= len(results) + len(devices.split(","))


def test_stats_say_what_the_time_went_to(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    for number in range(3):
        make_picture(Path(f"in/{number}.jpg"), 10, 12 + number)
    assert upscale("in", "-o", "out") == 0
    assert "busy" not in capsys.readouterr().err
    assert upscale("in", "-o", "out", "--overwrite", "--stats") == 0
    said = capsys.readouterr().err.splitlines()[-1]
    found = re.fullmatch(
        r"network busy ([\d.]+)% of [\d.]+ s, waited ([\d.]+)% for reading and ([\d.]+)% for writing; "
        r"[\d.e-]+ million pixels read a second",
        said,
    )
    assert found is not None, said
    assert sum(map(float, found.groups())) == pytest.approx(100, abs=0.2)
    assert upscale("in", "-o", "out", "--stats") == 0  # nothing was to be done, and there is nothing to say
    assert "busy" not in capsys.readouterr().err


def test_the_network_goes_on_while_a_result_is_written_and_the_next_picture_read(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        make_picture(Path(f"in/{number}.png"), 10, 12 + number)
    together = threading.Barrier(3, timeout=20)
    read, whole, write = Reader.read_frames, Upscaler.upscale, work.write_coded

    def at(moment: bool) -> None:
        if moment:
            together.wait()  # of the first, second and third picture, at once

    def reading(self: Reader, source: Path) -> Frames:
        at(source.name == "2.png")
        return read(self, source)

    def computing(self: Upscaler, picture: Picture, *others: object) -> Upscaled:
        at(picture.width == 13)
        return whole(self, picture, *others)

    def writing(target: Path, *others: object) -> int:
        at(target.name == "0-x4.png")
        return write(target, *others)

    monkeypatch.setattr(Reader, "read_frames", reading)
    monkeypatch.setattr(Upscaler, "upscale", computing)
    monkeypatch.setattr(work, "write_coded", writing)
    assert upscale("in", "-o", "out") == 0
    assert made("out") == [f"{number}-x4.png" for number in range(4)]
