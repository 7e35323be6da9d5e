"""float32 is float32 while a network computes, and the program's settings are its own again afterwards."""

import threading
from typing import Any

import pytest
import torch

from esrgan_torch.engines import computing as computing_module
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.computing import computing
from tests.torch.networks import small_compact, small_rrdb

CPU = torch.device("cpu")
BACKENDS: Any = torch.backends
KINDS = {
    "cudnn.conv": BACKENDS.cudnn.conv,
    "cuda.matmul": BACKENDS.cuda.matmul,
    "mkldnn.conv": BACKENDS.mkldnn.conv,
    "mkldnn.matmul": BACKENDS.mkldnn.matmul,
}


def precisions() -> dict[str, str]:
    return {name: kind.fp32_precision for name, kind in KINDS.items()}


@pytest.fixture
def reduced(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A program that has asked for speed everywhere."""
    wanted = {"cudnn.conv": "tf32", "cuda.matmul": "tf32", "mkldnn.conv": "bf16", "mkldnn.matmul": "bf16"}
    for name, value in wanted.items():
        monkeypatch.setattr(KINDS[name], "fp32_precision", value)
    return wanted


def test_float32_is_float32_within_and_as_it_was_after(reduced: dict[str, str]) -> None:
    with computing(CPU):
        assert set(precisions().values()) == {"ieee"}
        with computing(CPU):
            pass
        assert set(precisions().values()) == {"ieee"}, "the outer one is not done"
    assert precisions() == reduced


def test_an_error_leaves_nothing_behind(reduced: dict[str, str]) -> None:
    with pytest.raises(ZeroDivisionError), computing(CPU):
        raise ZeroDivisionError
    assert precisions() == reduced


def test_the_last_thread_that_leaves_restores(reduced: dict[str, str]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with computing(CPU):
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with computing(CPU):
        thread.start()
        inside.wait()
    assert set(precisions().values()) == {"ieee"}
    leave.set()
    thread.join()
    assert precisions() == reduced


def test_settings_of_older_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    class Flag:
        allow_tf32 = True

    class Backends:
        cudnn = Flag()
        cuda = type("cuda", (), {"matmul": Flag()})()
        mkldnn = BACKENDS.mkldnn

    monkeypatch.setattr(computing_module.torch, "backends", Backends)
    with computing(CPU):
        assert not Backends.cudnn.allow_tf32
        assert not Backends.cuda.matmul.allow_tf32
    assert Backends.cudnn.allow_tf32
    assert Backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("model", [small_rrdb(), small_compact()], ids=["rrdb", "compact"])
def test_engines_compute_the_same_whatever_the_program_asked_for(model: Any, request: Any) -> None:
    batch = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0))

    def run() -> torch.Tensor:
        engine = make_engine(model, CPU, torch.float32, "eager")
        with torch.inference_mode():
            return engine.tail(engine.trunk(batch, lambda _: None))

    expected = run()
    request.getfixturevalue("reduced")
    assert torch.equal(run(), expected)


def test_within_itself_it_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture's parts enter it one by one, in the thread that has entered it for the picture."""
    entered: list[int] = []
    inner = computing_module._enter
    monkeypatch.setattr(computing_module, "_enter", lambda: (entered.append(threading.get_ident()), inner()))
    with computing(CPU):
        with computing(CPU):
            pass
        assert len(entered) == 1
        other = threading.Thread(target=enter)
        other.start()
        other.join()
        assert len(set(entered)) == 2  # another thread has settings of its own
    with computing(CPU):
        assert len(entered) == 3


def enter() -> None:
    with computing(CPU):
        pass
