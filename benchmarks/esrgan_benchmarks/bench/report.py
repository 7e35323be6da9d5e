"""A page with tables and plots, made from rows: one file that needs nothing else, and SVG files beside it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from esrgan_benchmarks.bench.plots import PLOTS
from esrgan_benchmarks.bench.tables import BENCH_TABLES
from esrgan_benchmarks.core.errors import BenchmarkError, NoCeilingError
from esrgan_benchmarks.core.record import Row, read_file
from esrgan_benchmarks.runtimes import RUNTIMES
from esrgan_torch.html_pages import render
from esrgan_torch.storage.atomic import atomic_path

SECTIONS = (
    (
        "Time",
        ("speed",),
        ("runtimes",),
        "Each runtime computed the same pictures, in turn with the others. In brackets: the time "
        "divided by that of the reference in the same run, PyTorch as published code runs it "
        "(float32, NCHW); below 1 is faster. Sorted by it, in the column with ▾. Bold: the fastest "
        "for that input. Blue is this library, dark the reference, orange runs in Node or a browser.",
    ),
    (
        "What else a runtime costs",
        (),
        ("runtimes-cost",),
        "Load: from nothing imported to the network loaded. The first call may compile. Memory: the"
        " largest that the runtime's processes held. PSNR and largest error: the picture against "
        "the reference's in the same run; values lie in [0, 1], so an 8-bit level is 1/255.",
    ),
    (
        "How close to what the chip can do",
        ("roofline",),
        ("ceiling",),
        "The slanted line is what memory allows, the flat one what arithmetic allows, both measured. "
        "All runtimes lie right of the edge: arithmetic is what limits them. One above the flat line "
        "saves multiplications, or computes a convolution better than this machine a matrix product.",
    ),
    (
        "Quality beside cost",
        ("quality",),
        ("quality",),
        "PSNR and SSIM against originals that were reduced without noise. They count pixels, not "
        "looks: networks trained for sharp, plausible detail score below plain interpolation and "
        "look better.",
    ),
    ("Not measured", (), ("left-out",), "What was asked for and has no number, and why."),
)
SENTENCE = 50  # longer cells are words, and may be broken


@dataclass(frozen=True)
class Section:
    """Of the page: plots as SVG, tables and sentences below them."""

    title: str
    words: str
    plots: Sequence[Markup]
    blocks: Sequence[str | list[list[str]]]


def write_report(results: Path, page: Path, plots: Path | None = None) -> list[Path]:
    """Write the page, and each plot as a file where a folder is given; the paths that were made.

    Args:
        results: folder of rows.
        page: HTML file.
        plots: folder for `speed.svg`, `roofline.svg` and `quality.svg`; made where it is missing.

    Raises:
        BenchmarkError: no rows, or matplotlib is not installed.
    """
    names = {name for reads, _ in PLOTS.values() for name in reads} | {"left-out"}
    rows = {name: _rows(results / f"{name}.jsonl") for name in names}
    if not rows["runtimes"]:
        raise BenchmarkError(f"{results} has no rows of `esrgan bench`; run it first, or give --results")
    drawn: dict[str, str] = {}
    for name, (reads, draw) in PLOTS.items():
        # a ceiling that others disturbed is not recorded; another machine's may be
        with suppress(NoCeilingError):
            if all(rows[read] for read in reads):
                drawn[name] = draw(*(rows[read] for read in reads))
    made = [_write(page, _page(rows, drawn))]
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)
        made += [_write(plots / f"{name}.svg", text) for name, text in drawn.items()]
    return made


def _page(rows: dict[str, list[Row]], drawn: dict[str, str]) -> str:
    sections = [
        Section(
            title,
            words,
            [_inline(drawn[name]) for name in plots if name in drawn],
            [block for name in tables for block in _blocks(_table(name, rows))],
        )
        for title, plots, tables, words in SECTIONS
        if any(rows[read] for name in tables for read in BENCH_TABLES[name][0])
    ]
    missing = [(runtime.name, reason) for runtime in RUNTIMES if (reason := runtime.missing())]
    return render(__name__, "report.html", sections=sections, missing=missing, sentence=SENTENCE, bold=_bold)


def _table(name: str, rows: dict[str, list[Row]]) -> str:
    reads, make = BENCH_TABLES[name]
    return make(*(rows[read] for read in reads))


def _blocks(markdown: str) -> Iterator[str | list[list[str]]]:
    """The few forms that our tables have: a sentence, or lines of cells, the heads first."""
    for block in markdown.split("\n\n"):
        lines = block.strip().splitlines()
        if lines[0].startswith("|"):
            del lines[1]  # the line under the heads
            yield [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        else:
            yield block.strip()


def _bold(text: str) -> Markup:
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", str(escape(text))))


def _inline(svg: str) -> Markup:
    """The plot alone, without what an SVG file begins with; what is written in it, matplotlib has escaped."""
    return Markup(svg[svg.index("<svg") :])


def _rows(path: Path) -> list[Row]:
    return read_file(path) if path.is_file() else []


def _write(path: Path, text: str) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
