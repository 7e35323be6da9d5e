"""Plots of the recorded rows, as SVG: speed, distance from the machine's ceiling, quality beside cost.

Needs matplotlib, the extra "bench". The same rows give the same file with the same matplotlib.
"""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from esrgan_benchmarks.bench.runtime_tables import (
    BASELINE,
    best_ceilings,
    broadest,
    current,
    fullest,
    is_reference,
    pixels,
    quality_rows,
    rate_of,
    seconds_text,
)
from esrgan_benchmarks.core.errors import BenchmarkError, NoCeilingError
from esrgan_benchmarks.core.record import Row

OURS, REFERENCE, WEB, OTHER = "#1f6fb4", "#333333", "#c9782c", "#9aa5ad"
PATIENCE = 4.0  # bars longer than so many of the reference's are cut, and say so
CLOSE = 1.14  # rates that are nearer share a label
LIBRARY = "esrgan-torch"
DIGEST = "rows sha256 "


def speed(rows: list[Row]) -> str:
    """Bars of the time of every runtime, a panel a network, on the input that most runtimes ran.

    Raises:
        BenchmarkError: no rows, or matplotlib is not installed. So do the others.
    """
    chosen = broadest(current(fullest(_some(rows))))
    networks = list(dict.fromkeys(row["network"] for row in chosen))
    groups = [[row for row in chosen if row["network"] == network] for network in networks]
    heights = [0.3 * len(group) + 0.7 for group in groups]
    figure, axes = _figure(8.2, sum(heights), len(groups), heights)
    for axis, group in zip(axes, groups, strict=True):
        _bars(axis, sorted(group, key=lambda row: -row["seconds"]["median"]))
    axes[-1].set_xlabel("seconds (median; the thin line spans the quartiles), shorter is better")
    return _svg(figure, rows)


def _bars(axis: Any, group: Sequence[Row]) -> None:
    medians = [row["seconds"]["median"] for row in group]
    references = [row["seconds"]["median"] for row in group if is_reference(row)]
    end = min(max(medians), PATIENCE * (references or [min(medians)])[0])
    for place, row in enumerate(group):
        seconds = row["seconds"]
        shown = min(seconds["median"], end)
        axis.barh(place, shown, color=_colour(row), height=0.7)
        if seconds["median"] <= end:
            axis.plot(
                [seconds["lower"], min(seconds["upper"], end)], [place, place], color="black", linewidth=1
            )
        cut = " (bar cut)" if seconds["median"] > end else ""
        ratio = "" if row["ratio"] is None else f", {row['ratio']:.2f} of PyTorch's"
        disturbed = ", disturbed" if row["disturbed"] else ""
        text = f"{seconds_text(seconds['median'])}{ratio}{disturbed}{cut}"
        axis.text(max(shown, min(seconds["upper"], end)) + 0.01 * end, place, text, va="center", fontsize=8)
    axis.set_yticks(range(len(group)), [f"{row['runtime']} ({row['dtype']})" for row in group], fontsize=8)
    axis.set_xlim(0, 1.42 * end)
    for reference in references:  # none where it was too slow
        axis.axvline(reference, color=REFERENCE, linewidth=0.8, linestyle=":")
    axis.set_title(f"{group[0]['network']}, {group[0]['shape_text']}", fontsize=10, loc="left")
    axis.spines[["top", "right"]].set_visible(False)


def roofline(rows: list[Row], ceilings: list[Row]) -> str:
    """What runtimes reach of the machine's best matrix product, on the network with most work a pixel."""
    group = heaviest(broadest(current(fullest(_some(rows)))))
    mine = [
        row
        for row in best_ceilings(ceilings)
        if all(row[key] == group[0][key] for key in ("device", "processor", "cores", "bfloat16"))
    ]
    copies = [row for row in mine if row["kind"] == "copy"]
    products = [row for row in mine if row["kind"] == "matrix product"]
    if not copies or not products:
        raise NoCeilingError("no rows of the machine's ceiling; `esrgan bench` measures them first")
    bandwidth = max(map(rate_of, copies))
    figure, (axis,) = _figure(8.2, 5.4, 1, [1])
    for row in products:
        peak = rate_of(row)
        axis.plot([1, peak / bandwidth, 2000], [bandwidth, peak, peak], color=REFERENCE, linewidth=1.2)
        axis.text(1.1, peak, f"arithmetic: matrix product, {row['dtype']}, {peak:.0f} GFLOP/s", va="bottom")
    axis.text(2.2, 1.5 * bandwidth, f"memory: copy, {bandwidth:.0f} GB/s", va="top")
    x = group[0]["intensity"]
    for names, place in _bundles(group):
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        axis.text(x * 1.1, place, ", ".join(names), fontsize=8, va="center", bbox=paper)
    for row in group:
        axis.plot([x], [row["gflops"]], "o", color=_colour(row), markersize=6)
    lowest = min(bandwidth, *(row["gflops"] for row in group))
    highest = max(*map(rate_of, products), *(row["gflops"] for row in group))
    axis.set(xscale="log", yscale="log", xlim=(1, 2000), ylim=(0.6 * lowest, 1.8 * highest))
    axis.set_title(f"{group[0]['network']}, {group[0]['shape_text']}", fontsize=10, loc="left")
    axis.set_xlabel("operations a byte that moves, if no value stays in a cache between two layers")
    axis.set_ylabel("GFLOP/s, higher is better")
    axis.spines[["top", "right"]].set_visible(False)
    return _svg(figure, rows + ceilings)


