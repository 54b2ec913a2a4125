.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := POLARS_MAX_THREADS=1 $(BIN)/python -m pytest
READY := $(VENV)/.ready
DEMO_FLAGS := $(if $(EXIT),--exit,) $(if $(DAYS),--days $(DAYS),)

export DO_NOT_TRACK := 1

.PHONY: help demo test lint bench chaos soak lock remigrate

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# The lock constrains, too: pip 23 takes the newest of what is asked for with an extra (sqlalchemy[asyncio]) else.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Maatpak needs Python 3.11 or newer; set PYTHON=…")'
	@echo "What it needs is installed into $(VENV); the first time that takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock -c requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY) ## Play 47 business days on a made-up ledger, then serve the pages (EXIT=1 ends instead)
	$(BIN)/maatpak demo $(DEMO_FLAGS)

# A third worker fills the time in which the others wait for a database or a server.
test: $(READY) ## The fast tests, within 15 minutes on 2 cores
	$(PYTEST) -n 3 -m "not chaos and not soak" --dist loadfile --no-loadscope-reorder

lint: $(READY) ## Style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## Measure; prints ratios of one run
	$(BIN)/python -m benchmarks

chaos: $(READY) ## Kills and races; two years of a real ledger, with the proof of what was done
	$(PYTEST) -n 2 -m chaos --dist loadfile --no-loadscope-reorder

soak: $(READY) ## Thousands of random lives; a year of a made-up ledger
	$(PYTEST) -m soak

remigrate: ## Write the one initial migration anew from the tables
	$(BIN)/python -m tests.remigrate
	$(BIN)/ruff format --quiet maatpak/migrations

lock: $(READY) ## Solve the dependencies again
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 --group dev pyproject.toml --output-file requirements.lock
