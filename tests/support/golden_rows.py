"""What Python and TypeScript must agree on by rows: `tests/golden/rows.json`.

    python -m tests.support.golden_rows      write it anew, where the native engine runs

`plans`: which strips are planned for which memory, where the trunk takes `pixel` bytes a pixel whole, and
`column` bytes a column and `fixed` more by rows; of strips the first two and the last. `needs`: what the
kernels take, by the same C source, for a height and width in feature pixels and so many threads. `pictures`:
rows of results of the untiled picture. Networks are those of web/test/make_fixtures.py.
"""

import base64
import importlib.util
import json
import re
from math import ceil
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from esrgan_torch import Upscaler
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.errors import OutOfMemoryError
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.modes import Tiling, TilingMode
from esrgan_torch.tiling.plan import SHARE, make_plan

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "rows.json"
NAMES = ("rrdb-x4", "rrdb-x2", "compact-x4", "span-x2")
Case = dict[str, Any]

RRDB_23 = {"scale": 4, "unshuffle": 1, "tailHalo": 2, "receptiveField": 349, "overlap": 96}
RRDB_6 = {"scale": 4, "unshuffle": 1, "tailHalo": 2, "receptiveField": 94, "overlap": 48}
RRDB_X1 = {"scale": 1, "unshuffle": 4, "tailHalo": 2, "receptiveField": 1394, "overlap": 384}
COMPACT = {"scale": 4, "unshuffle": 1, "tailHalo": 0, "receptiveField": 18, "overlap": 18}
SPAN = {"scale": 2, "unshuffle": 1, "tailHalo": 0, "receptiveField": 21, "overlap": 21}
MIB = 2**20
ROWS = {"pixel": 512, "column": 150_000, "fixed": 5_000_000}
# network, height, width, tiling, budget
PLANS: tuple[tuple[dict[str, int], int, int, TilingMode, int], ...] = (
    (RRDB_6, 100, 100, "auto", 64 * MIB),
    (RRDB_6, 3000, 4000, "auto", 640 * MIB),
    (RRDB_6, 3000, 4000, "exact", 640 * MIB),
    (RRDB_6, 3001, 4001, "auto", 512 * MIB),
    (RRDB_6, 3000, 4000, "auto", 64 * MIB),
    (RRDB_6, 3000, 4000, "exact", 64 * MIB),
    (RRDB_6, 3000, 4000, "auto", 32 * MIB),
    (RRDB_23, 3000, 4000, "auto", 640 * MIB),
    (RRDB_23, 3000, 10_007, "auto", 1280 * MIB),
    (RRDB_23, 3000, 10_007, "auto", 256 * MIB),
    (RRDB_23, 3000, 10_007, "exact", 256 * MIB),
    (RRDB_X1, 3000, 8000, "auto", 1400 * MIB),
    (RRDB_X1, 3000, 20_000, "auto", 2200 * MIB),
    (COMPACT, 3000, 4000, "auto", 640 * MIB),
    (COMPACT, 3000, 4000, "auto", 200 * MIB),
    (SPAN, 15_000, 20_000, "auto", 1280 * MIB),
    # one column more than fits
    (SPAN, 5000, 1000, "auto", 155_000_000),
    (SPAN, 5000, 1001, "auto", 155_000_000),
    (COMPACT, 1, 1_000_000, "auto", 64 * MIB),
    (COMPACT, 1_000_000, 1, "auto", 64 * MIB),
    (RRDB_23, 1_000_000, 1, "exact", 4_000_000),
    (RRDB_6, 70_000, 1, "auto", 5_100_000),
    (RRDB_6, 3000, 4000, "auto", 10_000),
    (RRDB_23, 3000, 4000, "exact", 40 * MIB),
)
# a network of one block, as rrdb-x2, keeps its first map in TypeScript, where Python computes it again
SAME_PROGRAM = ("rrdb-x4", "compact-x4", "span-x2")
# height and width in feature pixels, threads
NEEDS = ((1, 1, 1), (1, 50, 2), (50, 1, 2), (203, 21, 1), (203, 21, 2), (128, 1000, 2), (3000, 4001, 4))
PICTURE = (203, 21)  # height and width
SHOWN = 9  # rows of a result


