# `make` explains itself.  Needs python3 (3.11 or newer, with venv) and nothing else.
# Every target makes the environment in .venv first where it is missing or older than the lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: bounds help install demo test eval eval-bursts eval-forecast faults soak bench bench-read bench-campaigns scale scale-minute profile supply dashboards screenshot lint types check format lock clean bench-keep bench-api chart chart-tools test-deploy test-k8s

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  sizes: make demo POSTS=50000 ONCE=1 SPEED=600; make test ARGS='-k hashtag'"

install: $(STAMP) ## the environment in .venv, exactly as locked

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: $(PYTHON) is not Python 3.11 or newer: install one, or name it: make PYTHON=python3.12" >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null || { \
	  rm -rf $(VENV); \
	  echo "make: $(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 2; }
	@echo "installing what requirements.lock names into $(VENV) (a minute, once)"
	@# Wheels only: nothing is compiled here, and no package runs code of its own to install.
	@# uv where there is one (seconds instead of a minute), else pip, which knows of mirrors in pip.conf.
	@uv pip install --quiet --python $(BIN)/python --only-binary :all: --require-hashes -r requirements.lock 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock
	@# The build backend is in the lock: no build isolation, so nothing unlocked is fetched.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## the main job on an embedded Kafka and Redis [POSTS=500000] [SPEED=…] [ONCE=1]
	@$(BIN)/streams demo $(if $(POSTS),--posts $(POSTS)) $(if $(SPEED),--speed $(SPEED)) $(if $(filter-out 0 no false,$(ONCE)),--once)

test: $(STAMP) ## all tests, on an embedded Kafka and Redis [ARGS='-k …']
	@$(BIN)/python -m pytest $(ARGS)

eval: $(STAMP) ## how posts are read: membership, via, stance on 908 statements [ARGS=--errors]
	@$(BIN)/python -m tests.evaluation.reading $(ARGS)

eval-bursts: $(STAMP) ## bursts on labelled series of mentions: windows caught, false alarms, delay [ARGS=--cross-validate]
	@$(BIN)/python -m tests.evaluation.bursts $(ARGS)

eval-forecast: $(STAMP) ## forecasts against what came: coverage of the 80 % interval, error
	@$(BIN)/python -m tests.evaluation.forecast $(ARGS)

faults: $(STAMP) ## real processes, broken in turn while posts flow; every number exact [SEED=1] [POSTS=200000] [MODE=any]
	@$(BIN)/python -m tests.faults.run $(if $(SEED),--seed $(SEED)) $(if $(POSTS),--posts $(POSTS)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(MODE),--mode $(MODE)) $(ARGS)

soak: $(STAMP) ## a hundred hours of event time in half an hour; nothing grows that need not [MINUTES=30]
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

bounds: $(STAMP) ## a worker's memory with a backlog, and while Redis is away [POSTS=1000000]
	@$(BIN)/python -m tests.bounds $(if $(POSTS),--posts $(POSTS)) $(ARGS)

bench: $(STAMP) ## this pipeline, the ceiling and others on the same records [POSTS=1000000] [RUNS=5]
	@$(BIN)/python -m tests.benchmarks.bench $(if $(POSTS),--posts $(POSTS)) $(if $(RUNS),--runs $(RUNS)) $(ARGS)

bench-read: $(STAMP) ## what reading a post costs, by stage and platform [POSTS=20000]
	@$(BIN)/python -m tests.benchmarks.read_cost $(if $(POSTS),--posts $(POSTS))

bench-campaigns: $(STAMP) ## what 200 campaigns cost beside one [ARGS=--posts 50000]
	@$(BIN)/python -m tests.benchmarks.many_campaigns $(ARGS)

scale: $(STAMP) ## the tables of deploy/SCALE.md, from deploy/scale/figures.toml
	@$(BIN)/python -m deploy.scale.model --write

scale-minute: $(STAMP) ## a minute at 143,199 posts/s, a partition's share: the capacity model within 20 % [ARGS=--measure]
	@$(BIN)/python -m tests.benchmarks.scale_minute $(ARGS)
bench-keep: $(STAMP) ## what it costs to keep the newest posts: CPU of worker and Redis, memory [POSTS=200000]
	@$(BIN)/python -m tests.benchmarks.keep_cost $(if $(POSTS),--posts $(POSTS))

bench-api: $(STAMP) ## what a crowd at the API costs the worker [POSTS=300000]
	@$(BIN)/python -m tests.benchmarks.api_load $(if $(POSTS),--posts $(POSTS)) $(ARGS)

profile: $(STAMP) ## a flame graph of a worker (needs py-spy) [POSTS=500000]
	@$(BIN)/python -m tests.benchmarks.profile $(if $(POSTS),--posts $(POSTS)) $(ARGS)

supply: $(STAMP) ## bill of materials of the image, licences, known vulnerabilities
	@$(BIN)/python -m deploy.supply $(ARGS)

dashboards: $(STAMP) ## Grafana's JSON, from deploy/grafana/*.py
	@$(BIN)/python -m deploy.grafana.generate

screenshot: $(STAMP) ## the README's picture of the page (needs chromium)
	@$(BIN)/python -m tests.browser.screenshot

# What checks the chart: helm, kube-score, checkov, kubernetes-validate; and a real API server.
export TOOLS ?= $(HOME)/.cache/streams-tools
WITH_TOOLS = PATH="$(TOOLS)/bin:$$PATH"

chart: $(STAMP) ## the chart's values.schema.json, from deploy/helm/schema.py
	@$(BIN)/python -m deploy.helm.schema

chart-tools: ## what checks the chart, into TOOLS (needs Go; five minutes, once)
	@deploy/helm/tools/install.sh

test-deploy: $(STAMP) chart-tools ## what is deployed: chart, image, compose, rules, dashboards [ARGS='-k …']
	@$(WITH_TOOLS) $(BIN)/python -m pytest tests/deploy $(ARGS)

test-k8s: $(STAMP) ## the chart on a real kube-apiserver (needs Go, etcd, kubectl; builds ten minutes, once)
	@deploy/helm/tools/install.sh cluster
	@$(WITH_TOOLS) STREAMS_TEST_CLUSTER=1 $(BIN)/python -m pytest tests/kubernetes $(ARGS)

lint: $(STAMP) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP) ## mypy --strict
	@$(BIN)/mypy --strict streams

check: lint types test ## everything that CI checks

format: $(STAMP) ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(STAMP) ## resolve anew: requirements.lock, and the embedded Kafka's jars
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@# No index and no comments: the lock names packages and hashes, not where they came from.
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
	@# The image's: what a worker imports, and what builds the package; the same versions.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --constraint requirements.lock pyproject.toml -o deploy/docker/requirements.lock
	@printf 'hatchling\nsetuptools\nsetuptools-scm\n' | $(BIN)/uv pip compile --quiet --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	  --no-header --constraint requirements.lock - -o deploy/docker/build.lock
	@$(BIN)/python -m streams.embedded.jars

clean: ## remove the environment, caches and what the demo left
	@rm -rf $(VENV) .streams dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find streams tests deploy -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
