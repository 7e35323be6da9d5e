"""Tables of the rows about conversions: parity, costs, smaller weights, and what was compared."""

import statistics

from esrgan_benchmarks.core.record import Row, latest, measured_on

WEIGHTS = {"none": "float32"}
PROBES = 7  # of the oldest rows, which do not say it
RUNTIMES = {
    "torch": "PyTorch",
    "onnxruntime": "ONNX Runtime",
    "tensorflow": "TensorFlow",
    "tfjs-node": "TF.js, Node",
    "tfjs-wasm": "wasm",
    "tfjs-webgl": "WebGL",
    "tfjs-webgpu": "WebGPU",
}


def parity(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.conversion`: a line a conversion, a column a runtime."""
    rows = latest(rows, "network", "route", "quantize", "step", "runner")
    conversions: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        made = conversions.setdefault((row["network"], row["route"], row["quantize"]), {})
        made["split " + row["runner"] if row["step"].endswith(" split") else row["runner"]] = row
    lines = [
        f"| network | route | weights | {' | '.join(RUNTIMES.values())} | in tiles | lowest PSNR | size |",
        "|---|---|---|" + "---|" * (len(RUNTIMES) + 3),
    ]
    for network, route, quantize in sorted(conversions, key=_order):
        made = conversions[network, route, quantize]
        cells = [_largest(made[name]) if name in made else "" for name in RUNTIMES]
        tiled = [row["largest"] for name, row in made.items() if name.startswith("split ")]
        copies = [
            row for row in made.values() if row["step"] != "torch" and not row["step"].endswith("split")
        ]
        psnr = min((row["psnr"] for row in copies if row["psnr"] is not None), default=None)
        cells.append("" if not tiled else "equal" if max(tiled) == 0 else f"{max(tiled):.0e}")
        size = next((_megabytes(row["bytes"]) for row in made.values() if row["step"] == "tfjs"), "")
        lines.append(
            f"| {network} | {route} | {WEIGHTS.get(quantize, quantize)} | {' | '.join(cells)} "
            f"| {_quality(psnr)} | {size} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def onnx_files(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.conversion --to onnx`: a line a file."""
    rows = latest(rows, "network", "quantize", "step", "runner")
    lines = [
        "| network | weights | PyTorch | ONNX Runtime | computes in | OpenVINO | computes in | in tiles "
        "| lowest PSNR | size |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    found: dict[tuple[str, str], dict[tuple[str, str], Row]] = {}
    for row in rows:
        found.setdefault((row["network"], row["quantize"]), {})[row["step"], row["runner"]] = row
    for network, quantize in sorted(found, key=lambda key: (key[1] != "none", key[0])):
        made = found[network, quantize]
        files = [row for (step, _), row in made.items() if step == "onnx"]
        psnr = min((row["psnr"] for row in files if row["psnr"] is not None), default=None)
        cells = [network, WEIGHTS.get(quantize, quantize), _largest(made["torch", "torch"])]
        for runner in ("onnxruntime", "openvino"):
            row = made.get(("onnx", runner))
            cells += [_largest(row), row["precision"]] if row else ["", ""]
        tiled = made.get(("onnx split", "onnxruntime"))
        cells.append("" if tiled is None else "equal" if tiled["largest"] == 0 else _largest(tiled))
        lines.append(f"| {' | '.join([*cells, _quality(psnr), _megabytes(files[0]['bytes'])])} |")
    return "\n".join([*lines, "", measured_on(rows)])


def litert_files(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.conversion --to tflite`: a line a file."""
    rows = latest(rows, "network", "quantize", "step", "runner")
    lines = [
        "| network | weights | PyTorch | TensorFlow | LiteRT | in tiles | lowest PSNR | of photos "
        "| converted in | size |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    found: dict[tuple[str, str, str], dict[tuple[str, str], Row]] = {}
    for row in rows:
        found.setdefault((row["network"], "", row["quantize"]), {})[row["step"], row["runner"]] = row
    for network, _, quantize in sorted(found, key=_order):
        made = found[network, "", quantize]
        file, tiled = made["tflite", "litert"], made["tflite split", "litert"]
        cells = [network, WEIGHTS.get(quantize, quantize)]
        cells += [_largest(made[key]) for key in (("torch", "torch"), ("tf", "tensorflow"))]
        cells += [_largest(file), "equal" if tiled["largest"] == 0 else _largest(tiled)]
        cells += [_quality(file["psnr"]), _quality(file["photo_psnr"])]
        lines.append(f"| {' | '.join(cells)} | {file['converted_in']:.0f} s | {_megabytes(file['bytes'])} |")
    return "\n".join([*lines, "", measured_on(rows)])


def _order(conversion: tuple[str, str, str]) -> tuple[bool, bool, str, list[str]]:
    """Official networks first, float32 before smaller weights."""
    network, route, quantize = conversion
    return network.endswith("seeded"), quantize != "none", network, [quantize, route]


def _largest(row: Row) -> str:
    asked = row.get("of_probes", PROBES)
    left_out = "" if row["probes"] == asked else f" ({row['probes']} of {asked})"
    return f"{row['largest']:.0e}{left_out}"


def cost(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.conversion_cost`."""
    rows = latest(rows, "network", "route")
    lines = ["| network | route | time | by step | peak memory |", "|---|---|---|---|---|"]
    for row in rows:
        steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in row["steps"].items())
        lines.append(
            f"| {row['network']} | {row['route']} | {row['seconds']:.1f} s | {steps} "
            f"| {row['peak'] / 1e9:.1f} GB |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def quantization(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.quantization`."""
    rows = latest(rows, "network", "quantize", "photo")
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["network"], row["quantize"]), []).append(row)
    lines = [
        "| network | weights | size | nodes | photos | lowest PSNR | median | largest error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (network, kind), found in groups.items():
        known = [row for row in found if row["psnr"] is not None]
        worst = min(known, key=lambda row: row["psnr"]) if known else None
        lowest = f"{_quality(worst['psnr'])} ({worst['photo']})" if worst else "equal"
        # an equal picture counts as more than any number
        middle = statistics.median_low([row["psnr"] or float("inf") for row in found])
        median = _quality(None if middle == float("inf") else middle)
        levels = max(row["max"] for row in found)
        size = _megabytes(found[-1]["bytes"])
        lines.append(
            f"| {network} | {WEIGHTS.get(kind, kind)} | {size} | {found[-1]['nodes']} | {len(found)} "
            f"| {lowest} | {median} | {levels} level{'' if levels == 1 else 's'} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def lowerings(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.lowering_speed`."""
    rows = [{**row, "side": row["shape"][0]} for row in rows]
    rows = latest(rows, "network", "side")
    lines = ["| network | input | our lowering | onnx-tf | times as fast |", "|---|---|---|---|---|"]
    for row in rows:
        ours, other = (row["seconds"][route]["median"] for route in ("tf", "onnx-tf"))
        lines.append(
            f"| {row['network']} | {row['side']}x{row['side']} | {ours:.2f} s | {other:.2f} s "
            f"| {row['times_as_fast']:.2f} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def upsampling(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.upsampling`."""
    rows = latest(rows, "runtime")
    lines = ["| runtime | input | one 3x3 | four 2x2 | times as fast |", "|---|---|---|---|---|"]
    for row in rows:
        one, phases = (row["seconds"][form]["median"] * 1e3 for form in ("one", "phases"))
        shape = "x".join(map(str, row["shape"]))
        lines.append(
            f"| {row['runtime']} | {shape} | {one:.1f} ms | {phases:.1f} ms "
            f"| {row['phases_times_as_fast']:.2f} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def _quality(psnr: float | None) -> str:
    return "equal" if psnr is None else f"{psnr:.1f} dB"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
