"""Sentences about runtimes, made from the rows of `esrgan bench`, so that none says more than they do."""

from collections.abc import Callable, Iterable
from functools import cache

from esrgan_benchmarks.bench.runtime_tables import (
    BASELINE,
    best_ceilings,
    by_setting,
    current,
    is_reference,
    pixels,
    quality_rows,
    rate_of,
)
from esrgan_benchmarks.core.record import Row

LIBRARY = "esrgan-torch"
DEFAULT = "realesrgan-x4plus"
EAGER = "esrgan-torch-eager"
EAGER_ENGINE = "eager"  # as rows name it
NATIVE = "esrgan-torch-native"
SCRIPTED = ("tfjs-wasm-threads", "onnxruntime-web", "tfjs-wasm", "tfjs-node", "tfjs-webgl", "tfjs-webgpu")


def choice(rows: list[Row]) -> str:
    """Machine by machine: how fast this library is beside the reference and the fastest other."""
    parts = [_of_machine(mine) for mine in by_setting(rows)]
    if not any(row["runtime"] == NATIVE and not row.get("disturbed") for row in rows):
        parts.append(f"No row is of the native engine yet (`{NATIVE}`).")
    return "\n\n".join(part for part in parts if part)


def newest_choice(rows: list[Row]) -> str:
    """The same of the machine that measured last, with all the instructions that it has."""
    free = [row for row in rows if row.get("isa") is None]
    return choice(by_setting(free)[0]) if free else ""


def headline(rows: list[Row]) -> str:
    """One figure: the default network's largest picture on the newest machine, beside the reference.

    Both are of the same run, and the library's is its time as it comes or that of its native engine.
    """
    free = [row for row in rows if row.get("isa") is None]
    newest = _quiet(by_setting(free)[0]) if free else []
    pairs = [
        (mine, reference)
        for column in _columns(row for row in newest if row["network"] == DEFAULT)
        for reference in column
        if is_reference(reference)
        for mine in column
        if mine["run"] == reference["run"] and mine["runtime"] in (LIBRARY, NATIVE)
    ]
    if not pairs:
        return ""
    mine, reference = max(pairs, key=lambda pair: (pixels(pair[0]), -_median(pair[0])))
    return (
        f"{DEFAULT} enlarges {mine['shape_text']} pixels in {_digits(_median(mine))} s on a processor "
        f"({mine['processor']}, {mine['threads_asked']} threads, {mine['date']}); PyTorch, as published code "
        f"runs the network, takes {_digits(_median(reference))} s."
    )


def _of_machine(rows: list[Row]) -> str:
    chosen = _quiet(rows)
    bullets = [
        sentence
        for kind in sorted({_architecture(row["network"]) or "" for row in chosen} - {""})
        for dtype in ("float32", "bfloat16")
        if (sentence := _kind(kind, dtype, chosen)) is not None
    ]
    if not bullets:
        return ""
    first = chosen[0]
    held = f" held to {first['isa'].upper()}" if first["isa"] else ""
    dates = " and ".join(sorted({row["date"] for row in chosen}))
    title = f"{first['processor']}{held}, {_bfloat16(first)} bfloat16 arithmetic"
    return f"**{title}, {first['threads_asked']} threads**, {dates}:\n\n" + "\n".join(bullets)


