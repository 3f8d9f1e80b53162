# Bursar's commands. `make` alone lists them; a fresh machine needs only make and Python 3.11+.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
SAM_VENV := .venv-sam
EMULATOR_VENV := .venv-emulator
ANYLLM_VERSIONS := 1.4 1.10 1.15 1.40
ANYLLM_VENVS := $(ANYLLM_VERSIONS:%=.venv-anyllm-%)
STAMPS := $(VENV)/.stamps
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
UV_PIP := $(UV) pip install --quiet --python $(PY)
export SAM_CLI_TELEMETRY ?= 0

# The first Python that runs and is new enough. A version manager's shim may be on PATH and refuse
# to run, so each is asked, not only found.
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c '$(IS_NEW_ENOUGH)' >/dev/null 2>&1 && echo "$$p" && break; done)

# The interpreter of the Lambda runtime: only its own minor version can compile bytecode for it. A
# version manager may have one without offering it by name.
PYTHON_LAMBDA ?= $(shell for p in python3.13 "$$HOME"/.pyenv/versions/3.13.*/bin/python \
	"$$HOME"/.local/share/uv/python/cpython-3.13*/bin/python; do \
	"$$p" -c '' >/dev/null 2>&1 && echo "$$p" && exit; done; echo python3.13)
LAMBDA_PLATFORM ?= --python-platform aarch64-manylinux2014 --python-version 3.13

# Two cores are the reference; each worker runs engines of its own, so more is not always faster.
PYTEST_ARGS ?= --numprocesses=auto --maxprocesses=4 --dist=worksteal

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(STAMPS)/server ## Start the gateway, its engine and its scheduler on this machine
	@exec $(PY) -m functions.server

.PHONY: test
test: lint engines ## Linters, types, layers and every test
	$(PY) -m pytest $(PYTEST_ARGS)

.PHONY: lint
lint: env ## Formatting, linters, types and the layer contract
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: format
format: $(STAMPS)/dev ## Format the code and fix what the linter can
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

.PHONY: bench
bench: $(STAMPS)/dev ## Measure the gateway against a bare pass-through proxy
	$(PY) -m tests.benchmarks

.PHONY: bench-cold
bench-cold: $(STAMPS)/dev ## Measure cold starts in built artifacts
	$(PY) -m tests.benchmarks.bench_cold --python "$(PYTHON_LAMBDA)"

# Exit code 2 says that something changed, which is no failure here.
.PHONY: prices
prices: $(STAMPS)/dev ## Refresh the catalogue of prices (PRICES_ARGS: --yes, --check, VERSIONs)
	@$(PY) -m infra.prices $(PRICES_ARGS) || test $$? -eq 2

.PHONY: env
env: $(STAMPS)/dev $(SAM_VENV)/.stamp $(EMULATOR_VENV)/.stamp ## Make all environments
env: $(ANYLLM_VENVS:%=%/.stamp)

# The engines that tests run on; what cannot be had is said here and skipped with its reason there.
.PHONY: engines
engines: $(STAMPS)/dev
	@$(PY) -m tests.engines

