import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from esrgan_cli.paths import Found
from esrgan_cli.upscaling.journal import Record
from esrgan_cli.upscaling.making import Making, making_of
from esrgan_weights import registry

SECOND = 1_000_000_000
NOW = Making("realesrgan-x4plus", {"scale": 4, "tta": True})
SOURCE, RESULT = Found("file", size=10, changed=100 * SECOND), Found("file", size=99, changed=200 * SECOND)
MADE = NOW.record("../in/a.png", SOURCE)


def test_options_at_their_defaults_are_left_out() -> None:
    arguments = dict.fromkeys(("width", "height", "fit", "denoise", "overlap", "background", "quality"))
    given = argparse.Namespace(
        **arguments, model="m", dtype="auto", tile="64", alpha="drop", tta=False, strip=True, lossless=False
    )
    rest = {"tile": "64", "alpha": "drop", "strip": True}
    assert making_of(given, 2.5).options == {"scale": 2.5, **rest}
    given.width, given.denoise = 30, 0.0
    assert making_of(given, None).options == {"width": 30, "denoise": 0.0, **rest}


@pytest.mark.parametrize(
    ("record", "source", "words"),
    [
        (MADE, SOURCE, ""),
        (MADE, replace(SOURCE, changed=SOURCE.changed + SECOND), ""),  # FAT counts in steps of 2 s
        (MADE, replace(SOURCE, changed=SOURCE.changed - 9 * SECOND), "made before its source changed"),
        (MADE, replace(SOURCE, size=11), "made before its source changed"),
        (replace(MADE, source="../in/b.png"), SOURCE, ""),  # the same, moved
        (replace(MADE, source="../in/b.png"), replace(SOURCE, size=11), "made from ../in/b.png"),
        (replace(MADE, model="other"), SOURCE, "made with --model other"),
        (replace(MADE, weights="00"), SOURCE, "made with other weights of realesrgan-x4plus"),
        (replace(MADE, weights=""), SOURCE, ""),
        (
            replace(MADE, options={"scale": 2.5, "alpha": "drop"}),
            SOURCE,
            "made with --scale 2.5, with --alpha drop, without --tta",
        ),
        (None, SOURCE, ""),
        (None, replace(SOURCE, changed=201 * SECOND), "older than its source"),
    ],
)
def test_differences(record: Record | None, source: Found, words: str) -> None:
    assert NOW.difference(record, "../in/a.png", source, RESULT) == words


def test_what_a_model_is_called_and_known_by(tmp_path: Path) -> None:
    published = registry.find("realesrgan-x4plus").alternatives[0].weights.sha256
    assert (NOW.name, NOW.weights) == ("realesrgan-x4plus", published)
    assert Making("RealESRGAN_x4plus", {}).weights == published
    assert Making("https://host.example/m.pth?key=secret", {}).name == "https://host.example/m.pth"
    assert Making("https://host.example/m.pth", {}).weights == ""
    assert Making(str(tmp_path / "missing.pth"), {}).weights == ""
    (tmp_path / "m.param").write_bytes(b"graph")
    (tmp_path / "m.bin").write_bytes(b"numbers")
    network = Making(str(tmp_path / "m.param"), {})
    assert (network.name, network.weights) == ("m.param", hashlib.sha256(b"numbers").hexdigest())
