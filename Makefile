# minqing: set-up, main job, tests. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_TO_TEST := $(VENV)/.ready-to-test
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.PHONY: run
run: $(READY)  ## set everything up, route the bundled petitions and mine the bundled policies
	@$(BIN)/minqing demo

.PHONY: test
test: $(READY_TO_TEST)  ## set everything up, check style, types and floors, and run every test
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: lint
lint: $(READY_TO_TEST)  ## style (ruff), types (mypy), floors (import-linter)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(READY_TO_TEST)  ## measure accuracy and speed against the baselines (needs the evaluation data)
	@$(BIN)/minqing statutes build
	@for file in benchmarks/accuracy.py benchmarks/segmentation.py benchmarks/zero_history.py benchmarks/citations.py benchmarks/gaps.py benchmarks/renumbering.py benchmarks/statute_search.py benchmarks/throughput.py benchmarks/new_unit.py benchmarks/label_errors.py benchmarks/drift.py benchmarks/replies.py benchmarks/retrain.py benchmarks/transformer.py benchmarks/store.py benchmarks/load.py benchmarks/delivery.py benchmarks/crash.py benchmarks/console.py benchmarks/conformance.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

.PHONY: clean
clean:  ## remove what set-up and runs left in this folder
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$$(sed -n 's/^uv==//p' constraints.txt)"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --compile-bytecode -c constraints.txt -e ".[statutes]"
	@touch $@

# torch comes through pip, which takes a build for processors where one is at hand.
$(READY_TO_TEST): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "torch==2.13.0"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --compile-bytecode -c constraints.txt -e ".[dev,postgres,statutes,transformer]"
	@touch $@
