"""Files of weights, read by this project and by spandrel, the loader of chaiNNer and ComfyUI.

    python -m esrgan_benchmarks weight_peers [--count N] [--seed N]

Each file is made (`weight_files`), read by both, and both networks are given the same picture. What this
project makes of it must be what the network that was put into the file makes of it, and what spandrel makes.
"""

import argparse
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from esrgan_benchmarks.core.record import Row, append, measured_on, newest
from esrgan_benchmarks.studies.weight_files import Case, cases, network_of, picture_for, write
from esrgan_torch.errors import WeightsError
from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_weights import read_checkpoint

TOLERANCE = 1e-4  # of the largest output: both compute in float32, in another order
EQUAL = "both read it, equal pictures"
RAW = "both read it; spandrel takes the raw weights beside the averaged ones"
HERE = "read here alone"
DIFFERENT = "different pictures"
UNKNOWN = "refused for a reason that is not in the table"
# why a file is refused here: what the message says -> the reason
REFUSALS: Mapping[str, str] = {
    r"it is ESRGAN\+": "refused: ESRGAN+ has other layers than this project's networks",
    r"of scale 3, which this project": "refused: by its name x3, whose tensors are those of x2",
    r"float8 numbers in torch's older format": "refused: torch itself cannot read float8 in its older format",
    r"it is a TorchScript program": "refused: TorchScript is a program, which would be run",
}


def compare(case: Case, folder: Path, peer: Callable[[Path], Any]) -> str:
    """What becomes of one file: EQUAL, RAW, HERE, DIFFERENT, UNKNOWN or a reason of REFUSALS.

    Args:
        case: the file.
        folder: where it is made; it is taken away again.
        peer: reads a file and returns a network; raises what it likes.
    """
    path = write(case, folder)
    picture = picture_for(case)
    try:
        with torch.inference_mode():
            theirs = _answer(peer, path, picture)
            try:
                ours = read_checkpoint(path).build()(picture)  # not `load`, which asks spandrel too
            except WeightsError as error:
                return next((why for what, why in REFUSALS.items() if re.search(what, str(error))), UNKNOWN)
            if not _same(ours, network_of(case)(picture)):
                return DIFFERENT
            if theirs is None:
                return HERE
            if _same(ours, theirs):
                return EQUAL
            return RAW if _same(network_of(case, 1)(picture), theirs) else DIFFERENT
    finally:
        path.unlink()


def _answer(peer: Callable[[Path], Any], path: Path, picture: Tensor) -> Tensor | None:
    try:
        return peer(path)(picture)
    except Exception:  # whatever it raises, it does not read the file
        return None


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(
        (one - other).abs().max() <= TOLERANCE * other.abs().max().clamp(min=1)
    )


def spandrel() -> Callable[[Path], Any]:
    """spandrel's reader of files.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    import_torchvision()
    package: Any = import_module("spandrel")
    loader: Any = package.ModelLoader("cpu")

    def read(path: Path) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return loader.load_from_file(path).model  # the network itself: the loader's object cuts to 0 to 1

    return read


def count(files: Iterable[Case], peer: Callable[[Path], Any]) -> Counter[str]:
    """How many files have each outcome."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in files:
            outcome = compare(case, Path(folder), peer)
            outcomes[outcome] += 1
            if outcome in (DIFFERENT, UNKNOWN):
                print(f"{outcome}: {case}")
    return outcomes


def table(rows: list[Row]) -> str:
    """Rows of this module."""
    rows = newest(rows)
    lines = ["| outcome | files |", "|---|---|"]
    lines += [f"| {row['outcome']} | {row['files']} |" for row in rows]
    lines.append(f"| all | {sum(row['files'] for row in rows)} |")
    return "\n".join(
        [*lines, "", f"spandrel {rows[0]['spandrel']}, seed {rows[0]['seed']}. {measured_on(rows)}"]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--count", type=int, default=640, metavar="N", help="files, beside a few special ones"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    torch.set_num_threads(1)
    outcomes = count(cases(options.count, options.seed), spandrel())
    version: str = import_module("spandrel").__version__
    order = [EQUAL, RAW, HERE, *REFUSALS.values(), UNKNOWN, DIFFERENT]
    rows: list[Row] = [
        {"outcome": outcome, "files": outcomes[outcome], "seed": options.seed, "spandrel": version}
        for outcome in order
    ]
    for row in rows:
        print(f"{row['files']:5}  {row['outcome']}")
    print(append("weight-files", rows))
