# What one runs in a checkout. `make` alone lists it. Needs GNU make, bash and Python 3.11 to 3.13.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# The interpreter to make .venv with, such as PYTHON=python3.12; empty: the first that fits.
PYTHON ?=
# Further arguments for `make test` and `make serve`, such as ARGS='-k retention'.
ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

# The page that checks in a browser, and what tells a gateway of it where it is built.
CHECKER := .checker
OFFERED := [[ ! -f $(CHECKER)/SHA256SUMS ]] || export CHECKER_FOLDER=$(CURDIR)/$(CHECKER);

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Make .venv and install everything into it

# Messages go to stderr: the stdout of `make bench` is data.
$(INSTALLED): setup.cfg pyproject.toml
	@.ci/venv $(PYTHON) >&2
	@echo "Installing the gateway, its servers and the development tools into .venv" >&2
	@.ci/quietly $(BIN)/python -m pip install --no-input --upgrade pip
	@.ci/quietly $(BIN)/pip install --no-input --editable '.[server,embedded,dev]'
	@touch $@
	@echo "Installed: $$($(BIN)/python --version) in .venv" >&2

.PHONY: demo
demo: $(INSTALLED) ## Run the whole way of a submission on this machine
	@.ci/checker >&2
	@$(OFFERED) $(BIN)/python -m deploy.demo

.PHONY: serve
serve: $(INSTALLED) ## Run the gateway with its embedded servers
	@.ci/checker >&2
	@$(OFFERED) $(BIN)/gateway serve $(ARGS)

.PHONY: checker
checker: $(INSTALLED) ## Build the page that checks in a browser, into .checker
	@$(BIN)/python -m deploy.checker $(CHECKER)

.PHONY: test
test: $(INSTALLED) ## Run all tests, against real servers and clients
	@.ci/tools >&2
	@.ci/checker >&2
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

.PHONY: lint
lint: $(INSTALLED) ## Check style, formatting, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(INSTALLED) ## Measure; one JSON object a line on stdout
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-crypto
bench-crypto: $(INSTALLED) ## Measure the OpenPGP engine against gpg
	@$(BIN)/python -m tests.bench.messages

.PHONY: bench-validate
bench-validate: $(INSTALLED) ## Measure the validation against marshmallow, pandera and DuckDB
	@$(BIN)/python -m tests.bench.rows

.PHONY: bench-audit
bench-audit: $(INSTALLED) ## Measure the audit log against a hash chain
	@$(BIN)/python -m tests.bench.audit $(ARGS)

.PHONY: bench-channels
bench-channels: $(INSTALLED) ## Measure SFTP against OpenSSH's server, HTTPS against nginx (needs both, and root)
	@$(BIN)/python -m tests.bench.channels $(ARGS)

.PHONY: fuzz
fuzz: $(INSTALLED) ## Fuzz what reads hostile octets, a minute for each target
	@for target in framing message contents signature certificate detached; do \
	    echo "fuzzing $$target" >&2; \
	    $(BIN)/python -m tests.fuzz $$target -max_total_time=60 -max_len=4096 $(ARGS) || exit 1; \
	done

.PHONY: chaos
chaos: $(INSTALLED) ## Break a gateway under load in every way; nothing acknowledged may be lost
	@.ci/tools >&2
	@$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: clean
clean: ## Stop what still runs here; remove .venv, caches and the data of demo and serve
	@.ci/stop .demo .gateway >&2
	@rm -rf .demo .gateway .venv build dist *.egg-info tests/*/peers/*/node_modules
	@rm -rf $(CHECKER) deploy/checker/node_modules deploy/checker/wheels
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
