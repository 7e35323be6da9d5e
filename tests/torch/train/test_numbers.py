"""Numbers in recipes that Python does not read or write, or that nothing can hold: the documented error."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.options import Options
from esrgan_torch.train.recipe import read_recipe

MANY = "9" * 5000
VALUES = (MANY, f"-{MANY}", "9" * 400, f"0x{'f' * 5000}", f"[0x{'f' * 5000}]", "1e999", f"1e{MANY}", "nan")


def names() -> list[str]:
    found: list[str] = []
    for part in fields(Options):
        inner = part.type if is_dataclass(part.type) else None
        found += [f"{part.name}.{each.name}" for each in fields(inner)] if inner else [part.name]
    return found


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{value[:6]}-{len(value)}")
def test_no_option_takes_such_a_number(value: str) -> None:
    told: list[str] = []
    for name in names():
        try:
            read_recipe("smoke", [f"{name}={value}"])
        except ConfigError as error:
            told.append(str(error))
    assert len(told) > 40


def test_a_file_with_such_a_number(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    for value in VALUES:
        file.write_text(f"steps = {value}\n")
        with pytest.raises(ConfigError) as raised:
            read_recipe(file)
        assert len(str(raised.value)) < 500
