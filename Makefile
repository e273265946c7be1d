# Each target sets up what it needs in $(VENV); nothing but Python and git has to be there.
#   make demo   score a synthetic study and draw it       make test   run the tests
#   make lint   style, types, import directions           make docs   build the documentation
#   make bench  speed against named baselines             make test-slow   the long tests too
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The development environment pins the CPU build of torch. Where the package index offers another
# build of that version, name one that has it:  make test TORCH_INDEX=<URL of a wheel index>
TORCH_INDEX ?=
INDEX = $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: demo test test-slow lint docs bench clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("gazesal needs Python 3.11 or newer; this is %d.%d. Name one with: make PYTHON=python3.11 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[plot]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(PIP) --editable '.[dev]' --constraint .ci/constraints.txt $(INDEX)
	@touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[docs,plot]'
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/gazesal demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m 'not slow' $(ARGS)

test-slow: $(VENV)/.dev
	GAZESAL_HYPOTHESIS=nightly $(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files | xargs $(BIN)/codespell

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -n -b html docs docs/_build/html

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/full_size.py

clean:
	rm -rf $(VENV) build dist docs/_build gazesal-demo
