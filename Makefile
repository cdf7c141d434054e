# make demo       create .venv, install trajplan (no Qt, no napari), plan a phantom, say where the report is
# make test       the same .venv with the test and viewer groups; runs the whole suite
# make lint       ruff, mypy, import contracts, napari manifest
# make benchmark  run benchmarks/*.py, each prints a table
# make train-segmenter DATA=... WORK=...   train the shipped network anew (training/README.md)
# make clean      remove .venv, caches and the demo report
#
# PYTHON=python3.12 picks the interpreter (3.11 or newer), VENV=folder the environment.

VENV ?= .venv
WORKERS ?= 2
export PYTHON VENV WORKERS

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-env lint benchmark train-segmenter clean help
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -8

demo: $(VENV)/.stamp-base
	@$(BIN)/trajplan demo --out demo-report

test: test-env
	@.ci/test.sh "$(CURDIR)/$(BIN)/python" $(ARGS)

test-env: $(VENV)/.stamp-test
	@:

lint: $(VENV)/.stamp-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate --imports plugins/napari_trajplan/napari.yaml

benchmark: $(VENV)/.stamp-base
	@for script in benchmarks/[!_]*.py; do [ -e "$$script" ] || continue; echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

train-segmenter: $(VENV)/.stamp-base
	@[ -d "$(DATA)" ] && [ -n "$(WORK)" ] || { echo "usage: make train-segmenter DATA=folder-with-ct WORK=folder-to-write"; exit 2; }
	@$(PIP) install -q -e ".[training]"
	$(BIN)/python -m training.segmenter.make_data "$(DATA)" "$(WORK)"
	$(BIN)/python -m training.segmenter.train "$(WORK)" --name all --resume
	$(BIN)/python -m training.segmenter.export "$(WORK)/all.pt" trajplan/anatomy/weights/segmenter.onnx --name all

clean:
	rm -rf $(VENV) demo-report build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Stamps: a repeated `make` does nothing until pyproject.toml changes.
$(VENV)/.stamp-base: pyproject.toml .ci/venv.sh
	@.ci/venv.sh $(VENV)
	@echo "installing trajplan into $(VENV)"
	@$(PIP) install -q -e .
	@touch $@

# pip learned dependency groups in 25.1; Debian 12 ships 23.0.
$(VENV)/.stamp-pip: $(VENV)/.stamp-base
	@$(PIP) install -q -U "pip>=25.1"
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-pip
	@echo "installing the test and viewer groups (napari and Qt: about 0.5 GB)"
	@$(PIP) install -q --group test --group viewer
	@touch $@

$(VENV)/.stamp-lint: $(VENV)/.stamp-pip
	@$(PIP) install -q --group lint
	@touch $@
