# Two commands are enough: `make up` (a server, Ctrl-C stops it) and `make test` (everything CI runs).
PYTHON ?= python3
WORKERS ?= 4
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help up test test-fast test-macos test-cluster-short test-cluster test-cassandra test-sdks demo-sdks test-image system lint types docs fuzz matrix wheel-check bench soak releases clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1  \2/p' $(MAKEFILE_LIST) | sort

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
	MYPYPATH=examples/rehearsals $(BIN)/mypy examples/rehearsals/*.py
	MYPYPATH=examples/gamedays $(BIN)/mypy examples/gamedays/*.py

# Tests of pages, shells, containers and databases need real ones; what is missing is skipped where it cannot be installed.
# Debian's PostgreSQL would start a cluster of its own: its configuration forbids that before it is installed. Its Prometheus would start a
# service: only the two programs are taken out of the package.
system: ## Install what tests need in addition to Python (Debian: Chromium, fish, zsh, OpenSSL, Docker, nftables, PostgreSQL, Prometheus)
	@missing=; for tool in chromium:chromium fish:fish zsh:zsh openssl:openssl dockerd:docker.io docker-compose:docker-compose \
		nft:nftables ip:iproute2; do \
		command -v $${tool%:*} >/dev/null || missing="$$missing $${tool#*:}"; done; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		case "$$missing" in *postgresql*) mkdir -p /etc/postgresql-common/createcluster.d && \
			echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/tests.conf;; esac; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $$missing fonts-dejavu-core; fi
	@if ! command -v promtool >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		folder=$$(mktemp -d) && chmod 755 $$folder && cd $$folder && apt-get update -qq && \
		apt-get -o APT::Sandbox::User=root download -qq prometheus && dpkg-deb -x prometheus_*.deb . && \
		install usr/bin/prometheus usr/bin/promtool /usr/local/bin; \
		rm -rf $$folder; fi

# Many tests wait for a process or a server, so more workers than the usual two cores. Neighbouring tests stay in one
# worker, which starts the server that they share.
# The types are checked meanwhile. tests/test_site.py builds the site of the documentation as `make docs` does.
test: system lint ## Run the whole suite, in WORKERS=4 processes; CI adds test-cluster-short
	@$(MAKE) --no-print-directory types & types=$$!; \
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not cluster"; tests=$$?; \
	wait $$types && exit $$tests

test-fast: $(READY) ## Run the tests that need no server, in less than a minute
	$(BIN)/pytest -n 2 --dist worksteal -m "not server and not suite and not slow"

test-macos: $(READY) ## Run the tests without what macOS lacks: parent-death signal, /dev/shm, namespaces (part of make test)
	$(BIN)/pytest -n 2 -m macos

test-cluster-short: $(READY) ## Run the short tests on a real cluster, if its server is built; CI does too
	$(BIN)/pytest -n 2 --dist loadfile -m "cluster and not cluster_only"

# The version before is built too, for a rolling upgrade.
test-cluster: system ## Run the tests on a real cluster; builds the server first (30 CPU minutes once; needs Go)
	$(BIN)/devserver cluster build
	$(BIN)/devserver cluster build 1.31.2
	$(BIN)/pytest -n 0 -m cluster

# What is built is kept in .sdks. Node, Go, Java and Maven are not installed here: an SDK without its tools is skipped.
test-sdks: $(READY) ## Run the tests with workers of four SDKs (Python, TypeScript, Go, Java; 5 minutes; needs their tools)
	DEVSERVER_TEST_SDKS=1 $(BIN)/pytest -n 0 --timeout 1200 -m sdks

demo-sdks: $(READY) ## Run an order with workers of four SDKs, and show each of them
	$(BIN)/python -m examples.sdks.demo

# The base image is made here, by debootstrap: a registry of images is not needed.
test-image: system ## Build the whole Dockerfile on a base image made here, and run the result (10 minutes; needs root)
	@command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap
	DEVSERVER_TEST_IMAGE=1 $(BIN)/pytest -n 0 --timeout 1800 -m image

# Java and Maven come only here: no other test needs them.
test-cassandra: system ## Run the tests on a real ring of Cassandra nodes (20 minutes; needs 8 GB of memory)
	@missing=; for tool in java:openjdk-17-jre-headless mvn:maven; do \
		command -v $${tool%:*} >/dev/null || missing="$$missing $${tool#*:}"; done; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi
	$(BIN)/devserver cluster build
	DEVSERVER_TEST_CASSANDRA=1 $(BIN)/pytest -n 0 --timeout 1800 -m cassandra

docs: $(READY) ## Build the site of the documentation in site/; a dead link or any other warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "built site/; with its search: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site"

fuzz: $(READY) ## Give every option of every command odd values (half an hour)
	DEVSERVER_FUZZ=all $(BIN)/pytest -n 2 --timeout 3600 tests/devserver/cli/test_fuzz.py

# The environments are kept in .matrix. COMBINATION=3.10 runs those with that word in their name.
matrix: $(READY) ## Run the plugin's main tests with Python 3.10 to 3.13 and pytest 8.3 to 9.2, with and without xdist
	$(BIN)/python scripts/matrix.py $(COMBINATION)

# CHECK=3.12 runs those with that word in their name; `make test` runs a part of it without a network.
wheel-check: $(READY) ## Install the built wheel with pip, uv, uvx and pipx, on Python 3.10 to 3.13, and take first steps
	$(BIN)/python scripts/wheel_check.py $(CHECK)

bench: $(READY) ## Measure against the stock tools in one run and print ratios
	$(BIN)/python -m bench

# What was counted is in .soak/state.json: a second start goes on; remove the folder to begin again.
soak: $(READY) ## Kill everything 200 times each, under load, and count what is left or lost (40 minutes)
	$(BIN)/python -m soak

releases: $(READY) ## Rewrite the table of pinned hashes (reads every published executable)
	$(BIN)/python scripts/make_releases.py

clean: ## Remove the environment and caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .benchmarks .matrix .sdks site
