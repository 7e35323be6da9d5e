"""A page with tables and plots, made from rows: one file that needs nothing else, and SVG files beside it."""

import html
import re
from contextlib import suppress
from pathlib import Path

from esrgan_benchmarks.bench.plots import PLOTS
from esrgan_benchmarks.bench.tables import BENCH_TABLES
from esrgan_benchmarks.core.errors import BenchmarkError, NoCeilingError
from esrgan_benchmarks.core.record import Row, read_file
from esrgan_benchmarks.runtimes import RUNTIMES
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
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
body { color: #222 }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: left; white-space: nowrap }
td.words { white-space: normal; min-width: 16rem }
svg { max-width: 100%; min-width: 40rem; height: auto }
.machine { color: #666; font-size: 14px }
@media (prefers-color-scheme: dark) {
  body { background: #181a1b; color: #ddd } th, td { border-color: #444 } .machine { color: #999 }
  svg { background: #fff }
}
"""


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
    parts = ["<h1>ESRGAN across runtimes</h1>"]
    for title, plots, tables, words in SECTIONS:
        if not any(rows[read] for name in tables for read in BENCH_TABLES[name][0]):
            continue
        parts += [f"<h2>{title}</h2>", f"<p>{html.escape(words)}</p>"]
        parts += [f'<div class="wide">{_inline(drawn[name])}</div>' for name in plots if name in drawn]
        for name in tables:
            reads, make = BENCH_TABLES[name]
            parts.append(_html(make(*(rows[read] for read in reads))))
    missing = [(runtime.name, reason) for runtime in RUNTIMES if (reason := runtime.missing())]
    if missing:
        parts.append("<h2>Not installed where this page was made</h2><ul>")
        parts += [f"<li>{html.escape(name)}: {html.escape(reason)}</li>" for name, reason in missing]
        parts.append("</ul>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>ESRGAN across runtimes</title>'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _html(markdown: str) -> str:
    """The few forms that our tables have: rows with bars, bold cells, a sentence."""
    parts: list[str] = []
    for block in markdown.split("\n\n"):
        lines = block.strip().splitlines()
        if not lines[0].startswith("|"):
            parts.append(f'<p class="machine">{html.escape(block.strip())}</p>')
            continue
        parts.append('<div class="wide"><table>')
        for number, line in enumerate(lines):
            if number == 1:
                continue  # the line under the heads
            cell = "th" if number == 0 else "td"
            texts = [text.strip() for text in line.strip().strip("|").split("|")]
            parts.append("<tr>" + "".join(_cell(cell, text) for text in texts) + "</tr>")
        parts.append("</table></div>")
    return "\n".join(parts)


def _cell(cell: str, text: str) -> str:
    words = ' class="words"' if len(text) > SENTENCE and cell == "td" else ""
    return f"<{cell}{words}>{_bold(html.escape(text))}</{cell}>"


def _bold(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)


def _inline(svg: str) -> str:
    """The plot alone, without what an SVG file begins with."""
    return svg[svg.index("<svg") :]


def _rows(path: Path) -> list[Row]:
    return read_file(path) if path.is_file() else []


def _write(path: Path, text: str) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
