"""`esrgan weights inspect` of files whose texts would move a terminal's cursor, or name its window."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from esrgan_cli.main import main
from esrgan_torch.networks.compact import CompactNet

ODD = "\x1b]0;owned\x07\x1b[31mred\r\u202e"


def _network(path: Path) -> None:
    state = CompactNet(features=4, convolutions=1).state_dict()
    texts = dict.fromkeys(("license", "source", "name"), ODD)
    save_file({**state, ODD: torch.zeros(1)}, path, metadata=texts)


def _no_network(path: Path) -> None:
    torch.save({ODD: {ODD: torch.zeros(3, 3)}}, path)


def _code(path: Path) -> None:
    path.write_bytes(b"\x80\x02cos\x1b[31m\nsys\x1b[0mtem\n.")


def _graph(path: Path) -> None:
    path.write_text("7767517\n2 2\nInput \x1b[31min 0 1 a\x1b[0m\nFoo\x1b[31m b 1 1 a\x1b[0m c\n")
    path.with_suffix(".bin").write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "make", "status"),
    [
        ("a.safetensors", _network, 0),
        ("a.pth", _no_network, 1),
        ("code.pth", _code, 1),
        ("a.param", _graph, 1),
    ],
)
def test_no_escape_code_reaches_the_terminal(name, make, status, tmp_path, capsys) -> None:
    make(tmp_path / name)
    assert main(["weights", "inspect", str(tmp_path / name)]) == status
    said = "".join(capsys.readouterr())
    assert name in said
    assert not [character for character in said if character != "\n" and not character.isprintable()]
