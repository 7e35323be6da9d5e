"""Where the environment of the route onnx-tf is looked for: stand-ins for it, which are shell scripts."""

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from esrgan_bridge.chain import convert
from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.onnx_tf import setup as onnx_tf_setup
from esrgan_bridge.onnx_tf.setup import VARIABLE, find_python, install
from esrgan_cli.main import main

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def environment(folder: Path, status: int = 0, words: str = "") -> Path:
    """A folder with a `bin/python` that prints words and ends with a status, whatever it is asked."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho {words}\nexit {status}\n")
    python.chmod(0o755)
    return python


@pytest.fixture
def nowhere(tmp_path, monkeypatch) -> Path:
    """No environment anywhere, in a working directory that holds nothing; gives the user's data folder."""
    data = tmp_path / "data"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name: str(data))
    monkeypatch.setattr(
        onnx_tf_setup, "__file__", str(tmp_path / "checkout" / "bridge" / "package" / "room" / "x.py")
    )
    return data


def test_from_any_working_directory(nowhere, tmp_path, monkeypatch):
    """A flag before the variable before the data folder before the checkout."""
    places = [
        tmp_path / "checkout" / ".venv-onnx-tf",
        nowhere / "onnx-tf",
        tmp_path / "named",
        tmp_path / "given",
    ]
    pythons = []
    for place in places[:2]:
        pythons.append(environment(place))
        assert find_python() == pythons[-1]
    pythons += [environment(place) for place in places[2:]]
    monkeypatch.setenv(VARIABLE, str(places[2]))
    assert find_python() == pythons[2]
    assert find_python(places[3]) == pythons[3]
    assert find_python(pythons[3]) == pythons[3]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "~/named")
    assert find_python() == pythons[2]


def test_a_folder_that_is_named_is_taken_or_refused(nowhere, tmp_path, monkeypatch):
    """Never another one instead."""
    environment(nowhere / "onnx-tf")
    with pytest.raises(MissingRuntimeError, match=r"absent is no Python.*onnx_tf.setup absent"):
        find_python(Path("absent"))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(MissingRuntimeError, match=rf"absent, which \${VARIABLE} names, is no Python"):
        find_python()


def test_an_environment_without_onnx_tf(nowhere):
    """As one whose installation was stopped."""
    environment(nowhere / "onnx-tf", status=1)
    with pytest.raises(MissingRuntimeError, match=r"bin/python has no onnx-tf: make .*onnx_tf.setup"):
        find_python()
    with pytest.raises(MissingRuntimeError, match="has no onnx-tf"):
        find_python(Path(sys.executable))
    (nowhere / "onnx-tf" / "bin" / "python").chmod(0o644)
    with pytest.raises(MissingRuntimeError, match="has no onnx-tf"):
        find_python()


def test_none_is_said_before_anything_is_computed(nowhere, tiny_compact, tmp_path, capsys):
    said: list[str] = []
    with pytest.raises(MissingRuntimeError, match=r"neither .*onnx-tf nor .*--onnx-tf or \$ESRGAN_ONNX_TF"):
        convert(tiny_compact, tmp_path / "net", route="onnx-tf", runners=[], progress=said.append)
    assert said == []
    words = ["convert", "esrgan-lite-x4", "--to", "tfjs", "-o", str(tmp_path / "net"), "--route", "onnx-tf"]
    assert main([*words, "--onnx-tf", "absent"]) == 1
    assert "absent is no Python" in capsys.readouterr().err
    assert not (tmp_path / "net").exists()


def test_a_python_that_fits_is_needed(nowhere, tmp_path):
    new = environment(tmp_path / "new", words="3 14")
    with pytest.raises(
        MissingRuntimeError, match=r"needs Python 3\.9 to 3\.11, and of \S+ none is; .*--python"
    ):
        install(python=str(new))
    with pytest.raises(MissingRuntimeError, match="none is"):
        install(python="no-such-program")
    assert not nowhere.exists()


def test_what_pip_is_asked(nowhere, tmp_path, monkeypatch):
    """Into an environment that is there already; a second time brings it up to date."""
    python = environment(tmp_path / "named")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    assert install() == python
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:3] == ["-m", "pip", "install"]
    listed = Path(asked[-1]).read_text()
    assert "onnx-tf==" in listed
    python.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(MissingRuntimeError, match=r"pip failed in .*named"):
        install()
