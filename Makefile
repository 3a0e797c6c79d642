.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev

.PHONY: help setup train thorough evaluate deploy ship status stop image test test-quick lint format dashboard mlflow cloud-up cloud-down cloud-status airflow pins stubs clean

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

deploy: $(READY) ## Make the production model the live service, over HTTP and gRPC, once it passes its tests
	$(BIN)/python run.py --pipeline deploy

ship: $(READY) ## Train, then deploy
	$(BIN)/python run.py --pipeline train
	$(BIN)/python run.py --pipeline deploy

status: $(READY) ## Say what is live and how it is
	$(BIN)/python run.py status

stop: $(READY) ## Stop the live service
	$(BIN)/python run.py stop

image: $(READY) ## Build the container image of the live Bento, or of BENTO=TAG; on another base: BASE=IMAGE
	$(BIN)/python -m stacks.image $(if $(BENTO),--bento $(BENTO)) $(if $(BASE),--base $(BASE))

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

cloud-up: $(READY) ## Start what the cloud stack needs on this machine: S3, PostgreSQL, MLflow, ZenML (without Docker)
	$(BIN)/python -m stacks.cloud up

cloud-down: $(READY) ## Stop that; its data stay in .cloud
	$(BIN)/python -m stacks.cloud down

cloud-status: $(READY) ## Say what of it answers
	$(BIN)/python -m stacks.cloud status

AIRFLOW := .cache/airflow

airflow: $(READY) ## Create a virtual environment with Airflow, for the test of deploy/airflow
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(AIRFLOW)
	$(BIN)/uv pip install --quiet --python $(AIRFLOW)/bin/python -r deploy/airflow/requirements.txt

COMPILE := $(BIN)/uv pip compile --quiet --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	--custom-compile-command "make pins"

pins: $(READY_DEV) ## Compile requirements*.in to requirements*.txt
	$(COMPILE) --output-file requirements.txt requirements.in
	# whichever build of torch is at hand: its CUDA packages come with it, or not
	sed -i -e 's/+cpu$$//' -e '/^triton==/d' -e '/^cuda-/d' -e '/^nvidia-/{/^nvidia-ml-py/!d}' requirements.txt
	$(COMPILE) --output-file requirements-dev.txt requirements-dev.in
	$(COMPILE) --output-file bento/requirements.txt bento/requirements.in
	$(COMPILE) --output-file deploy/airflow/requirements.txt deploy/airflow/requirements.in

stubs: $(READY_DEV) ## Compile the gRPC contract to its Python stubs
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. bento/stubs/sentiment.proto

clean: ## Remove the virtual environment and unfinished training
	rm -rf $(VENV) .cache
