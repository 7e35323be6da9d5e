"""What is known of models and files: `esrgan weights list`, `show` and `inspect`."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from esrgan_torch.words import one_line
from esrgan_weights import own, registry
from esrgan_weights.cache import cached, model_folder
from esrgan_weights.errors import UnknownArchitectureError, UnknownModelError
from esrgan_weights.registry import Alternative, Model

CARDS = Path(__file__).parents[3] / "docs" / "models"  # in a checkout; an installation has none
SHOWN_ALREADY = ("name", "licence", "source", "source_sha256", "format", "architecture")


def run_list(arguments: argparse.Namespace) -> int:
    """Print a table of the published models, then of those that were added."""
    rows = [("NAME", "SCALE", "MB", "LICENCE", "CACHED", "GOOD FOR")]
    for model in registry.models().values():
        size = sum(file.size or 0 for file in model.alternatives[0].files)
        there = "yes" if _is_there(model, arguments.cache) else "-"
        rows.append((model.name, f"x{model.scale}", f"{size / 1e6:.1f}", model.licence, there, model.summary))
    for mine in own.own_models():
        size = mine.path.stat().st_size
        scale = f"x{mine.scale}" if mine.scale else "?"
        licence = mine.facts.get("licence", "not stated")
        summary = f"added by you from {mine.facts.get('source', 'a file')}"
        summary = "damaged: remove it, and add it again" if mine.damage else summary
        rows.append((mine.name, scale, f"{size / 1e6:.1f}", licence, "yes", summary))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print(one_line(line))
    return 0


def _is_there(model: Model, cache: Path | None) -> bool:
    """By names and sizes only: `verify` computes the hashes."""
    folder = model_folder(model, cache)

    def whole(alternative: Alternative) -> bool:
        paths = [(folder / file.name, file.size) for file in alternative.files]
        return all(path.is_file() and size in (None, path.stat().st_size) for path, size in paths)

    return any(whole(alternative) for alternative in model.alternatives)


def run_show(arguments: argparse.Namespace) -> int:
    """Print what is known about a published model or one that was added."""
    if arguments.name not in registry.models() and own.path_of(arguments.name):
        return _show_own(arguments.name)
    model = registry.find(arguments.name)
    present = cached(model, arguments.cache)
    folder = model_folder(model, arguments.cache)
    facts = [
        ("name", model.name),
        ("good for", model.summary),
        ("architecture", model.architecture),
        ("scale", f"x{model.scale}"),
        ("parameters", f"{model.parameters:,}"),
        ("licence", model.licence),
        ("source", model.source),
        ("cached", f"{folder / present.files[0].name}{present.by}" if present else "no"),
    ]
    if present:
        size = sum((folder / file.name).stat().st_size for file in present.files)
        facts += [("on disk", f"{size:,} bytes, {model.precision(present)}")]
    card = CARDS / f"{model.name}.md"
    facts += [("card", str(card))] if card.is_file() else []
    facts += [("example", f"esrgan upscale photo.jpg --model {model.name}")]
    print_facts(*facts)
    for line in _measured(model.name):
        print(line)
    for number, alternative in enumerate(model.alternatives, 1):
        _show_files(model, number, alternative, arguments.cache)
    return 0


def _show_files(model: Model, number: int, alternative: Alternative, cache: Path | None) -> None:
    print(f"files {number} ({alternative.layout}, {model.precision(alternative)}{alternative.by}):")
    for file in alternative.files:
        size = "" if file.size is None else f"{file.size:,} bytes  "
        print(f"  {file.name}  {size}sha256 {file.sha256}")
        for url in file.urls:
            print(f"    {url}")
    if alternative.publisher:
        from esrgan_weights.agreement import agreement

        said = agreement(model, alternative, cache)
        print(
            f"    compared: {said}" if said else "    not compared: the cache lacks this or the author's file"
        )
    if alternative.package:
        print(f"    in the package {alternative.package.requirement} of {alternative.package.index}")


def _show_own(name: str) -> int:
    path = own.path_of(name)
    if path is None:  # removed a moment ago
        raise UnknownModelError(f"no model is called {name!r}")
    facts = own.facts_of(path)
    print_facts(
        ("name", name),
        ("good for", "added by you"),
        ("architecture", facts.get("architecture", "?")),
        ("scale", f"x{facts.get('scale', '?')}"),
        ("licence", facts.get("licence", "not stated")),
        ("source", facts.get("source", "not stated")),
        ("sha256", f"{facts.get('source_sha256', '?')} of what was added"),
        ("on disk", f"{path}, {path.stat().st_size:,} bytes"),
        ("example", f"esrgan upscale photo.jpg --model {name}"),
    )
    return 0


def _measured(name: str) -> Iterator[str]:
    """The recorded rows of a model, where there are any; an installation without them says nothing."""
    from esrgan_benchmarks.core.record import RESULTS, latest, measured_on, read

    kinds = (("quality", ("dataset",)), ("runtimes", ("shape",)))
    for kind, keys in kinds:
        rows = read(kind) if (RESULTS / f"{kind}.jsonl").is_file() else []
        mine = [row for row in rows if row["network"] == name]
        if kind == "runtimes":
            mine = [{**row, "shape": tuple(row["shape"])} for row in mine if row["runtime"] == "esrgan-torch"]
        for row in latest(mine, *keys):
            if kind == "quality":
                time = row["seconds_a_megapixel"]
                cost = f"; {time:.3g} s a megapixel of the result, {row['dtype']}" if time else ""
                likeness = f"{row['psnr_y']:.2f} dB PSNR-Y, {row['ssim_y']:.4f} SSIM-Y"
                yield f"quality: {row['dataset']}, {likeness}{cost}"
            else:
                _, height, width, _ = row["shape"]
                yield f"speed: {width}x{height} pixels in {row['seconds']['median']:.3g} s, {row['dtype']}"
            yield f"  {measured_on([row])}"


def run_inspect(arguments: argparse.Namespace) -> int:
    """Print what a model, an address or a file is."""
    from dataclasses import asdict

    from esrgan_weights.identify import inspect

    try:
        inspection = inspect(arguments.source, offline=arguments.offline, cache=arguments.cache)
    except UnknownArchitectureError:
        return _inspect_foreign(arguments)
    checkpoint, identity = inspection.checkpoint, inspection.identity
    sizes = ", ".join(f"{name} {value}" for name, value in asdict(checkpoint.config).items())
    container = checkpoint.container + (f", under {checkpoint.wrapper}" if checkpoint.wrapper else "")
    found = checkpoint.provenance
    licence = (identity.model.licence if identity.model else found.licence) or "not stated"
    print_facts(
        ("file", str(checkpoint.path)),
        ("is", f"{identity.kind}: {identity.text}"),
        ("layout", f"{found.layout} ({container})"),
        ("architecture", checkpoint.architecture),
        ("sizes", sizes),
        ("scale", f"x{checkpoint.config.scale}"),
        ("parameters", f"{checkpoint.parameters:,}"),
        ("numbers", ", ".join(checkpoint.stored)),
        ("bytes", f"{inspection.size:,}"),
        ("sha256", found.sha256),
        ("licence", licence),
        *([("source", found.source)] if found.source else []),
    )
    _print_metadata(checkpoint.metadata, sizes=set(asdict(checkpoint.config)))
    for note in checkpoint.notes:
        print(one_line(f"note: {note}"))
    if identity.kind == "look-alike":
        said = f"WARNING: THIS IS NOT AN OFFICIAL FILE. It is {identity.text}. It can be loaded all the same."
        print(one_line(said))
    return 0


def _inspect_foreign(arguments: argparse.Namespace) -> int:
    """Print what a network of another project is, where spandrel is installed; else the same error again."""
    from esrgan_torch.networks.foreign import ForeignNetwork
    from esrgan_weights.loading import load

    model = load(arguments.source, offline=arguments.offline, cache=arguments.cache)
    if not isinstance(model, ForeignNetwork) or not model.provenance:  # replaced a moment ago
        raise UnknownModelError(f"{arguments.source}: it has changed; once more")
    found = model.provenance
    print_facts(
        ("file", found.name),
        ("is", f"another network: {model.architecture}"),
        ("run by", model.runner),
        ("scale", f"x{model.scale}"),
        ("channels", f"{model.in_channels} in, {model.out_channels} out"),
        ("parameters", f"{sum(parameter.numel() for parameter in model.parameters()):,}"),
        ("sha256", found.sha256),
        ("licence", found.licence or "not stated"),
        *([("source", found.source)] if found.source else []),
    )
    return 0


def _print_metadata(metadata: Mapping[str, str], sizes: set[str]) -> None:
    """What the file states beside what was printed already; text of several lines is indented."""
    rest = {key: value for key, value in metadata.items() if key not in SHOWN_ALREADY and key not in sizes}
    if rest:
        print("the file states:")
    for key, value in rest.items():
        lines = value.splitlines() or [""]
        print(one_line(f"  {key}:" + (f" {lines[0]}" if len(lines) == 1 else "")))
        if len(lines) > 1:
            for line in lines:
                print(one_line(f"    {line}".rstrip()))


def print_facts(*facts: tuple[str, str]) -> None:
    """Names and values, one a line, the values below each other."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(one_line(f"{name + ':':<{width + 1}} {value}"))
