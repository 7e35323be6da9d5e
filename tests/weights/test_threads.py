"""Reading needs no threads: torch's operations would deal hundreds of small tensors out to all of them."""

import threading

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from esrgan_weights import load, save
from esrgan_weights.recognition.layouts import WRITABLE

# of torch's operations those that compute with a tensor's numbers; views and allocation do not
COMPUTING = ("clone", "copy", "isfinite", "_to_copy", "all", "eq", "abs", "ne", "mul", "equal", "convolution")


class Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        if not any(isinstance(item, torch.Tensor) and item.is_meta for item in (*arguments, result)):
            self.names.append(function.overloadpacket.__name__)
        return result


@pytest.mark.parametrize("layout", WRITABLE)
@pytest.mark.parametrize("dtype", [None, "float16"])
def test_reading_computes_nothing_in_torch(small_rrdb, tmp_path, layout, dtype):
    suffix = {"safetensors": ".safetensors", "ncnn": ".param", "ncnn-float16": ".param"}.get(layout, ".pth")
    path = save(small_rrdb, tmp_path / f"a{suffix}", layout, dtype)
    with Operations() as operations:
        load(path)
    assert [name for name in operations.names if name.startswith(COMPUTING)] == []


def test_reading_leaves_the_threads_of_others_as_they_were(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "a.param")
    torch.set_num_threads(2)
    seen: list[int] = []
    started, done = threading.Event(), threading.Event()

    def other() -> None:
        while not done.is_set():
            thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
            thread.start()
            thread.join()
            started.set()

    watcher = threading.Thread(target=other)
    watcher.start()
    started.wait()
    for _ in range(3):
        load(path)
    done.set()
    watcher.join()
    assert set(seen) == {2}
