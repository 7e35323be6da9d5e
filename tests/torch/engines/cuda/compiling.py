"""Compile kernels for devices that are not here, and read what came out."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from esrgan_torch.engines.cuda.conv_rows import conv_rows
from esrgan_torch.engines.cuda.conv_taps import conv_taps
from esrgan_torch.engines.cuda.operands import SIZES, conv_flags
from esrgan_torch.engines.cuda.steps import Conv, Upsample
from esrgan_torch.engines.cuda.tuning import Launch, chunk_for
from esrgan_torch.engines.cuda.upsample import upsample

TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
POINTERS = ("source", "weights", "target", "residual")
NAMES = {"torch.float16": "fp16", "torch.bfloat16": "bf16", "torch.float32": "fp32"}


@dataclass(frozen=True)
class Compiled:
    """What matters of a compiled kernel.

    Args:
        instructions: opcodes of the machine code, in order.
        registers: of a thread.
        spilled: loads and stores of registers that did not fit.
        shared: bytes of shared memory of a program.
    """

    instructions: list[str]
    registers: int
    spilled: int
    shared: int

    def count(self, pattern: str) -> int:
        return sum(bool(re.match(pattern, each)) for each in self.instructions)


def compile_step(step: Conv | Upsample, launch: Launch, capability: tuple[int, int]) -> Compiled:
    """The kernel of a step as `launch.py` would launch it on that device."""
    if isinstance(step, Conv):
        kernel = conv_taps if launch.kind == "taps" else conv_rows
        flags = conv_flags(step, launch)
        if launch.kind != "taps":
            flags["DESCRIPTOR"] = launch.kind == "rows-descriptor"
        source, residual = step.source.buffer, step.residual_buffer or step.target
    else:
        kernel, source, residual = upsample, step.source, step.target
        inputs = step.source.channels
        flags = {
            "INPUTS": inputs,
            "OUTPUTS": step.outputs,
            "PIXELS": launch.pixels,
            "CHUNK": chunk_for(launch, inputs),
        }
    types = {
        "source": _type(source.values),
        "weights": _type(step.weights.matrix),
        "target": _type(step.target.values),
        "residual": _type(residual.values),
        "bias": "*fp32",
        "slopes": "*fp32",
        "slope": "fp32",
        "scale": "fp32",
    }
    if flags.get("DESCRIPTOR"):
        pixels, chunk, outputs = flags["PIXELS"], flags["CHUNK"], flags["OUTPUTS"]
        types["source"] = f"tensordesc<{types['source'][1:]}[{pixels}, {chunk}]>"
        types["weights"] = f"tensordesc<{types['weights'][1:]}[{chunk}, {outputs}]>"
    signature = {name: "constexpr" if name in flags else types.get(name, "i32") for name in kernel.arg_names}
    # addresses, strides and channels are multiples of 16; sizes of pictures are whatever they are
    aligned = {
        (place,): [["tt.divisibility", 16]]
        for place, name in enumerate(kernel.arg_names)
        if signature[name][0] == "*" or (signature[name] == "i32" and name not in (*SIZES, "target_pitch"))
    }
    result = triton.compile(
        ASTSource(fn=kernel, signature=signature, constexprs=flags, attrs=aligned),
        target=GPUTarget("cuda", capability[0] * 10 + capability[1], 32),
        options={"num_warps": launch.warps, "num_stages": launch.stages},
    )
    return read_cubin(result.asm["cubin"], result.metadata.shared)


def read_cubin(cubin: bytes, shared: int) -> Compiled:
    """Disassemble with the tools that Triton brings."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        usage = _output("cuobjdump", "-res-usage", path)
        code = _output("nvdisasm", "-c", path)
    instructions = _opcodes(code)
    registers = max(int(found) for found in re.findall(r"REG:(\d+)", usage))
    spilled = sum(bool(re.match(r"LDL|STL", each)) for each in instructions)
    return Compiled(instructions, registers, spilled, shared)


def read_functions(cubin: Path) -> dict[str, list[str]]:
    """The opcodes of each kernel of a file."""
    code = _output("nvdisasm", "-c", cubin)
    parts = re.split(r"^\.section\s+\.text\.(\w+),.*$", code, flags=re.M)
    return {name: _opcodes(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _opcodes(code: str) -> list[str]:
    return re.findall(r"^\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?\w+\s+)?([A-Z][\w.]*)", code, re.M)


def _output(tool: str, *arguments: str | Path) -> str:
    done = subprocess.run([TOOLS / tool, *arguments], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def _type(values) -> str:
    return "*" + NAMES[str(values.dtype)]
