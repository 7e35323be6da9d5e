"""The tables of the rows that `esrgan bench` writes."""

from collections.abc import Callable

from esrgan_benchmarks.bench import advice, runtime_tables

BENCH_TABLES: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "runtimes": (("runtimes",), runtime_tables.times),
    "runtimes-cost": (("runtimes",), runtime_tables.costs),
    "advice": (("runtimes",), advice.choice),
    "headline": (("runtimes",), advice.headline),
    "advice-newest": (("runtimes",), advice.newest_choice),
    "advice-costs": (("runtimes",), advice.costs),
    "native-share": (("runtimes",), advice.native_share),
    "reach": (("runtimes", "ceiling"), advice.reach),
    "below-baseline": (("quality",), advice.below_baseline),
    "left-out": (("left-out",), runtime_tables.left_out),
    "ceiling": (("ceiling",), runtime_tables.ceilings),
    "quality": (("quality",), runtime_tables.quality),
}
"""Each table's name in a page, the files of its rows, and what makes it."""
