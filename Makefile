# The verbs of this project. Each creates what it needs, and is quick when nothing changed.
#   make demo    a photo and its 4x picture, and a page to compare them        (demo/)
#   make test    install everything and run the tests
#   make check   formatting, lint, types and layers
#   make wheel   the package that is published                                 (dist/)
#   make clean   remove all that the other verbs made

PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS ?=
# two processes of tests: more would fight over the cores with PyTorch's threads
WORKERS ?= 2

.PHONY: demo test check wheel clean

demo: $(VENV)/.installed
	$(VENV)/bin/esrgan upscale examples/cat.jpg --output demo/cat-x4.png --page demo/cat-x4.html --overwrite

test: $(VENV)/.developing
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadgroup $(ARGS)

check: $(VENV)/.developing
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

wheel: $(VENV)/.developing
	rm -rf dist
	$(VENV)/bin/hatchling build

clean:
	rm -rf $(VENV) dist demo .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version + "; give another with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.developing: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.installed