def _kind(kind: str, dtype: str, rows: list[Row]) -> str | None:
    of_reference: list[float] = []
    of_ours: list[float] = []
    names: list[str] = []
    alone: list[float] = []
    inputs: list[str] = []
    columns = _columns(row for row in rows if _architecture(row["network"]) == kind)
    for column in sorted(columns, key=lambda column: pixels(column[0])):
        ours = [row for row in column if _is_ours(row) and row["dtype"] == dtype and row["runtime"] != EAGER]
        if not ours:
            continue
        best = min(ours, key=_median)
        same = [row for row in column if row["run"] == best["run"] and row["dtype"] == dtype]
        others = [row for row in same if not _is_ours(row) and not is_reference(row)]
        inputs.append(best["shape_text"])
        if best["ratio"] is not None:
            of_reference.append(1 / best["ratio"])
        if others:
            other = min(others, key=_median)
            names.append(other["runtime"])
            of_ours.append(_median(other) / _median(best))
        if best.get("engine") != EAGER_ENGINE:  # else both are the same code, and their ratio is noise
            alone += [_median(row) / _median(best) for row in same if row["runtime"] == EAGER]
    if not of_reference:
        return None
    text = (
        f"- {kind} in {dtype} ({_listed(inputs)}): this library is {span(of_reference)} times as fast as "
        "PyTorch in published code"
    )
    if of_ours:
        text += f", and {span(of_ours)} times as fast as the fastest other runtime ({_listed(names)})"
    text += "."
    if alone:
        text += f" With PyTorch's operators only (`{EAGER}`), it takes {span(alone)} of that time."
    return text


def native_share(rows: list[Row]) -> str:
    """The native engine's time as a share of that of the fastest other runtime, by precision."""
    lines: list[str] = []
    for machine in by_setting(rows):
        for column in _columns(_quiet(machine)):
            for mine in (row for row in column if row["runtime"] == NATIVE):
                others = [row for row in column if row["run"] == mine["run"] and not _is_ours(row)]
                shares = [
                    f"{_digits(_median(mine) / _median(best))} of the time of {best['runtime']}"
                    for dtype in ("float32", "bfloat16")
                    if (best := min((r for r in others if r["dtype"] == dtype), key=_median, default=None))
                ]
                if shares:
                    held = f", all held to {mine['isa'].upper()}" if mine["isa"] else ""
                    lines.append(
                        f"- {mine['network']}, {mine['shape_text']}, {mine['threads_asked']} threads{held}: "
                        f"{', '.join(shares)}"
                    )
    return "\n".join(lines)


def costs(rows: list[Row]) -> str:
    """What else speaks for a runtime or against it, over all machines."""
    settings = [_quiet(mine) for mine in by_setting(rows)]
    every = [row for mine in settings for row in mine]
    columns = [column for mine in settings for column in _columns(mine)]
    quiet = [row for row in every if not row["disturbed_start"]]

    def loads(runtime: str) -> str:
        return f"{span([row['load'] for row in quiet if row['runtime'] == runtime])} s"

    def memory(runtime: str) -> str:
        return span(_beside(columns, runtime, "pytorch", lambda row: row["peak"]))

    def time(runtime: str, other: str = "pytorch") -> str:
        return span(_beside(columns, runtime, other, _median))

    lines = [
        f"- Loading the network takes ONNX Runtime {loads('onnxruntime')}, OpenVINO {loads('openvino')}, "
        f"PyTorch {loads('pytorch')}, this library {loads(LIBRARY)}, TensorFlow {loads('tensorflow')}.",
        f"- Peak memory, divided by PyTorch's: OpenVINO {memory('openvino')}, ONNX Runtime "
        f"{memory('onnxruntime')}, this library {memory(LIBRARY)}, TensorFlow {memory('tensorflow')}.",
    ]
    emulated = [row["ratio"] for row in every if row["runtime"] == "pytorch-bfloat16" and not row["bfloat16"]]
    if emulated:
        lines.append(
            "- Use bfloat16 only on processors that compute it: emulated by PyTorch, it takes "
            f"{span(emulated)} of the time of float32."
        )
    if any(row["runtime"] == "ncnn" for row in every):
        lines.append(f"- ncnn is for GPUs: on the processor it takes {time('ncnn')} of PyTorch's time.")
    scripted = [
        f"{name} {time(name, 'onnxruntime')}"
        for name in SCRIPTED
        if _beside(columns, name, "onnxruntime", _median)
    ]
    if scripted:
        lines.append(
            "- Time in a page or in Node, without a GPU, divided by that of ONNX Runtime on the same "
            f"processor: {', '.join(scripted)}."
        )
    return "\n".join(lines)


