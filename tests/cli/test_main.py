import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from esrgan_cli.commands import doctor
from esrgan_cli.films import run as upscale_run
from esrgan_cli.main import main, make_parser
from esrgan_torch.errors import ConfigError, ImageReadError
from esrgan_torch.images.formats import FORMAT_NAMES

Start = Callable[..., "subprocess.Popen[str]"]

HEAVY = ("torch", "tensorflow", "PIL", "numpy", "tqdm")
PROBE = """
import json, sys
from esrgan_cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print()
    print(json.dumps([end.code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("command", [[], ["upscale"], ["weights"], ["evaluate"], ["doctor"]])
def test_help_is_quick(start_command: Start, command: list[str]) -> None:
    output, errors = start_command(PROBE, *command, "--help").communicate(timeout=60)
    assert errors == ""
    code, modules = json.loads(output.splitlines()[-1])
    assert code == 0
    assert "usage: esrgan" in output
    assert not set(HEAVY) & set(modules)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for command in ("upscale", "weights", "evaluate", "doctor"):
        assert re.search(rf"^ +{command} ", text, re.MULTILINE)


def test_help_names_the_formats_that_are_written() -> None:
    help_text = " ".join(_subparser("upscale").format_help().split())
    assert f"{', '.join(FORMAT_NAMES)}, or same" in help_text


def _subparser(name: str) -> argparse.ArgumentParser:
    for action in make_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices[name]
    raise AssertionError


@pytest.mark.parametrize("arguments", [[], ["enlarge"], ["upscale"], ["upscale", "a.png", "--dtype", "int8"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: esrgan" in captured.err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("esrgan-torch ")


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ConfigError("cannot be"), 2, "esrgan: cannot be\n"),
        (ImageReadError("damaged"), 1, "esrgan: damaged\n"),
        (KeyboardInterrupt(), 130, "esrgan: stopped\n"),
    ],
)
def test_errors_become_statuses(
    error: BaseException,
    status: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(doctor, "run", fail)
    assert main(["doctor"]) == status
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", text)


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(upscale_run, "upscale_files", fail)
    with pytest.raises(ZeroDivisionError):
        main(["upscale", "a.png"])


def test_module_is_the_command(start_command: Start) -> None:
    code = "import runpy; runpy.run_module('esrgan_cli', run_name='__main__')"
    process = start_command(code, "doctor", "-x")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "unrecognized arguments: -x" in errors


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGPIPE on Windows")
def test_closed_stdout_is_no_traceback(start_command: Start) -> None:
    process = start_command(
        "import sys; from esrgan_cli.main import main; sys.exit(main(['weights', 'list']))"
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert errors == ""
