# entrepot: `make demo` and `make test` install what they need themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for v in python3.11 python3.12 python3.13 python3; do \
  $$v -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PATIENTS ?= 100
SEED ?= 1
OUT ?= demo-site
PORT ?= 0

# A process that compiles its libraries anew starts 6 s later, and tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo airflow test explore core lint format bench bench-cohorts clean

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv (uv when present, else venv and pip)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "entrepot needs Python 3.11, 3.12 or 3.13"; exit 1; }
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'; \
	else \
	  "$(PYTHON)" -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'; \
	fi
	@touch $@

demo: $(STAMP) ## a synthetic hospital down the whole road (PATIENTS=100 SEED=1 OUT=demo-site)
	$(BIN)/entrepot demo --patients $(PATIENTS) --seed $(SEED) --out $(OUT)

airflow: OUT = airflow-demo
airflow: $(STAMP) ## Airflow's UI with the synthetic hospital feeding it, until Ctrl-C (PORT=0: a free one)
	$(BIN)/python -m entrepot.airflow_demo --patients $(PATIENTS) --seed $(SEED) --out $(OUT) --port $(PORT)

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

explore: $(STAMP) ## all tests with other keys and other examples than last time
	ENTREPOT_DRAW_ANEW=1 $(BIN)/python -m pytest -n 2 --dist loadgroup

core: $(STAMP) ## the fast tests
	$(BIN)/python -m pytest -m core -n 2 --dist loadgroup

lint: $(STAMP) ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## let ruff format and mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## benchmarks, each against a limit measured in the same run
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

bench-cohorts: $(STAMP) ## every expected cohort on DuckDB, PostgreSQL and Spark (ENTREPOT_SHARED=folder)
	$(BIN)/python bench/cohorts.py --golden

clean: ## remove the environment and the demonstration
	rm -rf $(VENV) $(OUT) airflow-demo
