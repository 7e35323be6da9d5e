"""`esrgan evaluate --paper`: what was measured beside what papers print, and what is missing for more."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.papers import SETS, PaperRow, find_paper_sets, paper_rows
from esrgan_torch.words import one_line
from esrgan_weights import registry
from esrgan_weights.cache import cached

if TYPE_CHECKING:
    from esrgan_torch.metrics.protocol import Score

_CELL = 15  # characters of a set's column

Measured = Mapping[tuple[str, int], Mapping[str, "Score"]]
"""The means of a model at a scale, by the set's name."""


def prepare(arguments: argparse.Namespace) -> dict[Path, str]:
    """Check the arguments, and put the sets' folders and, where none is named, models into them.

    Returns:
        the sets' names by their folders.

    Raises:
        ConfigError: options that do not go together, or no folder of a usual set.
    """
    if arguments.lr is not None:
        raise ConfigError("--paper finds low-resolution pictures beside the originals; leave --lr out")
    if arguments.format != "text":
        raise ConfigError(f"--paper prints text only; leave --format {arguments.format} out")
    arguments.given = list(arguments.dataset)
    found = find_paper_sets(arguments.dataset)
    arguments.dataset = list(found.values())
    if not arguments.models:
        arguments.models = ["bicubic", *_at_hand(arguments)]
    return {folder: name for name, folder in found.items()}


def _at_hand(arguments: argparse.Namespace) -> list[str]:
    """The authors' weights that the cache holds."""
    scale = arguments.scale or 4
    names = dict.fromkeys(row.model for row in paper_rows() if row.model and row.scale == scale)
    return [name for name in names if cached(registry.find(name), arguments.cache)]


def paper_tables(measured: Measured, arguments: argparse.Namespace) -> str:
    """A table for each scale that was measured, sources, and what is missing."""
    parts: list[str] = []
    for scale in dict.fromkeys(scale for _, scale in measured):
        mine = {model: scores for (model, of), scores in measured.items() if of == scale}
        parts.append("\n".join(_table(scale, mine)))
    parts.append("\n".join(_missing(measured, arguments)))
    return "\n\n".join(part for part in parts if part)


def _table(scale: int, mine: "Mapping[str, Mapping[str, Score]]") -> Iterator[str]:
    rows = [row for row in paper_rows() if row.scale == scale]
    sources = list(dict.fromkeys(row.source for row in rows))
    titles = [f"{row.name} [{sources.index(row.source) + 1}]" for row in rows]
    width = max(map(len, [*titles, *mine, "measured here, PSNR of RGB in dB"])) + 4

    def line(title: str, cells: Sequence[str]) -> str:
        text = one_line(f"  {title}").ljust(width)
        return (text + "  ".join(cell.rjust(_CELL) for cell in cells)).rstrip()

    title = f"x{scale}, PSNR-Y in dB / SSIM-Y".ljust(width)
    yield title + "  ".join(name.rjust(_CELL) for name in SETS)
    yield "as published" if rows else f"as published: no figures of x{scale} are known here"
    for row, title in zip(rows, titles, strict=True):
        yield line(title, [_published(row, name) for name in SETS])
    yield "measured here"
    for model, scores in mine.items():
        both = [
            f"{scores[name].psnr_y:.2f} / {scores[name].ssim_y:.4f}" if name in scores else "-"
            for name in SETS
        ]
        yield line(model, both)
    yield "measured here, PSNR of RGB in dB"
    for model, scores in mine.items():
        yield line(model, [_rgb(scores[name]) if name in scores else "-" for name in SETS])
    for number, source in enumerate(sources, 1):
        yield f"[{number}] {source}"
    if any("Set14" in scores for scores in mine.values()):
        yield (
            "Set14 has a gray picture, which counts as RGB here; where a paper keeps it gray, as all do for "
            "bicubic, its mean is up to 0.09 dB lower"
        )


def _published(row: PaperRow, name: str) -> str:
    if name not in row.figures:
        return "-"
    psnr, ssim = row.figures[name]
    return f"{psnr:.2f} / {ssim:.4f}"


def _rgb(score: "Score") -> str:
    return "-" if score.psnr_rgb is None else f"{score.psnr_rgb:.2f}"


def _missing(measured: Measured, arguments: argparse.Namespace) -> Iterator[str]:
    there = {name for scores in measured.values() for name in scores}
    absent = [name for name in SETS if name not in there]
    if absent:
        places = ", ".join(map(str, arguments.given))
        yield one_line(
            f"sets that were not measured: {', '.join(absent)}; in {places}, by the folders' names"
        )
    names = {model for model, _ in measured}
    for row in paper_rows():
        if not row.model or row.model in names or not any(scale == row.scale for _, scale in measured):
            continue
        model = registry.find(row.model)
        if cached(model, arguments.cache):
            yield f"not measured: {row.name}, whose weights are here; name {row.model} to measure it"
        else:
            file = model.alternatives[0].files[0].name
            yield (
                f"official file that is missing: {file} of {row.name}; esrgan weights fetch {row.model}, or "
                f"esrgan weights show {row.model} for where it is"
            )
