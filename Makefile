# Each target installs what it needs into $(VENV). Only Python, make and git must be installed.
#   make demo             score a synthetic release and plot it
#   make test             run the tests on all cores; one test: make test ARGS="-k ncc"
#   make test-fast        test kernels, maps, metrics and statistics on fewer examples (two minutes)
#   make lint             check style, types, import directions, spelling and workflows
#   make docs             build the documentation
#   make changelog        print the changelog of the next release from its fragments
#   make replicate        run the study, small, on synthetic data (minutes)
#   make test-adapters    test the adapters of packages that need their own environment
#   make test-cams        compare Grad-CAM with packages that need their own environment
#   make test-nightly     run slow tests too, and more examples, and measure coverage
#   make release-check    build a release into DIST and check its contents
#   make bench            measure speed against named baselines
#   make densities        compare fitted densities with fixed conversions, DATA=FOLDER of OSIE
#   make coverage         simulate the coverage of intervals and write it into the docs (ten minutes)
#   make ceilings         simulate ceilings and write them into the docs (ten minutes)
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The CPU build of torch is pinned. It is installed from the configured package index if available
# there, otherwise from the index of CPU builds.
TORCH = torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Containers often turn off the cache of compiled modules. Without it, each of the hundreds of processes
# that the tests start compiles the package again.
export PYTHONDONTWRITEBYTECODE =
# Each file is tested by one process, which makes the objects of its fixtures only once. The slowest
# folders come first in the order of collection.
ON_ALL_CORES = -n auto --dist loadfile --no-loadscope-reorder
# Folders of `make test-fast`: no torch, no processes, no pictures.
CORE = tests/kernels tests/maps tests/metrics tests/stats

.PHONY: demo replicate test test-fast test-adapters test-cams test-nightly lint docs changelog release-check bench coverage ceilings clean densities

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("gazesal needs Python 3.11 or newer; this is %d.%d. Name one with: make PYTHON=python3.11 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable '.[cxr,plot,report]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(PIP) '$(TORCH)+cpu' 2>/dev/null || $(PIP) --index-url $(TORCH_INDEX) '$(TORCH)'
	$(PIP) --editable . --group dev --constraint .ci/constraints.txt
	@touch $@

# The notebooks use torch.
$(VENV)/.docs: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(PIP) '$(TORCH)+cpu' 2>/dev/null || $(PIP) --index-url $(TORCH_INDEX) '$(TORCH)'
	$(PIP) --editable . --group docs --constraint .ci/constraints.txt
	@touch $@

# The release tools require old versions of other packages, hence an environment of their own.
$(VENV)-release/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-release
	$(VENV)-release/bin/python -m pip install --quiet --disable-pip-version-check 'build>=1.2' 'twine>=6.1' 'cffconvert>=2.0'
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/gazesal demo

replicate: $(VENV)/.dev
	$(BIN)/gazesal replicate --preset smoke --out gazesal-replication

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ON_ALL_CORES) $(ARGS)

test-fast: $(VENV)/.dev
	GAZESAL_HYPOTHESIS=fast $(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow and not long' $(CORE) $(ARGS)

# pysaliency imports torch and pkg_resources without declaring them, hence its own environment.
$(VENV)-adapters/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-adapters
	$(VENV)-adapters/bin/pip install -q --upgrade 'pip>=25.1'
	$(VENV)-adapters/bin/pip install -q '$(TORCH)+cpu' 2>/dev/null || $(VENV)-adapters/bin/pip install -q --index-url $(TORCH_INDEX) '$(TORCH)'
	$(VENV)-adapters/bin/pip install -q --editable . --group test 'pysaliency==0.2.22' 'setuptools<81'
	@touch $@

test-adapters: $(VENV)-adapters/.done
	$(VENV)-adapters/bin/python -m pytest tests/adapters $(ARGS)

test-nightly: $(VENV)/.dev
	GAZESAL_HYPOTHESIS=nightly $(BIN)/python -m pytest $(ON_ALL_CORES) -m 'slow or not slow' --cov --cov-report= $(ARGS)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/kernels --cov --cov-append --cov-report=
	$(BIN)/coverage report --fail-under=95

# These libraries require torchvision, which requires another torch, hence their own environment.
$(VENV)-cams/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-cams
	$(VENV)-cams/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)-cams/bin/python -m pip install --quiet --editable '.[torch]' --group test grad-cam torchcam torchxrayvision
	@touch $@

test-cams: $(VENV)-cams/.done
	$(VENV)-cams/bin/python -m pytest -W default tests/adapters/test_other_cams.py $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files | xargs $(BIN)/codespell
	$(BIN)/python .ci/check_language.py
	$(BIN)/zizmor --quiet --offline .github
	$(BIN)/sp-repo-review . --show err

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -n -b html docs docs/_build/html
	$(BIN)/python .ci/check_links.py docs/_build/html

changelog: $(VENV)/.dev
	$(BIN)/towncrier build --draft

DIST ?= dist
release-check: $(VENV)-release/.done
	$(VENV)-release/bin/python .ci/release_check.py '$(DIST)'

# The table of metrics has a column of pysaliency if `make test-adapters` has installed it.
bench: $(VENV)/.dev
	$(or $(wildcard $(VENV)-adapters/bin/python),$(BIN)/python) benchmarks/metric_table.py
	$(BIN)/python benchmarks/gaze_side.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/gradcam_cost.py --repeats 5

densities: $(VENV)/.dev
	$(BIN)/python benchmarks/fitted_densities.py $(DATA)

coverage: $(VENV)/.dev
	$(BIN)/python benchmarks/interval_coverage.py $(addprefix --scores ,$(SCORES))

ceilings: $(VENV)/.dev
	$(BIN)/python benchmarks/ceilings.py

clean:
	rm -rf $(VENV) $(VENV)-adapters $(VENV)-cams $(VENV)-release build dist docs/_build gazesal-demo gazesal-replication
