"""One process at a time in a folder."""

import os
import subprocess
import sys
from pathlib import Path

from esrgan_torch.storage.alone import alone_in

HOLD = """
import sys, time
from pathlib import Path
from esrgan_torch.storage.alone import alone_in
with alone_in(Path(sys.argv[1])) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_a_folder_is_held_until_the_block_ends(tmp_path: Path) -> None:
    with alone_in(tmp_path) as first:
        with alone_in(tmp_path, 0.0) as second:
            assert (first, second) == (True, False)
        with alone_in(tmp_path, 0.0) as third:
            assert not third
    with alone_in(tmp_path, 0.0) as again:
        assert again


def test_the_end_of_a_killed_process_frees_its_folder(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    with alone_in(tmp_path, 0.0) as held:
        assert not held
    process.kill()
    process.communicate()
    with alone_in(tmp_path, 5.0) as held:
        assert held


def test_a_file_system_without_locks_holds_nobody_up(tmp_path: Path, monkeypatch) -> None:
    import filelock

    def unknown(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", unknown)
    with alone_in(tmp_path) as held:
        assert held
