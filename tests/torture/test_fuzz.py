"""The fuzzer follows readers, and counts the processor's seconds."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.torture import fuzz
from tests.torture.readers import NAMES, PICTURES, TEXTS

pytestmark = pytest.mark.skipif(find_spec("atheris") is None, reason="no atheris on this system")


def test_every_reader_has_a_turn() -> None:
    assert sorted(NAMES) == sorted([*PICTURES, *TEXTS])


def test_a_turn_is_led_by_coverage(tmp_path: Path) -> None:
    """Of a reader that is not followed, one file of a byte is kept, as all files look alike."""
    turn = fuzz.fuzzed("journal", tmp_path / "journal", seconds=1, until=60)
    assert turn.found == ""
    assert turn.count > 100
    assert 0.9 / 60 < turn.minutes < 20 / 60
    kept = [path.read_bytes() for path in (tmp_path / "journal" / "corpus").iterdir()]
    assert len(kept) > 5
    assert not (tmp_path / "journal" / "temporary").exists()


def test_a_reader_that_does_not_start_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RuntimeError, match="nosuch did not start"):
        fuzz.fuzzed("nosuch", tmp_path, seconds=1, until=60)
