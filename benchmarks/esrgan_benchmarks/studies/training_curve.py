"""The curve of a training that is resumed from day to day, as one picture (SVG).

    python -m esrgan_benchmarks training_curve training/NAME.pt -o training/NAME.svg

NAME.pt is what `esrgan train --pack` writes: its validations are those of all days. Where a new stretch
begins, with its optimiser anew, is a dotted line. Needs matplotlib, the extra "bench"; the same file gives
the same picture.
"""

import argparse
import io
import json
from pathlib import Path
from typing import Any

from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.train.carried import unpack

Line = dict[str, Any]
_KINDS = {"psnr": "Y", "psnr_rgb": "RGB"}
_COLOUR, _SALT = "#1f4e9c", "esrgan-torch"


def curve(validations: list[Line], first: str = "Set5") -> str:
    """PSNR of the moving average over the steps, a panel for each data set, as SVG.

    Args:
        validations: lines of a run's log, as `esrgan_torch.train.carried` keeps them.
        first: what the data set is called whose numbers have no name.

    Raises:
        ConfigError: there is no validation.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sets = _sets(validations, first)
    if not sets:
        raise ConfigError("the run has not been validated yet: there is no curve to draw")
    with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "path", "font.size": 9}):
        figure: Any = Figure(figsize=(1 + 4.2 * len(sets), 3.2), layout="constrained")
        panels = figure.subplots(1, len(sets), squeeze=False)
        for axes, (name, key) in zip(panels[0], sets.items(), strict=True):
            points = [(line["step"], line[key]) for line in validations if key in line]
            axes.plot(*zip(*points, strict=True), color=_COLOUR, marker=".", markersize=4)
            axes.set(xlabel="steps", ylabel=f"PSNR of the moving average, {name}, dB")
            axes.margins(y=0.12)  # room for the number above the last point
            axes.grid(visible=True, color="#eeeeee")
            axes.ticklabel_format(useOffset=False)
            step, psnr = points[-1]
            axes.annotate(f"{psnr:.2f}", (step, psnr), (0, 6), textcoords="offset points", ha="center")
            for began in sorted({line["began"] for line in validations if "began" in line}):
                axes.axvline(began, color="#999999", linewidth=0.8, linestyle=":")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None}, facecolor="white")
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _sets(validations: list[Line], first: str) -> dict[str, str]:
    """What the numbers of each data set are called in a validation, by what they are called for people."""
    sets: dict[str, str] = {}
    for key in dict.fromkeys(key for line in validations for key in line):
        kind, _, name = key.partition("/")
        if kind in _KINDS:
            sets[f"{name or first}, {_KINDS[kind]}"] = key
    return sets


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="what `esrgan train --pack` has written")
    parser.add_argument("-o", "--output", type=Path, required=True, help="an .svg file")
    options = parser.parse_args()
    state = unpack(options.file)
    drawn = curve(state["validations"])
    with atomic_path(options.output) as temporary:
        temporary.write_text(drawn, encoding="utf-8")
    validations: list[Line] = state["validations"]
    last = {key: value for key, value in validations[-1].items() if key != "began"}
    print(f"{options.output}: {state['step']:,} steps; {json.dumps(last)}")
