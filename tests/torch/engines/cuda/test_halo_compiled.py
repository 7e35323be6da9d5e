"""conv.cu compiles for Hopper without spilling, and uses its tensor cores and copy engine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("triton")  # brings the disassembler

import esrgan_torch.engines.cuda.halo as halo
from esrgan_torch.engines.cuda.halo.blocks import KINDS, SHARED_BYTES
from tests.torch.engines.cuda.compiling import read_cubin, read_functions

NVCC = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")


@pytest.mark.skipif(NVCC is None, reason="CUDA's compiler, nvcc, is not installed here")
def test_the_source_compiles(tmp_path: Path) -> None:
    source, cubin = Path(halo.__file__).parent / "conv.cu", tmp_path / "conv.cubin"
    # the options of `make cubin`
    command = [str(NVCC), "-gencode=arch=compute_90a,code=sm_90a", "-cubin", "-O3", "-Xptxas", "-v", "-o"]
    done = subprocess.run([*command, cubin, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"Function properties for (\w+)\n.*?(\d+) bytes spill stores", done.stderr))
    names = {f"{kind}_{dtype}" for kind in {*KINDS, "outer"} for dtype in ("float16", "bfloat16")}
    assert found == dict.fromkeys(names, "0")
    compiled = read_cubin(cubin.read_bytes(), SHARED_BYTES)
    # 9 taps of 2 rows, 12 of both for "rest", for each of 10 kernels, whatever else the compiler unrolls
    assert compiled.count("HGMMA.64x128x16") >= 8 * 18 + 2 * 12
    assert compiled.count("UBLKCP") > 0
    assert compiled.spilled == 0
    for name, opcodes in read_functions(cubin).items():
        # what is added is read between the last products and the wait for them: near and low, or the target
        ended = max(place for place, each in enumerate(opcodes) if each.startswith("HGMMA"))
        waits = [
            place for place, each in enumerate(opcodes) if each == "WARPGROUP.DEPBAR.LE" and place > ended
        ]
        early = opcodes[waits[0] : waits[1]].count("LDG.E.128")
        assert early == {"pair": 0, "rest": 8}.get(name[:4], 16), name
