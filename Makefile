.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev

.PHONY: help setup train thorough evaluate test test-quick lint format dashboard mlflow pins clean

help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(READY): requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

setup: $(READY) ## Create the virtual environment with the pinned requirements

train: $(READY) ## Train, evaluate and promote on the default data and model (minutes)
	$(BIN)/python run.py --pipeline train

thorough: $(READY) ## The same with more care (under an hour)
	$(BIN)/python run.py --pipeline train --config configs/train.thorough.yaml

evaluate: $(READY) ## Score the production model on the official IMDB test half
	$(BIN)/python run.py --pipeline evaluate

test: $(READY_DEV) ## Every test, with coverage
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

test-quick: $(READY_DEV) ## The tests that boot nothing
	$(BIN)/python -m pytest -m "not slow"

lint: $(READY_DEV) ## Style, types, and who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY_DEV) ## Mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dashboard: $(READY) ## Open ZenML's local dashboard on this project's runs
	$(BIN)/python -m stacks.dashboard

mlflow: $(READY) ## Open MLflow's pages on this project's runs
	$(BIN)/python -m stacks.tracking

COMPILE := $(BIN)/python -m piptools compile --quiet --strip-extras --no-emit-find-links --no-emit-index-url --no-annotate

pins: $(READY_DEV) ## Compile requirements*.in to requirements*.txt
	$(COMPILE) --output-file requirements.txt requirements.in
	sed -i 's/+cpu$$//' requirements.txt # whichever build of torch is at hand: CPU here, CUDA elsewhere
	$(COMPILE) --output-file requirements-dev.txt requirements-dev.in

clean: ## Remove the virtual environment and unfinished training
	rm -rf $(VENV) .cache
