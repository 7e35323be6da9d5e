"""Load and launch machine code through CUDA's driver, which every CUDA machine has; no compiler is needed."""

import ctypes
from typing import Any

from esrgan_torch.errors import EsrganError

MAX_DYNAMIC_SHARED_SIZE_BYTES = 8  # CU_FUNC_ATTRIBUTE_...
LIBRARY = "libcuda.so.1"


class DriverError(EsrganError):
    """CUDA's driver is not there, or refused a call."""


class Module:
    """Kernels of a cubin, on the device whose context is current.

    Args:
        image: the cubin.
        library: the driver; None: this machine's.

    Raises:
        DriverError: no driver, or machine code for another device.
    """

    def __init__(self, image: bytes, library: Any = None) -> None:
        self._library = library or _load()
        self._image = image  # the driver may read it until the end
        self._module = ctypes.c_void_p()
        self._call("cuModuleLoadData", ctypes.byref(self._module), image)

    def function(self, name: str, shared_bytes: int) -> "Function":
        """A kernel by its name, allowed so much dynamic shared memory."""
        handle = ctypes.c_void_p()
        self._call("cuModuleGetFunction", ctypes.byref(handle), self._module, name.encode())
        self._call("cuFuncSetAttribute", handle, MAX_DYNAMIC_SHARED_SIZE_BYTES, shared_bytes)
        return Function(self, handle, shared_bytes)

    def launch(
        self,
        handle: ctypes.c_void_p,
        grid: int,
        block: int,
        shared: int,
        stream: int,
        argument: ctypes.Structure,
    ) -> None:
        """Launch on a stream with a single argument, a structure by value."""
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(argument))
        sizes = [ctypes.c_uint(number) for number in (grid, 1, 1, block, 1, 1, shared)]
        self._call("cuLaunchKernel", handle, *sizes, ctypes.c_void_p(stream), pointers, None)

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*arguments)
        if status != 0:
            text = ctypes.c_char_p()
            self._library.cuGetErrorName(status, ctypes.byref(text))
            reason = text.value.decode() if text.value else f"error {status}"
            raise DriverError(f"{name}: {reason}")


class Function:
    """A kernel that can be launched."""

    def __init__(self, module: Module, handle: ctypes.c_void_p, shared_bytes: int) -> None:
        self._module = module
        self._handle = handle
        self._shared = shared_bytes

    def launch(self, grid: int, block: int, stream: int, argument: ctypes.Structure) -> None:
        """Launch on a stream, as cuLaunchKernel; errors as `Module`."""
        self._module.launch(self._handle, grid, block, self._shared, stream, argument)


def _load() -> Any:
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise DriverError(f"{LIBRARY} cannot be loaded: is NVIDIA's driver installed?") from error
