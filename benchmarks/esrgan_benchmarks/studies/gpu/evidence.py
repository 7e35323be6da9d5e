"""Which devices the recorded rows of benchmarks/gpu.sh show the kernels right on.

`tuning.VERIFIED` and `tuning.HALO_CAPABILITIES` turn kernels on for all users of a device kind. An entry
there needs the rows of a run, appended to benchmarks/results/gpu.jsonl. Of each device only the run that was
recorded last counts: who changes a kernel records a whole run again.
"""

from collections.abc import Iterable

from esrgan_benchmarks.core.record import Row
from esrgan_torch.engines.cuda.tuning import Capability

BENCHMARK = "gpu"  # the name of the rows' file
KERNELS = frozenset(("clear_border", "conv_rows", "conv_taps", "upsample"))
HALO_KINDS = frozenset(("pair1", "rest", "pair2", "inner", "outer"))
DTYPES = frozenset(("torch.float16", "torch.bfloat16"))
SEEDED = "seeded"
HALO_GAIN = 1.3  # times as fast as the other kernels, else it is not worth a second path
HALO_SIZE = (512, 512)


def verified(rows: Iterable[Row]) -> frozenset[Capability]:
    """Devices with every kernel right, and official weights near enough to float32, in both precisions."""
    return frozenset(
        capability
        for capability, own in _last_runs(rows).items()
        if _right(own, "check", "kernel") == _both(KERNELS)
        and _right(own, "network check", "name") >= _both({"kernels"})
    )


def halo_verified(rows: Iterable[Row]) -> frozenset[Capability]:
    """Devices with every convolution of the halo kernel right, and 1.3 times as fast at 512x512."""
    rows = list(rows)
    right = verified(rows)
    return frozenset(
        capability
        for capability, own in _last_runs(rows).items()
        if capability in right
        and _right(own, "halo check", "kind") == _both(HALO_KINDS)
        and _right(own, "network check", "name") >= _both({"halo kernel"})
        and _gain(own) >= HALO_GAIN
    )


def _last_runs(rows: Iterable[Row]) -> dict[Capability, list[Row]]:
    """Each device's rows of the run that was recorded last."""
    found: dict[Capability, list[Row]] = {}
    for row in rows:
        if "capability" not in row:
            continue  # of a process that ended before it knew the device
        capability = (int(row["capability"][0]), int(row["capability"][1]))
        own = found.setdefault(capability, [])
        if own and own[0]["run"] != row["run"]:
            own.clear()
        own.append(row)
    return found


def _right(rows: list[Row], case: str, name: str) -> set[tuple[str, str]]:
    """Names and precisions of which every row of this case is right; seeded weights show nothing."""
    mine = [row for row in rows if row["case"] == case and row.get("weights") != SEEDED]
    wrong = {(row[name], row["dtype"]) for row in mine if not row["right"]}
    return {(row[name], row["dtype"]) for row in mine} - wrong


def _both(names: Iterable[str]) -> set[tuple[str, str]]:
    return {(name, dtype) for name in names for dtype in DTYPES}


def _gain(rows: list[Row]) -> float:
    """How many times as fast the halo kernel is; 0 where it was not measured."""
    ms = {
        row["name"]: row["ms"]
        for row in rows
        if row["case"] == "network" and (row["height"], row["width"]) == HALO_SIZE
    }
    return ms["kernels"] / ms["halo kernel"] if {"kernels", "halo kernel"} <= ms.keys() else 0.0
