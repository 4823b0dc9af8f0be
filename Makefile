# CI and a person run the same commands. Works with GNU make 3.81 (macOS) and later.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
  && { echo $$python; exit; }; done)
BIN    := .venv/bin
NODE   := tests/conformance/node
CLIENTS := tests/clients
BENCH  := .venv-bench
# The lock files are complete: pip before 23.3 looks for a newer release of what is asked for with an extra.
PIP    := -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r
DOTENV := $(if $(wildcard .env),$(BIN)/dotenv run --no-override --,)
LOCK   := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help demo run setup test bench fuzz soak clients coverage check audit format golden lock
.PHONY: bootstrap deploy credentials plan rollback logs destroy

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## see it work without an account: simulated Google, gateway, a streamed answer
	@$(DOTENV) $(BIN)/python -m tests.demo

run: setup ## start the gateway on your own credentials (reads .env if there is one)
	@$(DOTENV) $(BIN)/python -m service

setup: .venv/.done $(NODE)/node_modules/.done ## make .venv with everything that the other targets need

.venv/.done: requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with its venv module was found. On Debian: apt-get install python3 python3-venv. To name one: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python $(PIP) requirements-dev.txt
	@touch $@

# Instructor stands apart, because it wants another openai than the other clients.
$(CLIENTS)/.venv/.done: $(CLIENTS)/requirements.txt
$(CLIENTS)/.venv-instructor/.done: $(CLIENTS)/instructor.txt
$(CLIENTS)/.venv/.done $(CLIENTS)/.venv-instructor/.done: | .venv/.done
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python $(PIP) $<
	@touch $@

# Node is needed by some tests only, which skip without it.
$(NODE)/node_modules/.done: $(NODE)/package-lock.json
$(CLIENTS)/node_modules/.done: $(CLIENTS)/package-lock.json
$(NODE)/node_modules/.done $(CLIENTS)/node_modules/.done:
	@if command -v npm >/dev/null; then \
	  echo "cd $(<D) && npm ci" && cd $(<D) && npm ci --silent --no-audit --no-fund && touch node_modules/.done; fi

# Some tests measure time, and may fail for their neighbours: what fails side by side is run again alone.
test: setup ## run the whole test suite; JOBS=4 of it side by side
	$(BIN)/pytest $(if $(JOBS),-n $(JOBS) --dist loadgroup || $(BIN)/pytest --last-failed)

fuzz: setup ## the tests of tests/fuzz with new examples, SECONDS=300 for each of its files
	$(BIN)/python -W ignore -m tests.fuzz $(or $(SECONDS),300) $(FUZZ)

soak: setup ## half an hour of mixed traffic and faults, MINUTES=30: nothing may grow, leak or stay unexplained
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30)

clients: setup $(CLIENTS)/.venv/.done $(CLIENTS)/.venv-instructor/.done $(CLIENTS)/node_modules/.done ## run client libraries (LangChain, AI SDK, …) against the gateway
	$(BIN)/pytest $(CLIENTS)

# PEERS=litellm adds a peer; QUICK=1 is for use while optimising, and writes no RESULTS.md; CASES=small,burst
# runs some only; ROUNDS=9, WAY=code_assist and JSON=file change what they say.
bench: setup $(patsubst %,$(BENCH)/%/.done,$(PEERS)) ## measure the gateway beside nginx: PEERS=litellm QUICK=1 CASES=small,burst
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(CASES),--cases $(CASES)) $(if $(PEERS),--peers $(PEERS)) \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(WAY),--way $(WAY)) --json $(or $(JSON),$(BENCH)/results.json) \
	  $(if $(QUICK)$(CASES),,--results)

# Peers are installed where nothing of ours is.
$(BENCH)/%/.done: tests/bench/%.txt | .venv/.done
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python $(PIP) $<
	@touch $@

coverage: setup ## the same, and print which lines of the service no test reaches
	$(BIN)/pytest -q --cov=service

check: setup audit ## format, lint, types, import floors, credentials in git, the README's commands, infra/ and its scripts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.audit.credentials
	$(BIN)/pytest -q tests/test_readme.py tests/audit tests/infra tests/deployment

audit: setup ## known vulnerabilities of the locked packages; STRICT=1 fails where osv.dev cannot be asked
	$(BIN)/python -m pip check
	$(BIN)/python -m tests.audit.vulnerabilities $(if $(STRICT),--strict)

format: setup ## format the code, and fix what can be fixed by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: setup ## write what the translation does now into tests/golden, for git diff to show
	$(BIN)/pytest -q tests/translation/test_golden.py --update-golden

lock: setup ## renew the lock files from pyproject.toml, tests/clients/*.in and tests/bench/*.in
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --upgrade --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --upgrade --extra otlp --output-file requirements-otlp.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --upgrade --extra otlp --group dev --output-file requirements-dev.txt
	$(BIN)/uv pip compile $(CLIENTS)/requirements.in $(LOCK) --upgrade --output-file $(CLIENTS)/requirements.txt
	$(BIN)/uv pip compile $(CLIENTS)/instructor.in $(LOCK) --upgrade --output-file $(CLIENTS)/instructor.txt
	$(BIN)/uv pip compile tests/bench/litellm.in $(LOCK) --upgrade --output-file tests/bench/litellm.txt

# Google Cloud: the README's "Deploy" explains them. PROJECT is needed; REGION is us-central1, or where the
# service is already; SERVICE is gemini-gateway; APPROVE=true answers Terraform's question. make hands all
# of them on.
CLOUD := @infra/deploy.sh

bootstrap: ## make everything in Google Cloud but the gateway itself: PROJECT=...
	$(CLOUD) $@

deploy: ## the same, then test, build, try and serve what is here: PROJECT=...
	$(CLOUD) $@

credentials: setup ## put the Gemini CLI's login into Secret Manager: PROJECT=...
	$(CLOUD) $@

plan: ## show what bootstrap and deploy would change: PROJECT=...
	$(CLOUD) $@

rollback: ## send all requests to an earlier revision: PROJECT=... REVISION=...
	$(CLOUD) $@

logs: ## read the newest lines of the service's log: PROJECT=...
	$(CLOUD) $@

destroy: ## delete all of it, once its protection is taken off: PROJECT=...
	$(CLOUD) $@
