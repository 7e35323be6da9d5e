import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.output.streams import flush_streams, prepare_streams, put


def test_no_name_is_too_odd_to_print(monkeypatch: pytest.MonkeyPatch) -> None:
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding="cp1252"))
    prepare_streams()
    assert put("é 猫 😀 \udcff \ud800", sys.stdout) is None
    assert data.getvalue() == b"\xe9 \\u732b \\U0001f600 \xff \\ud800\n"


def test_a_closed_stream_takes_text_and_drops_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    prepare_streams()
    print("to nobody", file=sys.stderr)
    sys.stderr.close()
    assert capsys.readouterr().out == ""
    assert isinstance(put("more", sys.stderr), ValueError)


class Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_what_is_lost_at_the_end_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flush_streams()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Full())
        assert not flush_streams()
    assert "stdout cannot be written" in capsys.readouterr().err


TAKEN = """
import os, sys
from esrgan_cli.output.streams import prepare_streams, take_stdout
prepare_streams()
with take_stdout() as stdout:
    assert stdout.name == "stdout"
    os.write(1, b"from a library\\n")
    print("from Python", flush=True)
    stdout.write(b"picture")
"""


def test_nothing_else_is_printed_to_a_stdout_that_was_taken(
    start_command: Callable[..., "subprocess.Popen[str]"],
) -> None:
    output, errors = start_command(TAKEN).communicate(timeout=60)
    assert output == "picture"
    assert errors.splitlines() == ["from a library", "from Python"]


CLOSED = """
import os, sys
from esrgan_cli.output.streams import prepare_streams
prepare_streams()
print("lost", flush=True)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
assert file > 2, file
os.write(1, b"into no picture")
os.close(file)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no shell with >&- there")
def test_files_do_not_get_the_numbers_of_closed_streams(tmp_path: Path) -> None:
    subprocess.run(
        ["sh", "-c", '"$0" -c "$1" "$2" <&- >&- 2>&-', sys.executable, CLOSED, str(tmp_path / "picture")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    assert (tmp_path / "picture").read_bytes() == b""
