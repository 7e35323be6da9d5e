"""The loader against a stand-in for CUDA's driver that records its calls."""

import ctypes

import pytest

from esrgan_torch.engines.cuda.halo import driver
from esrgan_torch.engines.cuda.halo.blocks import Arguments
from esrgan_torch.engines.cuda.halo.driver import DriverError, Module


class Recorder:
    """Every function of the driver: it succeeds, unless it is to fail."""

    def __init__(self, failing: str = "") -> None:
        self.calls: list[str] = []
        self.launched: tuple[int, ...] = ()
        self._failing = failing

    def __getattr__(self, name: str):
        def call(*arguments) -> int:
            self.calls.append(name)
            if name == "cuModuleLoadData":
                assert arguments[1] == b"machine code"
                arguments[0]._obj.value = 11
            if name == "cuModuleGetFunction":
                assert (arguments[1].value, arguments[2]) == (11, b"pair1_float16")
                arguments[0]._obj.value = 22
            if name == "cuLaunchKernel":
                argument = ctypes.cast(arguments[9][0], ctypes.POINTER(Arguments)).contents
                sizes = [each.value for each in arguments[1:8]]
                self.launched = (arguments[0].value, *sizes, arguments[8].value, argument.pitch)
            if name == "cuGetErrorName":
                arguments[1]._obj.value = b"CUDA_ERROR_INVALID_IMAGE"
            return 200 if name == self._failing else 0

        return call


def test_a_launch() -> None:
    library = Recorder()
    function = Module(b"machine code", library).function("pair1_float16", 196_000)
    function.launch(132, 384, 77, Arguments(pitch=129))
    assert library.calls == [
        "cuModuleLoadData",
        "cuModuleGetFunction",
        "cuFuncSetAttribute",
        "cuLaunchKernel",
    ]
    assert library.launched == (22, 132, 1, 1, 384, 1, 1, 196_000, 77, 129)


def test_a_refusal_names_the_call() -> None:
    with pytest.raises(DriverError, match="cuModuleLoadData: CUDA_ERROR_INVALID_IMAGE"):
        Module(b"machine code", Recorder("cuModuleLoadData"))


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LIBRARY", "libnothing.so.0")
    with pytest.raises(DriverError, match="cannot be loaded"):
        Module(b"")
