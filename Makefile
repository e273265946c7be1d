# Each target sets up what it needs in $(VENV); nothing but Python and git has to be there.
#   make demo   score a synthetic release and draw it       make test   run the tests
#   make replicate   the study, small, on synthetic data (minutes)
#   make lint   style, types, import directions           make docs   build the documentation
#   make test-adapters   the adapters beside packages that need an environment of their own
#   make release-check   build a release and look at what is in it, into DIST
#   make bench  speed against named baselines             make test-nightly   slow tests too, more examples
#   make coverage   simulate how often intervals cover, and write it into the docs (ten minutes)
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The development environment pins the CPU build of torch: from the configured package index where
# that has it, else from torch's own index of CPU builds.
TORCH = torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: demo replicate test test-adapters test-cams test-nightly lint docs release-check bench coverage clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("gazesal needs Python 3.11 or newer; this is %d.%d. Name one with: make PYTHON=python3.11 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[cxr,plot,report]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(PIP) '$(TORCH)+cpu' 2>/dev/null || $(PIP) --index-url $(TORCH_INDEX) '$(TORCH)'
	$(PIP) --editable '.[dev]' --constraint .ci/constraints.txt
	@touch $@

# the notebooks use torch
$(VENV)/.docs: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(PIP) '$(TORCH)+cpu' 2>/dev/null || $(PIP) --index-url $(TORCH_INDEX) '$(TORCH)'
	$(PIP) --editable '.[docs]' --constraint .ci/constraints.txt
	@touch $@

# the tools of a release hold others back, so they have an environment of their own
$(VENV)-release/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-release
	$(VENV)-release/bin/python -m pip install --quiet --disable-pip-version-check 'build>=1.2' 'twine>=6.1' 'cffconvert>=2.0'
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/gazesal demo

replicate: $(VENV)/.dev
	$(BIN)/gazesal replicate --preset smoke --out gazesal-replication

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)

# pysaliency imports torch and pkg_resources without saying so, hence an environment of its own
$(VENV)-adapters/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-adapters
	$(VENV)-adapters/bin/pip install -q '$(TORCH)+cpu' 2>/dev/null || $(VENV)-adapters/bin/pip install -q --index-url $(TORCH_INDEX) '$(TORCH)'
	$(VENV)-adapters/bin/pip install -q --editable '.[test]' 'pysaliency==0.2.22' 'setuptools<81'
	@touch $@

test-adapters: $(VENV)-adapters/.done
	$(VENV)-adapters/bin/python -m pytest tests/adapters $(ARGS)

test-nightly: $(VENV)/.dev
	GAZESAL_HYPOTHESIS=nightly $(BIN)/python -m pytest -m 'slow or not slow' $(ARGS)

# Libraries that want torchvision, and with it a torch of their own: an environment beside the other.
$(VENV)-cams/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-cams
	$(VENV)-cams/bin/python -m pip install --quiet --editable '.[test,torch]' grad-cam torchcam torchxrayvision
	@touch $@

test-cams: $(VENV)-cams/.done
	$(VENV)-cams/bin/python -m pytest -W default tests/adapters/test_other_cams.py $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files | xargs $(BIN)/codespell

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -n -b html docs docs/_build/html
	$(BIN)/python .ci/check_links.py docs/_build/html

DIST ?= dist
release-check: $(VENV)-release/.done
	$(VENV)-release/bin/python .ci/release_check.py '$(DIST)'

# The table of metrics has a column of pysaliency where `make test-adapters` has installed it.
bench: $(VENV)/.dev
	$(or $(wildcard $(VENV)-adapters/bin/python),$(BIN)/python) benchmarks/metric_table.py
	$(BIN)/python benchmarks/gaze_side.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/gradcam_cost.py --repeats 5

coverage: $(VENV)/.dev
	$(BIN)/python benchmarks/interval_coverage.py $(addprefix --scores ,$(SCORES))

clean:
	rm -rf $(VENV) $(VENV)-adapters $(VENV)-cams $(VENV)-release build dist docs/_build gazesal-demo gazesal-replication
