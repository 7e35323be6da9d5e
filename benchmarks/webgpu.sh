#!/usr/bin/env bash
# The engines of web pages on a GPU, in under 4 minutes: tfjs-esrgan's shaders, TF.js and onnxruntime-web on WebGPU, by
# Dawn in Node. `make webgpu-bundle` makes the folder webgpu-bundle, with all that is needed but Python and a driver of
# Vulkan. Rows go to $OUT (else to the current folder).
#
#   OUT=rows benchmarks/webgpu.sh
#   OUT=rows benchmarks/webgpu.sh --dry --driver /usr/lib/chromium/vk_swiftshader_icd.json    tiny pictures
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=".:weights:benchmarks${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
exec "${PYTHON:-python3}" -m esrgan_benchmarks gpu.webgpu run webgpu-bundle --out "${OUT:-.}" "$@"
