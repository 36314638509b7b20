# Two commands are enough: `make up` (a server, Ctrl-C stops it) and `make test` (everything CI runs).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help up test lint types bench releases clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1  \2/p' $(MAKEFILE_LIST) | sort

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

up: $(READY) ## Start a durable Temporal server and show where it is; Ctrl-C stops it
	@$(BIN)/devserver up; code=$$?; [ $$code -eq 130 ] || exit $$code

lint: $(READY) ## Check the style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Check the types
	$(BIN)/mypy

test: lint types ## Run the whole suite, as CI does
	$(BIN)/pytest

bench: $(READY) ## Measure against the stock tools in one run and print ratios
	$(BIN)/python -m bench

releases: $(READY) ## Rewrite the table of pinned hashes (reads every published executable)
	$(BIN)/python scripts/make_releases.py

clean: ## Remove the environment and caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .benchmarks
