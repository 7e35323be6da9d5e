"""What others take from the processor: a process that holds a core is seen, our own are not."""

import math
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from esrgan_benchmarks.core import load
from esrgan_benchmarks.core.load import Load, Watch, available_cores
from tests.support.fakes import SPIN, somebody_else


def test_a_process_that_holds_a_core_is_seen() -> None:
    watch = Watch(available_cores())
    with somebody_else():
        watch.measure(lambda: time.sleep(0.5))
        found = watch.load()
    # on a machine that is busy already it gets its share of a core
    assert found.taken > 0.3
    assert watch.disturbs(found)


def test_our_own_work_is_not_others() -> None:
    watch = Watch(1)
    child = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        time.sleep(0.1)
        before = child_seconds(child.pid)
        watch.measure(lambda: time.sleep(0.5))
        found = watch.load()
        own = (child_seconds(child.pid) - before) / 0.5
    finally:
        child.kill()
        child.wait()
    # whatever others do here, they and we have no more than there is
    assert own > 0.1
    assert found.taken <= available_cores() - own + 0.15


def child_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@pytest.mark.parametrize(
    ("cores", "threads", "taken", "disturbs"),
    [
        (2, 2, 0.05, False),
        (2, 2, 0.15, True),
        (8, 2, 5.0, False),
        (8, 2, 6.2, True),
        (2, 4, 0.3, True),
        (64, 64, 0.5, True),
        (1, 1, 0.07, True),
    ],
)
def test_others_may_have_what_the_threads_leave_over(
    cores: int, threads: int, taken: float, disturbs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "available_cores", lambda: cores)
    watch = Watch(threads)
    assert watch.disturbs(Load(taken)) is disturbs
    assert watch.disturbs(Load(taken / 2, stolen=taken / 2)) is disturbs


def test_a_quota_that_holds_us_back_disturbs() -> None:
    watch = Watch(1)
    assert not watch.disturbs(Load(0.0, held_back=0.01))
    assert watch.disturbs(Load(0.0, held_back=0.3))
    assert "held us back for 30% of the time" in str(Load(0.0, held_back=0.3))


@pytest.mark.parametrize(
    ("files", "cores", "waited"),
    [
        ({"cpu.max": "150000 100000\n", "cpu.stat": "nr_periods 9\nthrottled_usec 2500000\n"}, 1.5, 2.5),
        ({"cpu.max": "max 100000\n"}, math.inf, 0.0),
        (
            {
                "cpu/cpu.cfs_quota_us": "50000\n",
                "cpu/cpu.cfs_period_us": "100000\n",
                "cpu/cpu.stat": "throttled_time 3000000000\n",
            },
            0.5,
            3.0,
        ),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf, 0.0),
        ({}, math.inf, 0.0),
    ],
)
def test_a_container_s_quota_is_read(
    files: dict[str, str], cores: float, waited: float, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert load.quota(tmp_path) == cores
    assert load.held_back(tmp_path) == pytest.approx(waited)


def test_begun_cores_of_a_quota_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "quota", lambda root: 0.5)
    assert available_cores() == 1