def reach(rows: list[Row], ceilings: list[Row]) -> str:
    """What the fastest runtime reaches of the machine's best matrix product, in float32."""
    rates = {
        tuple(row[key] for key in ("processor", "bfloat16", "threads_asked")): rate_of(row)
        for row in best_ceilings(ceilings)
        if row["kind"] == "matrix product" and row["dtype"] == "float32"
    }
    lines: list[str] = []
    for mine in by_setting(rows):
        chosen = [row for row in _quiet(mine) if row["dtype"] == "float32" and row["isa"] is None]
        rate = rates.get(tuple(mine[0][key] for key in ("processor", "bfloat16", "threads_asked")))
        if chosen and rate is not None:
            best = max(chosen, key=lambda row: row["gflops"])
            lines.append(
                f"- {best['processor']}, {_bfloat16(best)} bfloat16 arithmetic: {best['runtime']} computes "
                f"{best['network']}, {best['shape_text']}, at {best['gflops']:.0f} GFLOP/s of float32, "
                f"{best['gflops'] / rate:.2f} of the matrix product's rate."
            )
    every = [row["intensity"] for row in rows]
    lines.append(
        f"\nThe networks here have {min(every):.0f} to {max(every):.0f} operations for each byte that must "
        "move. So arithmetic limits them, not memory (they are far right of the edge in the plot)."
    )
    return "\n".join(lines)


def below_baseline(rows: list[Row]) -> str:
    """The networks that are further from the originals than interpolation, and the others."""
    chosen = quality_rows(rows)
    parts: list[str] = []
    for dataset in dict.fromkeys(row["dataset"] for row in chosen):
        mine = [row for row in chosen if row["dataset"] == dataset]
        base = next((row["psnr_y"] for row in mine if row["network"] == BASELINE), None)
        if base is None:
            continue
        worse = [row["network"] for row in mine if row["psnr_y"] < base]
        better = [row["network"] for row in mine if row["psnr_y"] > base]
        parts.append(
            f"On {dataset}, further from the originals than {BASELINE} interpolation: "
            f"{', '.join(worse) or 'none'}; nearer: {', '.join(better) or 'none'}."
        )
    return "\n".join(parts)


def span(values: list[float]) -> str:
    """Two digits after the point, or two digits in all for what is small: "0.31 to 0.45", or "0.77"."""
    if not values:
        return "(not measured)"
    least, most = _digits(min(values)), _digits(max(values))
    return least if least == most else f"{least} to {most}"


def _digits(value: float) -> str:
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _quiet(rows: list[Row]) -> list[Row]:
    """The current ones, but for those that other processes disturbed: nothing is said of them."""
    return [row for row in current(rows) if not row["disturbed"]]


def _beside(columns: list[list[Row]], runtime: str, other: str, value: Callable[[Row], float]) -> list[float]:
    """A runtime's values divided by another's, where both were measured in one run."""
    return [
        value(mine) / value(theirs)
        for column in columns
        for mine in column
        for theirs in column
        if (mine["runtime"], theirs["runtime"]) == (runtime, other) and mine["run"] == theirs["run"]
    ]


def _bfloat16(row: Row) -> str:
    return "with" if row["bfloat16"] else "without"


def _columns(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each network and input."""
    columns: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        columns.setdefault((row["network"], row["shape_text"]), []).append(row)
    return list(columns.values())


def _listed(names: list[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _is_ours(row: Row) -> bool:
    return str(row["runtime"]).startswith(LIBRARY)


def _median(row: Row) -> float:
    return float(row["seconds"]["median"])


@cache
def _architecture(network: str) -> str | None:
    from esrgan_weights import models

    found = models().get(network)
    return None if found is None else found.architecture
