"""Words of strangers do nothing: not to a terminal, not in a table."""

import csv
import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from esrgan_cli.main import main
from esrgan_torch.words import cell, harmless, one_line, shown, whole_number

ESCAPE = "\x1b]0;owned\x07\x1b[2Jgone\u202eback"


def test_control_characters_become_numbers() -> None:
    assert one_line("a\nb\tc\x1b[0m\x9b") == "a\\nb\\tc\\x1b[0m\\x9b"
    assert harmless("a\nb\tc\x1b[0m") == "a\nb\tc\\x1b[0m"
    assert one_line("a\u202eb\u200f") == "a\\u202eb\\u200f"
    assert one_line("猫 é") == "猫 é"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerow([cell(text)])
    [[read]] = list(csv.reader(io.StringIO(stream.getvalue())))
    assert read.startswith("'")
    assert cell("a=b.png") == "a=b.png"


def test_what_a_checkpoint_states_moves_no_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {
        "body.0.weight": torch.zeros(2, 3, 3, 3),
        "body.0.bias": torch.zeros(2),
        "body.1.weight": torch.zeros(2),
        "body.2.weight": torch.zeros(2, 2, 3, 3),
        "body.2.bias": torch.zeros(2),
        "body.3.weight": torch.zeros(2),
        "body.4.weight": torch.zeros(12, 2, 3, 3),
        "body.4.bias": torch.zeros(12),
    }
    save_file(
        tensors, path, metadata={"licence": ESCAPE, "source": ESCAPE, ESCAPE: f"one{ESCAPE}\ntwo{ESCAPE}"}
    )
    assert main(["weights", "inspect", str(path)]) == 0
    said = capsys.readouterr().out
    assert "owned" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_an_error_moves_no_cursor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["weights", "inspect", str(tmp_path / f"none{ESCAPE}.pth")]) != 0
    said = capsys.readouterr().err
    assert "owned" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1_0", " 1", "²", "٣", "9" * 19, "9" * 5000])
def test_what_is_no_number_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_numbers_are_read() -> None:
    assert whole_number("0042") == 42
    assert whole_number("9" * 18) == 10**18 - 1
    assert whole_number("1234567890", 9) is None


def test_any_value_is_shown_in_a_few_characters() -> None:
    assert shown("a\n") == "'a\\n'"
    assert shown(["x" * 100]) == "['" + "x" * 55 + "..."
    assert shown(16**5000) == shown([16**5000]) == "a number of thousands of digits"
