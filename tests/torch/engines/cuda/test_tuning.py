"""What turns kernels on for a device kind has a recorded run behind it."""

import pytest

from esrgan_benchmarks.core import record
from esrgan_benchmarks.studies.gpu.evidence import (
    BENCHMARK,
    DTYPES,
    HALO_KINDS,
    KERNELS,
    halo_verified,
    verified,
)
from esrgan_torch.engines.cuda.tuning import CAPABILITIES, HALO_CAPABILITIES, VERIFIED, table_for

Rows = list[record.Row]
HOPPER = (9, 0)


def recorded() -> Rows:
    path = record.RESULTS / f"{BENCHMARK}.jsonl"
    return record.read_file(path) if path.exists() else []


def run(name: str = "first", halo_ms: float = 10.0) -> Rows:
    """Rows of a run that shows everything right."""
    rows: Rows = []
    for dtype in sorted(DTYPES):
        rows += [{"case": "check", "kernel": kernel, "right": True, "dtype": dtype} for kernel in KERNELS]
        rows += [{"case": "halo check", "kind": kind, "right": True, "dtype": dtype} for kind in HALO_KINDS]
        for each in ("kernels", "halo kernel"):
            official = {"weights": "realesrgan-x4plus", "right": True, "dtype": dtype}
            rows.append({"case": "network check", "name": each, **official})
    for each, ms in (("kernels", 20.0), ("halo kernel", halo_ms)):
        rows.append({"case": "network", "name": each, "height": 512, "width": 512, "ms": ms})
    return [{**row, "capability": list(HOPPER), "run": name} for row in rows]


def test_every_entry_has_its_rows() -> None:
    rows = recorded()
    assert verified(rows) >= VERIFIED, (
        "record the run of benchmarks/gpu.sh that showed the kernels right there"
    )
    assert halo_verified(rows) >= HALO_CAPABILITIES
    assert CAPABILITIES >= VERIFIED >= HALO_CAPABILITIES


def test_an_entry_without_rows_is_found() -> None:
    """The comparison above fails for an entry that somebody makes up."""
    made_up = frozenset({(1, 0)})
    assert not verified(recorded()) >= made_up
    assert not halo_verified(recorded()) >= made_up
    assert not verified(run()) >= made_up


def test_a_whole_run_is_evidence() -> None:
    assert verified(run()) == {HOPPER}
    assert halo_verified(run()) == {HOPPER}
    assert halo_verified(run(halo_ms=16.0)) == frozenset(), "1.25 times as fast is too little"


@pytest.mark.parametrize("case", ["check", "network check"])
@pytest.mark.parametrize("change", [{"right": False}, {"case": "left out"}, {"weights": "seeded"}], ids=str)
def test_a_run_with_a_gap_is_none(case: str, change: dict[str, object]) -> None:
    rows = run()
    place = next(number for number, row in enumerate(rows) if row["case"] == case)
    rows[place] = {**rows[place], **change}
    assert verified(rows) == frozenset()
    assert verified([*rows, *run("second")]) == {HOPPER}
    assert verified([*run("second"), *rows]) == frozenset(), "the run that was recorded last counts"


def test_small_pictures_have_smaller_tiles() -> None:
    table = table_for(HOPPER)
    large, small = (table.for_pixels(side * side).wide.pixels for side in (512, 128))
    assert (large, small) == (256, 128)
    assert [each.wide.pixels for each in table.all_sizes()] == [256, 128]
    assert {each.for_pixels(1) for each in table.all_sizes()} == set(table.all_sizes())
    assert table_for((8, 0)).all_sizes() == [table_for((8, 0))]


def test_layers_with_residuals() -> None:
    table = table_for(HOPPER)
    assert table.conv(192, 64, 1) is table.deep
    assert table.conv(192, 64, 2) is table.conv(64, 64, 1) is table.outer
    assert table.conv(64, 64, 0) is table.conv(128, 64, 0) is table.wide
    assert table.conv(32, 32, 0) is table.narrow
    assert (table.conv(16, 64, 0), table.conv(64, 16, 0)) == (table.first, table.last)
