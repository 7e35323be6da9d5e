"""A program's own settings change nothing in a picture, and are as they were afterwards."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from esrgan_torch import Upscaler
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines.choose import EngineName
from esrgan_torch.engines.native.engine import is_usable
from tests.torch.networks import small_compact, small_rrdb
from tests.torch.test_upscaler import photo

Setting = Callable[[], AbstractContextManager[object]]

PIXELS = photo(20, 23, 4)
PIXELS[4:12, 3:15, 3] = 0
MODELS = {"rrdb": small_rrdb(scale=2, unshuffle=2), "compact": small_compact()}


@contextmanager
def changed(set_it: Callable[[Any], object], before: Any, wanted: Any) -> Generator[None]:
    set_it(wanted)
    try:
        yield
    finally:
        set_it(before)


def default_device(name: str) -> Setting:
    return lambda: changed(torch.set_default_device, None, name)


def default_dtype(dtype: torch.dtype) -> Setting:
    return lambda: changed(torch.set_default_dtype, torch.float32, dtype)


BACKENDS: Any = torch.backends


def precision(place: Any, value: str) -> Setting:
    return lambda: changed(lambda wanted: setattr(place, "fp32_precision", wanted), "none", value)


SETTINGS: dict[str, Setting] = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "default dtype float64": default_dtype(torch.float64),
    "default dtype float16": default_dtype(torch.float16),
    "default device meta": default_device("meta"),
    "default device by with": lambda: torch.device("meta"),
    "deterministic algorithms": lambda: changed(torch.set_deterministic_debug_mode, "default", "error"),
    "mkldnn off": lambda: changed(lambda wanted: setattr(BACKENDS.mkldnn, "enabled", wanted), True, False),
    "float32 matmul precision": lambda: changed(torch.set_float32_matmul_precision, "highest", "medium"),
    "bfloat16 convolutions": precision(BACKENDS.mkldnn, "bf16"),
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
    "gradients": torch.enable_grad,
    "anomaly detection": lambda: torch.autograd.detect_anomaly(check_nan=True),
    "numpy raises": lambda: np.errstate(all="raise"),
}


def facts() -> dict[str, object]:
    """All that a program could find changed."""
    kinds = (("cudnn", "conv"), ("cuda", "matmul"), ("mkldnn", "conv"), ("mkldnn", "matmul"))
    return {
        **{".".join(kind): getattr(getattr(BACKENDS, kind[0]), kind[1]).fp32_precision for kind in kinds},
        "mkldnn": torch._C._get_mkldnn_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "fill": torch.utils.deterministic.fill_uninitialized_memory,
        "threads": torch.get_num_threads(),
        "grad": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "numpy": np.geterr(),
        "random": torch.random.get_rng_state().sum().item(),
    }


ENGINES = [
    "rrdb",
    "rrdb plain",
    "compact",
    "rrdb openvino",
    "compact openvino",
    "rrdb native",
    "compact native",
    "probed",
]


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[[], Upscaler]:
    """Makes an Upscaler, each time of the same engine."""
    kind: str = request.param
    name: EngineName = "eager"
    if "openvino" in kind:
        pytest.importorskip("openvino")
        name = "openvino"
    if "native" in kind:
        if not is_usable():
            pytest.skip("the native engine does not run here")
        name = "native"
    if "plain" in kind:
        request.getfixturevalue("monkeypatch").setattr(engine_packed, "is_available", lambda *_: False)
    model = MODELS[kind.split()[0]] if kind != "probed" else MODELS["rrdb"]
    return lambda: Upscaler(model, "cpu", "auto" if kind == "probed" else "float32", engine=name)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_the_picture_is_the_same_and_the_setting_too(setting: str, make: Callable[[], Upscaler]) -> None:
    upscaler = make()
    expected = upscaler(PIXELS)
    with SETTINGS[setting]():
        before = facts()
        np.testing.assert_array_equal(upscaler(PIXELS), expected)
        made_within = make()
        assert made_within.dtype == upscaler.dtype
        assert type(made_within._engine) is type(upscaler._engine)
        np.testing.assert_array_equal(made_within(PIXELS), expected)
        assert facts() == before
    np.testing.assert_array_equal(made_within(PIXELS), expected)


@pytest.mark.parametrize("setting", ["autocast", "mkldnn off", "bfloat16 convolutions"])
def test_the_setting_would_be_felt(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would pass on nothing."""
    monkeypatch.setattr("esrgan_torch.engines.base.computing", lambda _: nullcontext())
    monkeypatch.setattr("esrgan_torch.engines.choose.computing", lambda _: nullcontext())
    monkeypatch.setattr("esrgan_torch.tiling.run.computing", lambda _: nullcontext())
    monkeypatch.setattr(engine_packed, "is_available", lambda *_: False)
    model = small_rrdb(features=32, growth=32)
    expected = Upscaler(model, "cpu", "float32", engine="eager")(PIXELS)
    with SETTINGS[setting](), pytest.raises(Exception, match=r"BFloat16|differ"):
        assert np.array_equal(Upscaler(model, "cpu", "float32", engine="eager")(PIXELS), expected), "differ"


def test_the_documented_table_is_this_test_s() -> None:
    page = (Path(__file__).parents[3] / "docs" / "library.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.endswith("| equal |")]
    assert [row[0].removeprefix("| ") for row in rows] == list(SETTINGS)
    assert {len(row) - 1 for row in rows} == {len(ENGINES)}
