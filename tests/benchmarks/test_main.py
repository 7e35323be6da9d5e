import sys
from pathlib import Path

import pytest

from esrgan_benchmarks.__main__ import main


def test_a_study_is_run_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own module: `__main__` is another one in the processes that it starts."""
    page = tmp_path / "page.md"
    page.write_text("<!-- rows: weight-files -->\nSTALE\n<!-- end of rows -->\n")
    monkeypatch.setattr(sys, "argv", ["esrgan_benchmarks", "tables", str(page)])
    assert main() is None
    assert "STALE" not in page.read_text()
    assert sys.modules["esrgan_benchmarks.studies.tables"].__name__ != "__main__"


@pytest.mark.parametrize("words", [["spede"], []])
def test_another_name_lists_them(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["esrgan_benchmarks", *words])
    with pytest.raises(SystemExit, match=r"NAME one of: before_after.*gpu\.main.*speed"):
        main()
