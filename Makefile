# Every job of this house in one word; `make` alone lists them.
# Needs Python 3.11 or newer and a package index. The first job makes .venv (by uv where it is found, else by pip).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

NEWER := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	if $$name -c '$(NEWER)' 2>/dev/null; then echo $$name; break; fi; done)
UV ?= $(shell if uv --version >/dev/null 2>&1; then echo uv; fi)

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCH_INSTALLED := $(VENV)/.installed-bench
SPARK_INSTALLED := $(VENV)/.installed-spark
ROOMS := hub_core connectors ehr_pm pipelines hub_api dashboards tests
WORKERS ?= 2
ARGS ?=

ifeq ($(UV),)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
else
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --constraint requirements.lock
endif

.PHONY: help demo up test test-all test-spark lint format bench lock docs clean

help: ## list the jobs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## a simulated group through the whole house, beside its truth; ARGS=... goes to `wholechart demo`
	@$(BIN)/wholechart demo $(ARGS)

up: $(INSTALLED) ## start everything on what the demo left; ARGS=... goes to `wholechart up`
	@$(BIN)/wholechart up $(ARGS)

test: $(INSTALLED) ## the tests that take seconds each; browser tests where Chromium is found
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow" $(ARGS)

test-all: $(INSTALLED) ## every test, the minutes-long ones too
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-spark: $(SPARK_INSTALLED) ## Spark makes what DuckDB makes; installs 600 MB the first time, needs Java 17
	@$(BIN)/python -m pytest -m spark $(ARGS)

lint: $(INSTALLED) ## ruff, mypy --strict and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(INSTALLED) ## mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

bench: $(BENCH_INSTALLED) ## benchmarks with peers beside us; figures go to benchmarks/results/
	@$(BIN)/wholechart bench $(ARGS)

docs: $(INSTALLED) ## check that every verb, setting and decision is in the docs
	@$(BIN)/python -m pytest -q tests/unit/test_docs.py

lock: $(INSTALLED) ## pin the newest versions that pyproject.toml allows (needs uv)
	@uv pip compile pyproject.toml --extra dev --extra bench --universal --python-version 3.11 --upgrade --quiet \
		--no-header --no-annotate --no-emit-index-url --output-file requirements.lock

clean: ## remove what was installed and cached; data directories stay
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@if [[ -z "$(PYTHON)" ]]; then \
		echo "Wholechart needs Python 3.11 or newer, and none was found on the PATH (PYTHON=/path/to/python names one)." >&2; \
		exit 1; \
	fi
	@echo "Making $(VENV) with $(if $(UV),uv,pip) ..."
ifeq ($(UV),)
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is incomplete here (on Debian: apt-get install python3-venv)." >&2; exit 1; }
else
	@UV_PYTHON_DOWNLOADS=never $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
endif

$(INSTALLED): $(VENV)/bin/python pyproject.toml requirements.lock
	@echo "Installing Wholechart and what it stands on (once; a few minutes on a slow line) ..."
	@$(INSTALL) --editable '.[dev]'
	@touch $@

$(BENCH_INSTALLED): $(INSTALLED)
	@$(INSTALL) --editable '.[dev,bench]'
	@touch $@

$(SPARK_INSTALLED): $(INSTALLED)
	@$(INSTALL) --editable '.[dev,spark]'
	@touch $@