# An environment that is already there and works is kept, whoever made it.
$(STAMPS)/uv: requirements/bootstrap.txt
	@test -n "$(PYTHON)" || { \
		echo "Bursar needs Python 3.11 or newer: none of python3.13, python3.12, python3.11 and" \
			"python3 is. Install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c '$(IS_NEW_ENOUGH)' 2>/dev/null || { \
		echo "Bursar needs Python 3.11 or newer; PYTHON=$(PYTHON) is older or does not run" >&2; \
		exit 1; }
	@$(PY) -c '$(IS_NEW_ENOUGH)' 2>/dev/null && $(PY) -m pip --version >/dev/null 2>&1 \
		|| "$(PYTHON)" -m venv --clear $(VENV) \
		|| { echo "$(PYTHON) cannot make environments (on Debian: apt install python3-venv)" >&2; \
			exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/bootstrap.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/server: $(STAMPS)/uv requirements/server.txt pyproject.toml
	@echo "Preparing the environment in $(VENV)"
	@$(UV_PIP) --require-hashes -r requirements/server.txt
	@$(UV_PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The development requirements contain the server's.
$(STAMPS)/dev: $(STAMPS)/uv requirements/dev.txt requirements/server.txt pyproject.toml
	@echo "Preparing the development environment in $(VENV)"
	@$(UV_PIP) --require-hashes -r requirements/dev.txt
	@$(UV_PIP) --no-deps --no-build-isolation --editable .
	@touch $(STAMPS)/server $@

# SAM's command line pins old versions of what the gateway uses, so it lives apart.
$(SAM_VENV)/.stamp: $(STAMPS)/uv requirements/sam.txt
	@echo "Preparing SAM's environment in $(SAM_VENV)"
	@test -x $(SAM_VENV)/bin/python || $(UV) venv --quiet --python $(PY) $(SAM_VENV)
	@$(UV) pip install --quiet --python $(SAM_VENV)/bin/python --require-hashes \
		-r requirements/sam.txt
	@touch $@

# What is deployed there runs in its own interpreter. Where it cannot be made, its tests are skipped.
$(EMULATOR_VENV)/.stamp: $(STAMPS)/uv requirements/emulator.txt
	@echo "Preparing the AWS emulator's environment in $(EMULATOR_VENV)"
	@mkdir -p $(EMULATOR_VENV)
	@{ { test -x $(EMULATOR_VENV)/bin/python \
			|| $(UV) venv --quiet --allow-existing --python $(PY) $(EMULATOR_VENV); } \
		&& $(UV) pip install --quiet --python $(EMULATOR_VENV)/bin/python --require-hashes \
			-r requirements/emulator.txt && touch $@; } \
		|| echo "Tests on an AWS emulator will be skipped: it could not be installed" >&2

# Each SDK needs a client and versions of its own. A stamp says that an environment is whole.
.venv-anyllm-%/.stamp: $(STAMPS)/uv requirements/anyllm-%.txt
	@echo "Preparing any-llm $*'s environment in $(@D)"
	@mkdir -p $(@D) && rm -f $@
	@{ { test -x $(@D)/bin/python \
			|| $(UV) venv --quiet --allow-existing --python $(PY) $(@D); } \
		&& $(UV) pip install --quiet --python $(@D)/bin/python --require-hashes \
			-r requirements/anyllm-$*.txt && touch $@; } \
		|| echo "Tests of any-llm $*'s clients will be skipped: it could not be installed" >&2

# Development first; the other locks follow its versions.

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header $(LOCK_ARGS)

.PHONY: lock
lock: $(STAMPS)/uv ## Recompile the locks (LOCK_ARGS=--upgrade takes newer versions)
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	for name in bootstrap server image proxy admin budget_reset; do \
		$(COMPILE) -c requirements/dev.txt requirements/$$name.in -o requirements/$$name.txt \
			|| exit 1; done
	$(COMPILE) requirements/sam.in -o requirements/sam.txt
	for name in emulator $(ANYLLM_VERSIONS:%=anyllm-%); do \
		$(COMPILE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

# SAM calls the build-* targets with ARTIFACTS_DIR (Metadata: BuildMethod: makefile).

.PHONY: build
build: $(SAM_VENV)/.stamp ## Build the Lambda functions into .aws-sam
	$(SAM_VENV)/bin/sam build

# DEPLOY_ARGS: --provider openai, --parameter NAME=VALUE, --rotate-master-key, --region, --stack-name
.PHONY: deploy
deploy: $(SAM_VENV)/.stamp ## Deploy or upgrade a stack (ENV=dev|prod, DEPLOY_ARGS)
	$(SAM_VENV)/bin/python -m infra.deployment $(or $(ENV),dev) $(DEPLOY_ARGS)

.PHONY: build-ProxyFunction build-AdminFunction build-BudgetResetFunction
build-ProxyFunction: FUNCTION := proxy
build-AdminFunction: FUNCTION := admin
build-BudgetResetFunction: FUNCTION := budget_reset
build-ProxyFunction build-AdminFunction build-BudgetResetFunction: $(STAMPS)/uv
	@test -n "$(ARTIFACTS_DIR)" || { echo "sam build calls this with ARTIFACTS_DIR" >&2; exit 1; }
	$(UV) pip install --quiet --no-installer-metadata $(LAMBDA_PLATFORM) --only-binary :all: \
		--require-hashes -r requirements/$(FUNCTION).txt --target "$(ARTIFACTS_DIR)"
	mkdir -p "$(ARTIFACTS_DIR)/functions"
	cp functions/__init__.py "$(ARTIFACTS_DIR)/functions/"
	cp -R functions/$(FUNCTION) "$(ARTIFACTS_DIR)/functions/"
	cp -R shared/bursar "$(ARTIFACTS_DIR)/"
	rm -rf "$(ARTIFACTS_DIR)/bin" "$(ARTIFACTS_DIR)/bursar/cli"
	find "$(ARTIFACTS_DIR)" -name __pycache__ -prune -exec rm -rf {} +
	@$(COMPILE_BYTECODE)

# Hash-based, because SAM's archives carry no times; unchecked, because nothing in them changes.
# Without it every cold start compiles everything anew, which more than doubles it. (The notice goes
# to standard output: SAM shows no other of a build that succeeds.)
define COMPILE_BYTECODE
if "$(PYTHON_LAMBDA)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then \
	"$(PYTHON_LAMBDA)" -m compileall -q -j 0 --invalidation-mode unchecked-hash \
		-s "$(ARTIFACTS_DIR)" -p /var/task "$(ARTIFACTS_DIR)"; \
else \
	echo "No bytecode in this build: $(PYTHON_LAMBDA) does not run here, and cold starts will take" \
		"about twice as long. Name a Python 3.13: make build PYTHON_LAMBDA=/path/to/python3.13"; \
fi
endef

.PHONY: clean
clean: ## Remove environments, builds and caches; data in .bursar is kept
	rm -rf $(VENV) $(SAM_VENV) $(EMULATOR_VENV) $(ANYLLM_VENVS)
	rm -rf .aws-sam build dist .mypy_cache .ruff_cache
	rm -rf .import_linter_cache .hypothesis .pytest_cache .bursar/dynamodb-local
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
