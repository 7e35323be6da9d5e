# The verbs of this project. Each creates what it needs, and is quick when nothing changed.
#   make demo    a photo and its 4x picture, and a page to compare them        (demo/)
#   make test    install everything and run the tests; with ARGS="..." those of Python that pytest then chooses
#   make torture faults on purpose, for hours: kill -9, full disks, odd paths, bad servers, a fuzzer   (docs/reliability.md)
#   make audit   known weaknesses of the packages that are used, where the registries answer
#   make check   formatting, lint, types, layers, and the documentation
#   make docs    the documentation as a site, which needs no network           (build/site/index.html)
#   make onnx-tf the second, independent converter, in an environment of its own (Python 3.11)
#   make cubin   the CUDA kernel for Hopper; needs nvcc (esrgan_torch/engines/cuda/halo/)
#   make gpu-bundle  weights and compiled kernels for a GPU machine without a network (gpu-bundle/); needs nvcc
#   make cards   the pictures of five kinds in the cards of the project's own models   (docs/images/*-kinds.webp)
#   make training-bundle  photographs and packages for a training on a GPU machine without a network (training-bundle/)
#   make webgpu-bundle  Node, Dawn and engines of web pages for such a machine (webgpu-bundle/)
#   make projects  tfjs-esrgan in the projects of all tools that it is for, and their table in docs/web.md
#   make native  the CPU engine for this kind of machine; needs gcc or clang   (esrgan_torch/engines/native/lib/)
#   make wasm    its kernels for browsers and Node, which are committed        (web/src/engine/kernels/)
#   make wheel   the packages that are published, for each system              (dist/)
#   make wheel-alone  whether such a package works alone, in an empty environment
#   make wheel-check  whether the compiled parts of those packages are what their source gives
#   make release all that is published, checked, and tried in empty environments     (RELEASING.md)
#   make hub-models  a folder for each of the project's own models, ready for the Hugging Face hub (build/hub/)
#   make clean   remove all that the other verbs made

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS = constraints.txt constraints-indirect.txt
PIP = $(VENV)/bin/pip install --quiet --disable-pip-version-check $(CONSTRAINTS:%=--constraint %)
ARGS ?=
# two processes of tests: more would fight over the cores with PyTorch's threads
WORKERS ?= 2

.PHONY: demo test torture audit check docs release hub-models projects wheel wheel-alone wheel-check onnx-tf clean cubin gpu-bundle training-bundle webgpu-bundle cards \
  native wasm

demo: $(VENV)/.installed
	$(VENV)/bin/esrgan upscale examples/cat.jpg --output demo/cat-x4.png --page demo/cat-x4.html --overwrite || \
	  { echo "once more, with the small weights that come with the project"; $(VENV)/bin/esrgan upscale \
	  examples/cat.jpg --model esrgan-lite-x4 --output demo/cat-x4.png --page demo/cat-x4.html --overwrite; }

test: $(VENV)/.developing $(VENV)/.tfjs $(VENV)/.browsers $(VENV)/.vulkan web/node_modules/.installed
	$(if $(ARGS),,cd web && npm run --silent test && npm run --silent test:browser && npm run --silent test:projects)
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadgroup $(ARGS)

# rows go to benchmarks/results; the quick part is in `make test`
torture: $(VENV)/.developing
	PYTHONPATH=.:weights:bridge:benchmarks:cli $(VENV)/bin/python -m tests.torture $(ARGS)

audit: web/node_modules/.installed .venv-audit/.installed
	.ci/audit .venv-audit/bin/pip-audit web

.venv-audit/.installed: constraints.txt
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt pip-audit
	touch $@

check: $(VENV)/.developing web/node_modules/.installed docs
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports
	cd web && npm run --silent check

docs: $(VENV)/.developing web/node_modules/.installed
	cd web && npm run --silent docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict

projects: $(VENV)/.browsers web/node_modules/.installed
	cd web && PROJECTS=all npm run --silent test:projects

native: $(VENV)/.installed
	$(VENV)/bin/python -m esrgan_torch.engines.native.build

