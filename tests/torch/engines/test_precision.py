"""Precision: what "auto" means, and what is refused."""

import pytest
import torch

from esrgan_torch.engines import choose
from esrgan_torch.engines.choose import Choice, picture_psnr, resolve_dtype, resolve_precision
from esrgan_torch.engines.precision import probe_picture
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.span import SPAN
from esrgan_torch.networks.span_training import SPANTraining
from tests.torch.networks import small_rrdb

CPU = torch.device("cpu")


def test_auto_takes_bfloat16_where_it_is_fast_and_close_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_rrdb()
    monkeypatch.setattr(choose, "computes_bfloat16_fast", lambda device: False)
    assert resolve_dtype("auto", model, CPU) == torch.float32
    monkeypatch.setattr(choose, "computes_bfloat16_fast", lambda device: True)
    monkeypatch.setattr(choose, "is_float32_as_fast", lambda device: False)
    monkeypatch.setattr(choose, "picture_psnr", lambda *given: 50.0)
    assert resolve_dtype("auto", model, CPU) == torch.bfloat16
    monkeypatch.setattr(choose, "picture_psnr", lambda *given: 49.9)
    assert resolve_dtype("auto", model, CPU) == torch.float32


def test_auto_takes_float32_where_that_is_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "computes_bfloat16_fast", lambda device: True)
    monkeypatch.setattr(choose, "picture_psnr", lambda *given: 60.0)
    taken: list[torch.dtype] = []
    for amx, faster in ((False, True), (True, True), (False, False)):
        monkeypatch.setattr(choose, "has_amx", lambda amx=amx: amx)
        monkeypatch.setattr(choose, "is_faster", lambda dtype, faster=faster: faster)
        taken.append(resolve_dtype("auto", small_rrdb(), CPU))
    assert taken == [torch.float32, torch.bfloat16, torch.bfloat16]


def test_no_half_precision_where_only_plain_operators_compute_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "computes_bfloat16_fast", lambda device: True)
    monkeypatch.setattr(choose, "is_float32_as_fast", lambda device: False)
    monkeypatch.setattr(choose, "picture_psnr", lambda *given: 60.0)
    keys = {torch.bfloat16: "plain", torch.float32: "native"}
    monkeypatch.setattr(
        choose, "choose_engine", lambda model, device, dtype: Choice(keys[dtype], "eager", "", "")
    )
    found = resolve_precision("auto", SPAN(4), CPU)
    assert found.dtype == torch.float32
    assert "about as fast here as in bfloat16" in found.why
    keys[torch.bfloat16] = "packed"
    assert resolve_dtype("auto", SPAN(4), CPU) == torch.bfloat16


def test_a_network_that_overflows_stays_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "computes_bfloat16_fast", lambda device: True)
    model = small_rrdb()
    model.conv_hr.weight.data[0] = 1e38
    assert resolve_dtype("auto", model, CPU) == torch.float32


def test_psnr_is_finite_for_bfloat16_and_infinite_for_float32() -> None:
    assert picture_psnr(small_rrdb(), CPU, torch.float32) == float("inf")
    assert 20 < picture_psnr(small_rrdb(), CPU, torch.bfloat16) < 100


def test_the_probe_is_always_the_same_and_has_detail() -> None:
    probe = probe_picture(3)
    assert torch.equal(probe, probe_picture(3))
    assert probe.min() >= 0
    assert probe.max() <= 1
    assert probe.diff(dim=-1).abs().amax() > 0.2


@pytest.mark.parametrize(
    ("given", "expected"), [("float32", torch.float32), (torch.bfloat16, torch.bfloat16)]
)
def test_names_and_types_are_taken(given: str | torch.dtype, expected: torch.dtype) -> None:
    assert resolve_dtype(given, small_rrdb(), CPU) == expected


@pytest.mark.parametrize("given", ["half", "float64", "float16"])
def test_what_the_cpu_cannot_or_should_not_compute_is_refused(given: str) -> None:
    with pytest.raises(ConfigError):
        resolve_dtype(given, small_rrdb(), CPU)


def test_an_engine_asked_for_gives_the_precision_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "computes_bfloat16_fast", lambda device: True)
    monkeypatch.setattr(choose, "is_float32_as_fast", lambda device: False)
    monkeypatch.setattr(choose, "picture_psnr", lambda *given: 60.0)
    native = resolve_precision("auto", small_rrdb(), CPU, "native")
    assert (native.dtype, native.why) == (torch.float32, "the only precision of the native engine")
    # where the native engine is not to run, how fast it is says nothing
    monkeypatch.setattr(choose, "is_float32_as_fast", lambda device: True)
    assert resolve_precision("auto", small_rrdb(), CPU).dtype == torch.float32
    assert resolve_precision("auto", small_rrdb(), CPU, "eager").dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("engine", "able"), [("openvino", "RRDBNet and CompactNet, not SPAN"), ("triton", "RRDBNet, not SPAN")]
)
def test_a_network_that_an_engine_does_not_know_is_told_before_all_else(engine: str, able: str) -> None:
    with pytest.raises(ConfigError, match=f"engine {engine} cannot run this: it computes {able}; or give"):
        choose.choose_engine(SPAN(4), CPU, torch.float32, engine)  # pyright: ignore[reportArgumentType]


def test_a_form_for_training_is_told_from_what_runs() -> None:
    with pytest.raises(ConfigError, match=r"not SPANTraining; give what its fused\(\) returns"):
        choose.choose_engine(SPANTraining(4), CPU, torch.float32)
