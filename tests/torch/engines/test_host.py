import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from esrgan_torch.engines.host import LEAST, for_rows


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize(
    ("rows", "values", "parts"), [(1, 9 * LEAST, 1), (3, 9 * LEAST, 3), (101, 9 * LEAST, 4), (101, LEAST, 1)]
)
def test_every_row_is_done_once(rows: int, values: int, parts: int) -> None:
    done = np.zeros(rows, int)
    threads: list[str] = []

    def work(part: slice) -> None:
        done[part] += 1
        threads.append(threading.current_thread().name)

    for_rows(work, rows, values)
    assert (done == 1).all()
    assert len(threads) == parts
    assert (threading.current_thread().name in threads) == (parts == 1)


@pytest.mark.usefixtures("four_threads")
def test_an_error_of_a_part_is_raised() -> None:
    def work(part: slice) -> None:
        if part.start:
            raise MemoryError(f"row {part.start}")

    with pytest.raises(MemoryError, match="row 5"):
        for_rows(work, 20, 4 * LEAST)


FORKED = """
import os
import torch
from esrgan_torch.engines.host import LEAST, for_rows
torch.set_num_threads(2)
for_rows(lambda rows: None, 2, 2 * LEAST)
child = os.fork()
for_rows(print, 2, 2 * LEAST)
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-u", "-c", FORKED], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.count("slice") == 4
