"""`make audit`: a weakness is a failure, and a registry that does not answer is told and passes for none."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOUND = "Found 1 known vulnerability in 1 package\nName Version ID\npillow 9.0.0 PYSEC-2022-1"
SKIPPED = "ERROR:pip_audit._cli:torch: Dependency not found on PyPI and could not be audited: torch (2.13.0)"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's script")
@pytest.mark.parametrize(
    ("status", "said", "expected", "told"),
    [
        (0, "No known vulnerabilities found", 0, "Python packages: no known weakness"),
        (1, FOUND, 1, "PYSEC-2022-1"),
        (1, SKIPPED, 0, "Python packages: its registry of weaknesses does not answer here"),
    ],
)
def test_what_is_told(status: int, said: str, expected: int, told: str, tmp_path: Path) -> None:
    for name, ended, text in (("pip-audit", status, said), ("npm", 0, "")):
        (tmp_path / name).write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {ended}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "audit", tmp_path / "pip-audit", tmp_path],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, told in done.stdout) == (expected, True), done
