"""Kernels in Triton's interpreter: TRITON_INTERPRET=1 pytest tests/torch/engines/cuda/interpreted.

Triton reads the variable when a kernel is defined, so they have a process of their own, which
`test_interpreter.py`, beside this folder, starts.
"""

import os

if os.environ.get("TRITON_INTERPRET") == "1":
    from tests.torch.engines.cuda.repair import repair_bfloat16

    repair_bfloat16()
else:
    collect_ignore_glob = ["test_*.py"]
