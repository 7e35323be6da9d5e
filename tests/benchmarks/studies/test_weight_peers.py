"""A seeded sample of the comparison with spandrel; docs/weights.md has the counts of the whole."""

from collections.abc import Iterator

import pytest
import torch

from esrgan_benchmarks.studies.weight_files import (
    CONTAINERS,
    LAYOUT_NAMES,
    NETWORKS,
    PREFIXES,
    WRAPPERS,
    cases,
)
from esrgan_benchmarks.studies.weight_peers import (
    DIFFERENT,
    EQUAL,
    HERE,
    RAW,
    REFUSALS,
    UNKNOWN,
    count,
    spandrel,
    table,
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_sample_is_read_as_spandrel_reads_it():
    outcomes = count(cases(54, seed=3), spandrel())
    assert outcomes[DIFFERENT] == outcomes[UNKNOWN] == 0
    assert outcomes[EQUAL] >= 6
    assert outcomes[HERE] >= 30
    assert set(outcomes) <= {EQUAL, RAW, HERE, *REFUSALS.values()}


def test_a_peer_that_reads_something_else_is_seen():
    class Other(torch.nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return batch.repeat_interleave(4, 2).repeat_interleave(4, 3)

    files = [case for case in cases(40) if case.network == "x4"][:3]
    assert count(files, lambda path: Other())[DIFFERENT] == 3


def test_every_value_comes_and_the_same_ones_for_the_same_seed():
    files = cases(600)
    assert len(files) == 606
    assert files == cases(600) != cases(600, seed=1)
    assert {case.network for case in files} == set(NETWORKS)
    assert {case.layout for case in files} == set(LAYOUT_NAMES)
    assert {case.prefix for case in files} == set(PREFIXES)
    assert {case.wrapper for case in files} == set(WRAPPERS)
    assert {case.container for case in files} == {*CONTAINERS, "torchscript"}
    assert len(set(files)) == len(files)


def test_table():
    facts = {
        "processor": "P",
        "threads": 1,
        "bfloat16": False,
        "torch": "2",
        "date": "d",
        "cores": 1,
        "gpu": None,
    }
    rows = [
        {"outcome": name, "files": number, "seed": 0, "spandrel": "1", "run": "a", **facts}
        for name, number in ((EQUAL, 3), (DIFFERENT, 0))
    ]
    assert f"| {EQUAL} | 3 |\n| {DIFFERENT} | 0 |\n| all | 3 |" in table(rows)