def heaviest(rows: list[Row]) -> list[Row]:
    """The rows of the network with most work a pixel."""
    work = {
        row["network"]: row["gflops"] * row["seconds"]["median"] / (pixels(row)[0] * pixels(row)[1])
        for row in rows
    }
    return [row for row in rows if row["network"] == max(work, key=lambda name: work[name])]


def _bundles(group: Sequence[Row]) -> list[tuple[list[str], float]]:
    """Names that would lie on one another, together, with the height of their label."""
    bundles: list[list[Row]] = []
    for row in sorted(group, key=lambda row: -row["gflops"]):
        if bundles and row["gflops"] > bundles[-1][0]["gflops"] / CLOSE:
            bundles[-1].append(row)
        else:
            bundles.append([row])
    return [
        ([row["runtime"] for row in bundle], (bundle[0]["gflops"] * bundle[-1]["gflops"]) ** 0.5)
        for bundle in bundles
    ]


def quality(rows: list[Row]) -> str:
    """PSNR and SSIM of every network over the time that a megapixel takes."""
    chosen = quality_rows(_some(rows))
    figure, axes = _figure(8.2, 5.6, 2, [1, 1])
    for axis, key, name in zip(axes, ("psnr_y", "ssim_y"), ("PSNR-Y, dB", "SSIM-Y"), strict=True):
        for row in chosen:
            value = row[key]
            if row["network"] != BASELINE and row["seconds_a_megapixel"] is None:
                continue  # its time was disturbed
            if row["network"] == BASELINE:
                axis.axhline(value, color=REFERENCE, linewidth=0.8, linestyle=":")
                axis.text(
                    0.4,  # right of the labels of small networks, left of the large ones' points
                    value,
                    f"{row['network']} interpolation",
                    fontsize=8,
                    va="bottom",
                    transform=axis.get_yaxis_transform(),
                )
                continue
            axis.plot([row["seconds_a_megapixel"]], [value], "o", color=OURS)
            axis.annotate(
                row["network"],
                (row["seconds_a_megapixel"], value),
                fontsize=8,
                xytext=(6, 5),
                textcoords="offset points",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},  # over the dotted line
            )
        costs = [row["seconds_a_megapixel"] or 1 for row in chosen if row["network"] != BASELINE] or [1]
        axis.set_xscale("log")
        axis.set_xlim(0.5 * min(costs), 4 * max(costs))
        axis.margins(y=0.2)
        axis.set_ylabel(f"{name}, higher is closer")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(f"seconds a megapixel of the result, on {chosen[0]['dataset']}; left is cheaper")
    return _svg(figure, rows)


PLOTS: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "speed": (("runtimes",), speed),
    "roofline": (("runtimes", "ceiling"), roofline),
    "quality": (("quality",), quality),
}
"""Each plot's name, the files of its rows, and what draws it."""


def digest(rows: list[Row]) -> str:
    """What a plot says of the rows that it was made from."""
    return DIGEST + hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _colour(row: Row) -> str:
    if row["runtime"].startswith(LIBRARY):
        return OURS
    if is_reference(row):
        return REFERENCE
    return WEB if row["runtime"].startswith(("tfjs", "onnxruntime-web")) else OTHER


def _some(rows: list[Row]) -> list[Row]:
    if not rows:
        raise BenchmarkError("there are no rows to draw")
    return rows


def _figure(width: float, height: float, panels: int, heights: Sequence[float]) -> tuple[Any, list[Any]]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BenchmarkError('plots need matplotlib: pip install "esrgan-torch[bench]"') from error
    figure: Any = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(panels, 1, squeeze=False, height_ratios=list(heights))
    return figure, [row[0] for row in axes]


def _svg(figure: Any, rows: list[Row]) -> str:
    import matplotlib as mpl

    target = io.StringIO()
    # equal rows give equal bytes
    with mpl.rc_context({"svg.hashsalt": "esrgan-torch", "svg.fonttype": "path"}):
        figure.savefig(
            target, format="svg", metadata={"Date": None, "Description": digest(rows)}, facecolor="white"
        )
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"
