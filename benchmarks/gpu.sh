#!/usr/bin/env bash
# Everything that a first or a later run on a GPU should answer, in under 10 minutes, from a bare checkout: PyTorch
# for CUDA, Triton, NumPy and Pillow must be there, nothing else. Rows go to $OUT (else to the current folder).
#
#   OUT=rows benchmarks/gpu.sh              on a GPU
#   OUT=rows benchmarks/gpu.sh --second     a memory checker and a profiler watch small cases; under 3 minutes
#   OUT=rows benchmarks/gpu.sh --dry        the same code with tiny sizes, on a CPU, in Triton's interpreter
#
# The folder gpu-bundle, where `make gpu-bundle` has made it, spares the device downloads and compiling.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=".:weights:benchmarks${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
PYTHON="${PYTHON:-python3}"
case " $* " in
  *" --dry "*) export TRITON_INTERPRET=1 ;;
  *)
    # the halo kernel is an extra: without a cubin, carried or built here, its rows are missing
    HALO=esrgan_torch/engines/cuda/halo
    if test -d gpu-bundle; then
      eval "$("$PYTHON" -m esrgan_benchmarks gpu.bundle open gpu-bundle)"
    elif ! test -f $HALO/conv.sm_90a.cubin; then
      nvcc -gencode=arch=compute_90a,code=sm_90a -cubin -O3 -o $HALO/conv.sm_90a.cubin $HALO/conv.cu ||
        echo "the halo kernel was not built"
    fi
    # no kernels from a bundle: all cores compile them first, where sections would one after the other
    test -n "${TRITON_CACHE_DIR:-}" ||
      timeout 45 "$PYTHON" -m esrgan_benchmarks gpu.precompile --seconds 20 \
        --capability "$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1)" ||
      echo "kernels are compiled when they are used"
    ;;
esac
exec "$PYTHON" -m esrgan_benchmarks gpu.main --commit "${COMMIT:-}" "$@"
