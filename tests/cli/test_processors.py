"""Threads of a command where a container has a quota of processors."""

import os

import pytest

from esrgan_cli.processors import CACHES, THREADS, heed_limits
from esrgan_torch.engines import containers


@pytest.mark.parametrize(
    ("most", "set_before", "expected"),
    [(2, None, "2"), (2, "5", "5"), (None, None, None), (8, None, None), (9, None, None)],
)
def test_the_quota_is_told_to_libraries(
    most: int | None, set_before: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "most_threads", lambda: most)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "environ", {} if set_before is None else {THREADS: set_before})
    heed_limits()
    assert os.environ.get(THREADS) == expected


def test_caches_of_sizes_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(CACHES))
    monkeypatch.setattr(os, "environ", {name: "7"})
    heed_limits()
    assert os.environ == CACHES | {name: "7"}
