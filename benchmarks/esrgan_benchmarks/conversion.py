"""Parity of converted networks, hop by hop and runtime by runtime, with sizes and times of the conversion.

    python -m esrgan_benchmarks.conversion [--models NAME...] [--routes tf direct onnx-tf]
                                           [--quantize none float16 uint8] [--runners NAME...]

Each conversion runs in a process of its own, whose peak memory is recorded with it.
"""

import argparse
import tempfile
from pathlib import Path

from esrgan_benchmarks.measure import in_child, peak_memory
from esrgan_benchmarks.record import Row, append
from esrgan_bridge import convert
from esrgan_bridge.chain import Quantize, Route

MODELS = ("realesr-animevideov3", "realesrgan-x4plus-anime", "realesrgan-x4plus")


def measure(name: str, route: Route, quantize: Quantize, runners: list[str] | None) -> list[Row]:
    """One row for each runtime at each hop: the largest difference over all probes, the lowest PSNR."""
    with tempfile.TemporaryDirectory() as folder:
        report = convert(
            name, Path(folder) / "made", route=route, quantize=quantize, runners=runners, progress=print
        )
    sizes = {hop.name: hop for hop in report.hops}
    groups: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(report.rows):
        groups.setdefault((row.hop, row.runner), []).append(index)
    rows: list[Row] = []
    for (hop, runner), indices in groups.items():
        found = [report.rows[index] for index in indices]
        psnr = [row.psnr for row in found if row.psnr is not None]
        rows.append(
            {
                "network": name,
                "route": route,
                "quantize": quantize,
                "hop": hop,
                "runner": runner,
                "probes": len(found),
                "largest": max(row.largest for row in found),
                "psnr": min(psnr) if psnr else None,
                "differing": sum(row.differing for row in found),
                "pixels": sum(row.pixels for row in found),
                "tolerance": found[0].tolerance,
                "bytes": sizes[hop].size if hop in sizes else None,
                "conversion_seconds": round(sizes[hop].seconds, 2) if hop in sizes else None,
                "peak": peak_memory(),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--routes", nargs="+", default=["tf", "direct"])
    parser.add_argument("--quantize", nargs="+", default=["none"])
    parser.add_argument("--runners", nargs="+")
    options = parser.parse_args()
    for name in options.models:
        for route in options.routes:
            for quantize in options.quantize:
                append("conversion", in_child(measure, name, route, quantize, options.runners))


if __name__ == "__main__":
    main()