def fixtures() -> ModuleType:
    """The script, which is no package."""
    path = ROOT / "web" / "test" / "make_fixtures.py"
    specification = importlib.util.spec_from_file_location("make_fixtures", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def networks() -> dict[str, Generator]:
    """The networks of the models in web/test/fixtures, by name."""
    script = fixtures()
    found = cast(dict[str, Generator], script.networks())
    for model in found.values():
        script.enliven(model)
        model.eval()
    return found


class Costs:
    """As `rows.json` has them; errors in TypeScript would show as another plan."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def trunk_bytes(self, height: int, width: int) -> int:
        return int(self._case["pixel"]) * height * width

    def tail_bytes(self, height: int, width: int) -> int:
        del height, width
        return 0

    def bytes(self, height: int, width: int, rows: int) -> int:
        del height, rows
        return int(self._case["column"]) * width + int(self._case["fixed"])


def planned(case: Case) -> Case:
    """What is planned for a case."""
    network = case["network"]
    model = SimpleNamespace(
        scale=network["scale"],
        unshuffle=network["unshuffle"],
        tail_halo=network["tailHalo"],
        receptive_field=network["receptiveField"],
        overlap=network["overlap"],
    )
    free = ceil(case["budget"] / SHARE)
    assert int(free * SHARE) == case["budget"]
    costs = Costs(case)
    try:
        plan = make_plan(
            cast(Generator, model),
            costs,
            case["height"],
            case["width"],
            Tiling(case["tiling"]),
            free,
            rows=lambda: costs,
        )
    except OutOfMemoryError:
        return {"refused": True}
    found: Case = {
        "byRows": plan.by_rows,
        "exact": plan.exact,
        "windows": len(plan.windows),
        "memory": plan.memory,
    }
    if plan.by_rows:
        found["strips"] = [
            [tile.core.left, tile.core.width, tile.window.left, tile.window.width]
            for tile in (*plan.windows[:2], plan.windows[-1])
        ]
    return found


def needs(model: Generator, height: int, width: int, threads: int) -> int:
    """Bytes of the trunk by rows, rings of the picture and of the result among them."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        trunk = make_engine(model, torch.device("cpu"), torch.float32, "native").by_rows()
        assert trunk is not None
        return trunk.rows_bytes(height * model.unshuffle, width * model.unshuffle)
    finally:
        torch.set_num_threads(before)


def picture() -> NDArray[np.uint8]:
    """(H, W, 3), by whole numbers that are the same in every language."""
    rows, columns = np.mgrid[0 : PICTURE[0], 0 : PICTURE[1]]
    channels = [(columns * 7) ^ (rows * 5), rows * 3 + columns * columns, (rows * columns) // 3]
    return np.stack([channel % 256 for channel in channels], axis=2).astype(np.uint8)


def shown(result: NDArray[Any]) -> Case:
    """Some of a picture's rows, the first and the last among them, as base64 of RGB bytes."""
    numbers = np.linspace(0, len(result) - 1, SHOWN).astype(int).tolist()
    return {str(row): base64.b64encode(result[row].tobytes()).decode() for row in numbers}


def main() -> None:
    """Write the file."""
    models = networks()
    cases: list[Case] = []
    for network, height, width, tiling, budget in PLANS:
        sizes = {"height": height, "width": width, "tiling": tiling, "budget": budget}
        cases.append({"network": network, **sizes, **ROWS})
    document = {
        "plans": [case | {"plan": planned(case)} for case in cases],
        "needs": [
            {"network": name, "sizes": sizes, "bytes": needs(models[name], *sizes)}
            for name in SAME_PROGRAM
            for sizes in NEEDS
        ],
        "pictures": {
            name: shown(Upscaler(models[name], "cpu", "float32", Tiling("off"))(picture())) for name in NAMES
        },
    }
    # a line a case
    text = json.dumps(document, indent=1)
    text = re.sub(r"\n {3,}", " ", re.sub(r"\n {2}\}", " }", text))
    GOLDEN.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
