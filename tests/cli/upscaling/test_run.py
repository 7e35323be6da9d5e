"""One bad name never costs the batch, whatever the console is: by processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MakePicture = Callable[..., Path]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the names and streams of Unix")

LONG = "a" * 250 + ".png"
NO_TEXT = os.fsdecode(b"no\xfftext.png") if sys.platform == "linux" else "text.png"
COMMAND = '"$0" -m esrgan_cli upscale names -o out --device cpu --dtype float32 --model "$1" '


@pytest.fixture
def names(tmp_path: Path, make_picture: MakePicture) -> Path:
    """A folder in which bad names stand beside good ones."""
    folder = tmp_path / "names"
    good = make_picture(folder / "good.png").read_bytes()
    for name in ("猫.png", LONG, NO_TEXT, "two\nlines.png"):
        (folder / name).write_bytes(good)
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.mark.parametrize(
    ("streams", "environment"),
    [
        ("", {"PYTHONIOENCODING": "cp1252"}),
        ("| head -c 1", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
        (">&- 2>&- <&-", {"LC_ALL": "C"}),
    ],
    ids=["cp1252", "C, with a reader that goes away", "closed"],
)
def test_odd_names_on_an_odd_console(
    streams: str, environment: dict[str, str], names: Path, tiny_model: Path
) -> None:
    run = subprocess.run(
        ["sh", "-c", f"{{ {COMMAND}; echo $? >status; }} {streams}", sys.executable, str(tiny_model)],
        cwd=names.parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    made = {path.name for path in (names.parent / "out").glob("[!.]*")}
    made.remove(next(name for name in made if name.startswith("aaaa") and len(name) == 255))
    assert made == {"good-x4.png", "猫-x4.png", "two\nlines-x4.png", Path(NO_TEXT).stem + "-x4.png"}
    assert (names.parent / "status").read_text() == "1\n"
    if "&-" in streams:
        assert run.stdout == run.stderr == b""
        return
    errors = run.stderr.decode()
    for words in (
        "failed: names/gone.png is a link to nowhere.png, which does not exist",
        "failed: names/loop.png is a link that leads in a circle",
        "failed: names/pipe.png is a pipe",
        "its result would be too long for the file system; shortened to aaaa",
        "names/two\\nlines.png: 12 x 10 to 48 x 40",
    ):
        assert words in errors
    assert "5 done, 0 skipped, 3 failed" in errors
    assert "Traceback" not in errors
    if environment.get("PYTHONIOENCODING"):
        assert rb"out/\u732b-x4.png" in run.stdout
        assert os.fsencode("out/" + Path(NO_TEXT).stem) in run.stdout
