"""The terminal shows the project's own lines; where a library does not start, what it said."""

import os
import subprocess
import sys

import pytest

from esrgan_torch.quiet import quiet_stderr

GREETING = b"WARNING: All log messages before InitializeLog() go to stderr\n"


def test_what_a_library_in_c_prints_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, GREETING)
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"


def test_it_is_shown_where_the_library_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def start() -> None:
        with quiet_stderr():
            os.write(2, GREETING)
            raise ImportError

    with pytest.raises(ImportError):
        start()
    assert capfd.readouterr().err == GREETING.decode()


@pytest.mark.skipif(os.name == "nt", reason="a shell closes the stream")
def test_without_stderr() -> None:
    code = "from esrgan_torch.quiet import quiet_stderr\nwith quiet_stderr(): print('done', flush=True)"
    command = ["sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, code]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "done\n"


def test_tensorflow_greets_nobody() -> None:
    pytest.importorskip("tensorflow.core.framework.graph_pb2")
    code = (
        "from esrgan_bridge.writers.quiet import import_tensorflow\n"
        "import_tensorflow('tensorflow.core.framework.graph_pb2')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
