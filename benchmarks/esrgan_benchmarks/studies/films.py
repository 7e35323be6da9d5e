"""A film enlarged at once, beside what one does without: frames to PNG, the folder, and PNGs to a film.

    python -m esrgan_benchmarks films [--model NAME] [--frames N] [--runs N]

Both ways are the `esrgan` command, at the same network, codec and quality; frames are taken out and put
together by FFmpeg's libraries, as its command does it. The clip pans over a photo: "moving", where each frame
is new, and "on twos", where each is shown twice, as in drawn films.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil

from esrgan_benchmarks.core.load import Watch, available_cores
from esrgan_benchmarks.core.measure import Spread
from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_torch import read_image
from esrgan_torch.images.picture import Pixels

PHOTO = Path(__file__).parents[3] / "examples" / "cat.jpg"
RATE = Fraction(25)
SIZE = (96, 128)  # height and width of a frame
CRF, PRESET = "17", "medium"
_BEARABLE = 0.1  # cores that others may use before a time says little
STEPS = {"moving": 1, "on twos": 2}
"""How often each frame is shown."""


def pan(count: int, held: int) -> list[Pixels]:
    """Frames cut out of the photo, each shown `held` times."""
    photo = read_image(PHOTO).pixels
    height, width = SIZE
    room = photo.shape[0] - height, photo.shape[1] - width
    frames: list[Pixels] = []
    for number in range(count):
        angle = 2 * np.pi * (number // held) / 40
        top, left = (round(room[axis] * (1 + turn(angle)) / 2) for axis, turn in enumerate((np.sin, np.cos)))
        frames.append(np.ascontiguousarray(photo[top : top + height, left : left + width]))
    return frames


def write_film(path: Path, frames: list[Pixels], crf: str = CRF) -> None:
    """H.264 of frames (H, W, 3)."""
    import av

    with av.open(str(path), "w") as film:
        stream: Any = film.add_stream("libx264", rate=RATE, options={"crf": crf, "preset": PRESET})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for pixels in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(cast(Any, pixels), format="rgb24")))
        film.mux(stream.encode(None))


def take_apart(film: Path, folder: Path) -> None:
    """Its frames as PNG files."""
    import av

    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            frame.to_image().save(folder / f"{number:05}.png", compress_level=1)


def put_together(folder: Path, film: Path) -> None:
    """A film of PNG files, one at a time."""
    import av

    paths = sorted(folder.glob("*.png"))
    with av.open(str(film), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"crf": CRF, "preset": PRESET})
        for number, path in enumerate(paths):
            pixels = read_image(path).pixels
            if not number:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cast(Any, pixels), format="rgb24")))
        container.mux(stream.encode(None))


def at_once(clip: Path, folder: Path, model: str) -> int:
    """`esrgan upscale` of the film; bytes on the disk beside the result."""
    target = folder / "at-once.mp4"
    _command(str(clip), "-o", str(target), "--model", model, "--crf", CRF, "--preset", PRESET, "--overwrite")
    return 0


def by_folder(clip: Path, folder: Path, model: str) -> int:
    """The same by way of PNG files, and how many bytes they take."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        small, large = Path(place) / "small", Path(place) / "large"
        small.mkdir()
        take_apart(clip, small)
        _command(str(small), "-o", str(large), "--model", model)
        put_together(large, folder / "by-folder.mp4")
        return sum(path.stat().st_size for part in (small, large) for path in part.glob("*.png"))


WAYS = {"film": at_once, "folder": by_folder}


def measure(case: str, model: str, frames: int, runs: int) -> list[Row]:
    """A row for each way, runs taken in turn."""
    walls: dict[str, list[float]] = {way: [] for way in WAYS}
    processors: dict[str, list[float]] = {way: [] for way in WAYS}
    files: dict[str, int] = {}
    watch = Watch(available_cores())
    watch.load()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        clip = folder / "clip.mp4"
        write_film(clip, pan(frames, STEPS[case]), crf="12")
        for _ in range(runs):
            for way, run in WAYS.items():
                started, before = time.perf_counter(), _processors()
                files[way] = watch.measure(lambda run=run: run(clip, folder, model))
                walls[way].append(time.perf_counter() - started)
                processors[way].append(_processors() - before)
    taken = watch.load().taken
    return [
        {
            "case": case,
            "way": way,
            "network": model,
            "shape": [*SIZE, 3],
            "frames": frames,
            "seconds": Spread.of(walls[way]).as_dict(),
            "processor_seconds": Spread.of(processors[way]).as_dict(),
            "frames_a_second": round(frames / Spread.of(walls[way]).median, 3),
            "temporary_bytes": files[way],
            "others_cores": taken,
        }
        for way in WAYS
    ]


def table(rows: list[Row]) -> str:
    """The rows as a table, for the documentation."""
    rows = latest(rows, "case", "way", "network")
    lines = [
        "| clip | network | way | frames a second | seconds of processors a frame | temporary files |",
        "|---|---|---|---|---|---|",
    ]
    names = {"film": "`esrgan upscale clip.mp4`", "folder": "frames to PNG, the folder, PNGs to a film"}
    lines += [
        f"| {row['case']} | {row['network']} | {names[row['way']]} | {_rate(row)} "
        f"| {row['processor_seconds']['median'] / row['frames']:.3f} "
        f"| {row['temporary_bytes'] / row['frames'] / 1e6:.2f} MB a frame |"
        for row in rows
    ]
    shape, frames = rows[0]["shape"], rows[0]["frames"]
    note = f"{frames} frames of {shape[1]}x{shape[0]} pixels; starting commands and network counts."
    taken = max(row["others_cores"] for row in rows)
    if taken > _BEARABLE:
        note += (
            f" Other programs used {taken:.1f} cores meanwhile, which leaves only the processors' seconds."
        )
    return "\n".join([*lines, "", note, "", measured_on(rows)])


def _rate(row: Row) -> str:
    return f"{row['frames_a_second']:.2f}" if row["others_cores"] <= _BEARABLE else "disturbed"


def _command(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "esrgan_cli", "upscale", *arguments],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _processors() -> float:
    """Seconds of processors of this process, and of those that it started and that have ended."""
    times = psutil.Process().cpu_times()
    children = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return times.user + times.system + children


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="esrgan-lite-x4")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rows: list[Row] = []
    for case in STEPS:
        rows += measure(case, options.model, options.frames, options.runs)
        for row in rows[-len(WAYS) :]:
            print(row, flush=True)
    print(append("films", rows))
