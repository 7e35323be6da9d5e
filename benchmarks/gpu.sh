#!/usr/bin/env bash
# Everything that a first or a later run on a GPU should answer, in under 9 minutes, from a bare checkout: PyTorch
# for CUDA and Triton must be there, nothing else. Rows go to $OUT (else to the current folder).
#
#   OUT=rows benchmarks/gpu.sh              on a GPU
#   OUT=rows benchmarks/gpu.sh --dry        the same code with tiny sizes, on a CPU, in Triton's interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=".:weights:benchmarks${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
case " $* " in *" --dry "*) export TRITON_INTERPRET=1 ;; esac
# the halo kernel is an extra: without a compiler for it, its rows are missing
if command -v nvcc >/dev/null; then make cubin || echo "the halo kernel was not built"; fi
exec "${PYTHON:-python3}" -m esrgan_benchmarks.gpu "$@"