# zig compiles the native engine for every system; it is large, so it has an environment of its own
ZIG = .venv-zig/bin/python-zig
SYSTEMS = linux-x86_64 linux-aarch64 macos-arm64 windows-x86_64
wheel: $(VENV)/.developing web/node_modules/.installed .venv-zig/.installed
	rm -rf dist cli/esrgan_cli/demo_files
	cd web && npm run --silent build && npm run --silent build:demo
	cp -R web/dist-demo cli/esrgan_cli/demo_files
	cp web/dist/kernels/kernels.js bridge/esrgan_bridge/tfjs_runner/
	ZIG=$(ZIG) $(VENV)/bin/python -m esrgan_torch.engines.native.cross $(SYSTEMS)
	$(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir dist .
	for system in $(SYSTEMS); do ESRGAN_WHEEL=$$system $(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir dist . || exit 1; done

# the native engine's kernels for browsers and Node; what this makes is committed (web/src/engine/kernels/)
wasm: .venv-zig/.installed
	ZIG=$(ZIG) $(PYTHON) web/native/build.py

wheel-alone: wheel
	$(PYTHON) .ci/wheel-alone dist/*-none-any.whl constraints.txt examples/cat.jpg

release: wheel .venv-release/.installed
	PYTHONPATH=. .venv-release/bin/python -m release.build

.venv-release/.installed: constraints.txt
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt build twine
	touch $@

hub-models: $(VENV)/.developing
	$(VENV)/bin/python -m release.hub build/hub

# the libraries that `make wheel` made, compiled once more from nothing: the same bytes, or an error
wheel-check: $(VENV)/.developing .venv-zig/.installed
	ZIG=$(ZIG) $(VENV)/bin/python -m esrgan_torch.engines.native.cross --check $(SYSTEMS)

.venv-zig/.installed: constraints.txt
	$(PYTHON) -m venv .venv-zig
	.venv-zig/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt ziglang
	touch $@

HALO = esrgan_torch/engines/cuda/halo
NVCC ?= nvcc
cubin: $(HALO)/conv.sm_90a.cubin
$(HALO)/conv.sm_90a.cubin: $(HALO)/conv.cu $(HALO)/wgmma.cuh
	$(NVCC) -gencode=arch=compute_90a,code=sm_90a -cubin -O3 -o $@ $<

# what a GPU machine without a network needs beside the checkout: benchmarks/gpu.sh finds it in this folder. Triton's
# kernels fit only the device's own versions of Python and Triton: DEVICE_PYTHON is an interpreter that has them
DEVICE_PYTHON ?= $(VENV)/bin/python
gpu-bundle: $(VENV)/.installed cubin
	PYTHONPATH=.:weights:benchmarks $(VENV)/bin/python -m esrgan_benchmarks gpu.bundle make gpu-bundle --python $(DEVICE_PYTHON)

CARD = PYTHONPATH=.:weights:benchmarks $(VENV)/bin/python -m esrgan_benchmarks model_pictures bicubic
cards: $(VENV)/.developing
	$(CARD) esrgan-lite-x4 realesrgan-x4plus -o docs/images/lite-x4-kinds.webp
	$(CARD) esrgan-lite-x2 --scale 2 -o docs/images/lite-x2-kinds.webp
	$(CARD) esrgan-lite-x4-gan realesr-general-x4v3 realesrgan-x4plus --jpeg 40 -o docs/images/lite-x4-gan-kinds.webp

# there: python -m esrgan_benchmarks gpu.training training/NAME.toml OUTPUT --seconds N, see training/README.md. A recipe with a
# teacher needs it too: make training-bundle ARGS="--teacher realesrgan-x4plus --megabytes 50"
training-bundle: $(VENV)/.developing
	PYTHONPATH=.:weights:benchmarks $(VENV)/bin/python -m esrgan_benchmarks gpu.training_bundle training-bundle --data ../shared/data $(ARGS)

# what benchmarks/webgpu.sh needs on a GPU machine without a network
webgpu-bundle: $(VENV)/.developing web/node_modules/.installed
	PYTHONPATH=.:weights:bridge:benchmarks $(VENV)/bin/python -m esrgan_benchmarks.runtimes.web_packages
	PYTHONPATH=.:weights:bridge:benchmarks $(VENV)/bin/python -m esrgan_benchmarks gpu.webgpu make webgpu-bundle

clean:
	rm -rf $(VENV) .venv-onnx-tf .venv-zig .venv-audit .venv-release build dist demo gpu-bundle training-bundle webgpu-bundle web/node_modules web/dist web/dist-demo web/bench/dist \
	  web/bench/node_modules cli/esrgan_cli/demo_files bridge/esrgan_bridge/tfjs_runner/kernels.js esrgan_torch/engines/native/lib .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version + "; give another with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) --editable '.[onnx]'
	touch $@

$(VENV)/.developing: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.installed

# TensorFlow.js for Node and browsers, to compare converted networks with the original
$(VENV)/.tfjs: bridge/esrgan_bridge/tfjs_runner/package-lock.json | $(VENV)/.developing
	$(VENV)/bin/python -m esrgan_bridge.runners.tfjs_setup
	touch $@

# not `npm ci`: it refuses a lock file that lacks the builds of rollup for other platforms, which not every registry has
web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm install --no-save --silent --no-audit --no-fund
	touch $@

# browsers from the system's packages, where they are not there and this is Debian's root; else tests say what they lack
DEBIAN = test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq
$(VENV)/.browsers: | $(VENV)/.developing
	command -v chromium || command -v google-chrome || { $(DEBIAN) chromium; } || \
	  echo "no Chromium here: tests in it will be skipped"
	command -v firefox-esr || command -v firefox || { $(DEBIAN) firefox-esr; } || \
	  echo "no Firefox here: tests in it will be skipped"
	touch $@

# Mesa's Vulkan driver for processors, in the same way
$(VENV)/.vulkan: | $(VENV)/.developing
	$(VENV)/bin/python -c 'import ncnn, sys; sys.exit(not ncnn.get_gpu_count())' 2>/dev/null || { $(DEBIAN) mesa-vulkan-drivers; } || \
	  echo "no Vulkan driver here: tests on it will be skipped"
	touch $@

onnx-tf: .venv-onnx-tf/.installed

.venv-onnx-tf/.installed: bridge/esrgan_bridge/onnx_tf/onnx_tf_requirements.txt | $(VENV)/.installed
	$(VENV)/bin/python -m esrgan_bridge.onnx_tf.setup .venv-onnx-tf
	touch $@
