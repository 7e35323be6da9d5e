"""The processes behind the runners, with small Python programs in their place."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from esrgan_bridge.errors import MissingRuntimeError, RunnerError
from esrgan_bridge.runners import worker
from esrgan_bridge.runners.worker import WorkerSession

DOUBLER = """
import json, os, sys
import numpy as np
print("a library says hello")
print(json.dumps({"ready": {"version": "1", "folder": os.environ["ESRGAN_RUNNER_FOLDER"]}}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    batch = np.fromfile(request["batch"], np.float32).reshape(request["shape"])
    if request["fetch"] == "nothing":
        print(json.dumps({"error": "there is no nothing"}), flush=True)
        continue
    (batch * 2).tofile(request["result"])
    print(json.dumps({"shape": request["shape"]}), flush=True)
"""
BATCH = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)


def start(code: str) -> WorkerSession:
    return WorkerSession("fake", [sys.executable, "-c", code])


def test_batches_go_in_and_out():
    with start(DOUBLER) as session:
        assert session.facts["version"] == "1"
        folder = Path(session.facts["folder"])
        for _ in range(2):
            np.testing.assert_array_equal(session.run(BATCH), BATCH * 2)
        assert not list(folder.glob("*.in"))
        assert not list(folder.glob("*.out"))
        with pytest.raises(RunnerError, match="fake: there is no nothing"):
            session.run(BATCH, fetch="nothing")
        turned = BATCH.transpose(0, 2, 1, 3)  # not contiguous
        np.testing.assert_array_equal(session.run(turned), turned * 2)
    assert not folder.exists()


def test_missing():
    with pytest.raises(MissingRuntimeError, match="fake: no GPU"):
        start('print(\'{"missing": "no GPU"}\')')


def test_no_such_program():
    with pytest.raises(MissingRuntimeError, match="cannot start no-such-program"):
        WorkerSession("fake", ["no-such-program"])


def test_it_dies_at_the_start():
    with pytest.raises(RunnerError, match=r"ended with status 3: .*the last words"):
        start("import sys; print('the last words', file=sys.stderr); sys.exit(3)")


def test_it_dies_later():
    code = "import sys\nprint('{\"ready\": {}}', flush=True)\nsys.stdin.readline()\nsys.exit(9)"
    with start(code) as session, pytest.raises(RunnerError, match="ended with status 9"):
        session.run(BATCH)


def test_it_takes_too_long(monkeypatch):
    monkeypatch.setattr(worker, "SECONDS", 0.3)
    code = "import time\nprint('{\"ready\": {}}', flush=True)\ntime.sleep(60)"
    began = time.monotonic()
    session = start(code)
    with pytest.raises(RunnerError, match="no answer within 0 s"):
        session.run(BATCH)
    monkeypatch.setattr(worker, "PATIENCE", 0.3)
    session.close()
    assert time.monotonic() - began < 20


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are Unix's")
def test_what_it_started_ends_with_it(monkeypatch, tmp_path):
    """As a browser's many processes must."""
    monkeypatch.setattr(worker, "PATIENCE", 0.3)
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
print('{{"ready": {{}}}}', flush=True)
time.sleep(60)
"""
    start(code).close()
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} is still there")
