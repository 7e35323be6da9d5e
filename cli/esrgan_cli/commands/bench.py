"""`esrgan bench`: every runtime on this machine, measured in turn; reports and comparisons from the rows."""

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from esrgan_benchmarks.core.isa import VARIABLES
from esrgan_cli.options import MOST_DIGITS, Subparsers
from esrgan_torch.errors import ConfigError
from esrgan_torch.words import shown, whole_number

if TYPE_CHECKING:
    from esrgan_benchmarks.bench.harness import LeftOut
    from esrgan_benchmarks.core.cases import Case
    from esrgan_benchmarks.core.record import Row

RESULTS = Path("esrgan-bench")
DEFAULT_CASES = (
    "realesr-animevideov3:128",
    "realesrgan-x4plus:64",
)


def add_parser(subparsers: Subparsers) -> None:
    """Add `bench`; it sets `run`, a function from the arguments to an exit status."""
    text = "compare runtimes on this machine: time, memory, difference from PyTorch"
    description = (
        f"{text} in float32. Without options, two networks in every runtime that is installed. Each "
        "measurement is printed and added to --results as a line of JSON (a row)."
    )
    parser = subparsers.add_parser("bench", help=text, description=description)
    what = parser.add_argument_group("what is measured")
    what.add_argument(
        "--cases",
        metavar="NETWORK:SIZE",
        nargs="+",
        help="a model's name or file, and the input's size in pixels: NETWORK:128 (128 x 128), "
        "NETWORK:720x1280 (height x width) or NETWORK:4x64x64 (four pictures at once). Default: "
        f"{' '.join(DEFAULT_CASES)}",
    )
    what.add_argument(
        "--runtimes",
        metavar="NAMES",
        help="names from --list, separated by commas (default: all that are installed)",
    )
    what.add_argument(
        "--dataset",
        metavar="DIR",
        type=Path,
        help="also measure PSNR and SSIM on this folder of pictures: for the networks of --cases, or "
        "without --cases for every published one",
    )
    what.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        default="cpu",
        help="where to compute (default: %(default)s)",
    )
    what.add_argument(
        "--isa",
        choices=tuple(VARIABLES),
        help="compute as on an older processor that has only these instructions; runtimes that cannot be "
        "limited are left out",
    )
    what.add_argument(
        "--threads",
        metavar="N",
        type=int,
        help="threads of each runtime (default: the number of cores that this process may use)",
    )
    what.add_argument(
        "--runs",
        metavar="N",
        type=int,
        default=7,
        help="timed runs of each runtime (default: %(default)s)",
    )
    what.add_argument(
        "--limit",
        metavar="SECONDS",
        type=float,
        default=20.0,
        help="leave a runtime out that needs longer than this for one case (default: 20)",
    )
    what.add_argument(
        "--keep-disturbed",
        action="store_true",
        help="measure although other programs use the processor, and mark such rows as disturbed; without "
        "it, esrgan waits for them, and disturbed measurements are not recorded",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        type=Path,
        default=RESULTS,
        help="folder of the recorded rows (default: %(default)s)",
    )
    rows = parser.add_argument_group("instead of measuring")
    rows.add_argument(
        "--list",
        action="store_true",
        help="list the runtimes, with the command that installs a missing one",
    )
    rows.add_argument(
        "--report", metavar="FILE.html", type=Path, help="write a page from the rows of --results"
    )
    rows.add_argument(
        "--plots", metavar="DIR", type=Path, help="with --report: also write the plots as SVG files"
    )
    rows.add_argument(
        "--compare",
        metavar=("OLD", "NEW"),
        nargs=2,
        type=Path,
        help="show what changed between two files or folders of rows",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, or tell about rows."""
    if arguments.plots is not None and arguments.report is None:
        raise ConfigError("--plots needs --report FILE.html")
    if arguments.list:
        return _list()
    if arguments.compare is not None:
        from esrgan_benchmarks.bench.compare import compare_files

        print(compare_files(*arguments.compare))
        return 0
    if arguments.report is not None:
        from esrgan_benchmarks.bench.report import write_report

        for path in write_report(arguments.results, arguments.report, arguments.plots):
            print(path)
        return 0
    return _measure(arguments)


def parse_case(text: str) -> "Case":
    """What NETWORK:SIZE means.

    Raises:
        ConfigError: no size, or one that is not 1 to 3 whole numbers.
    """
    from esrgan_benchmarks.core.cases import Case

    network, _, size = text.rpartition(":")
    numbers = size.split("x")
    sides = [side for number in numbers if (side := whole_number(number, MOST_DIGITS)) is not None]
    if not network or not 1 <= len(numbers) <= 3 or len(sides) < len(numbers):
        raise ConfigError(
            f"a case must be NETWORK:SIZE, such as realesrgan-x4plus:128 or realesrgan-x4plus:4x64x64, "
            f"not {shown(text)}"
        )
    if len(sides) == 1:
        return Case(network, sides[0], sides[0])
    return Case(network, *sides[-2:], batch=sides[0] if len(sides) == 3 else 1)


def _list() -> int:
    from esrgan_benchmarks.runtimes import RUNTIMES

    for runtime in RUNTIMES:
        print(f"{runtime.name:26} {runtime.missing() or 'here'}")
    return 0


def _measure(arguments: argparse.Namespace) -> int:
    from esrgan_benchmarks.core.load import available_cores

    if arguments.threads is None:
        arguments.threads = available_cores()
    for name, least in (("threads", 1), ("runs", 2)):
        if getattr(arguments, name) < least:
            raise ConfigError(f"--{name} must be at least {least}, not {getattr(arguments, name)}")
    if not 0 < arguments.limit < math.inf:
        raise ConfigError(f"--limit must be a number of seconds above 0, not {arguments.limit:g}")
    if arguments.isa is not None and (arguments.dataset is not None or arguments.device != "cpu"):
        raise ConfigError("--isa needs --device cpu, and cannot be used with --dataset")
    if arguments.dataset is not None and not arguments.dataset.is_dir():
        raise ConfigError(f"--dataset {arguments.dataset} is not a folder")
    cases = [parse_case(text) for text in arguments.cases or DEFAULT_CASES]

    from esrgan_benchmarks.bench.quality import networks
    from esrgan_benchmarks.bench.suite import Plan, run_suite
    from esrgan_benchmarks.core.cases import work_of
    from esrgan_benchmarks.runtimes import choose_runtimes
    from esrgan_torch.engines.devices import resolve_device
    from esrgan_weights.loading import load

    resolve_device(arguments.device)
    names = arguments.runtimes.split(",") if arguments.runtimes else None
    runtimes = choose_runtimes(names, arguments.device)
    # fetched before anything is timed; an unknown name ends the command here
    models = {network: load(network) for network in dict.fromkeys(case.network for case in cases)}
    costs = {network: work_of(model, (1, 16, 16, 3)).multiply_adds for network, model in models.items()}
    cases.sort(key=lambda case: (costs[case.network], case.network, case.batch * case.height * case.width))
    plan = Plan(
        cases,
        runtimes,
        arguments.threads,
        arguments.device,
        arguments.isa,
        arguments.runs,
        arguments.limit,
        arguments.keep_disturbed,
        arguments.dataset,
        list(models) if arguments.cases else networks(),
    )
    with _Screen(plan.steps) as screen:
        outcome = run_suite(plan, arguments.results, screen)
    if any(item.reason.startswith("disturbed") for item in outcome.left_out):
        print(
            "esrgan: other programs use the processor; measure again when they have ended, or add "
            "--keep-disturbed to record marked rows",
            file=sys.stderr,
        )
    print(f"rows: {arguments.results}", file=sys.stderr)
    # the machine's ceiling and the interpolation of a dataset are no result of a runtime
    if any("runtime" in row or row.get("seconds_a_megapixel") is not None for row in outcome.rows):
        return 0
    print("esrgan: no runtime was measured", file=sys.stderr)
    return 1


class _Screen:
    """Rows on stdout, a bar and what was left out on stderr."""

    def __init__(self, steps: int) -> None:
        from tqdm import tqdm

        form = "{percentage:3.0f}% |{bar}| {elapsed} gone {desc}"
        self._bar: tqdm[NoReturn] = tqdm(
            total=steps, bar_format=form, leave=False, disable=not sys.stderr.isatty(), dynamic_ncols=True
        )

    def __enter__(self) -> "_Screen":
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def __call__(self, text: str) -> None:
        self._bar.set_description_str(text)

    def step(self, rows: "list[Row]", left_out: "list[LeftOut]") -> None:
        from esrgan_benchmarks.bench.runtime_tables import line_of

        for row in rows:
            self._bar.write(line_of(row), file=sys.stdout)
        for item in left_out:
            self._bar.write(f"{item.case}: {item.runtime} left out: {item.reason}", file=sys.stderr)
        self._bar.update()
        sys.stdout.flush()
