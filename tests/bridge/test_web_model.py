"""The model that comes with tfjs-esrgan: what is committed is what its weights give."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def script() -> ModuleType:
    """`web/make_model.py`, which is no package."""
    specification = importlib.util.spec_from_file_location("make_model", ROOT / "web" / "make_model.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_it_comes_out_the_same_again() -> None:
    made = script()
    committed = made.TARGET.read_text(encoding="utf-8")
    assert made.as_typescript() == committed, "the weights or the lowering changed: python web/make_model.py"
