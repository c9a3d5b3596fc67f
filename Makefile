# `make demo` and `make test` make their own environment first.
PYTHON ?= $(shell command -v python3.13 || command -v python3)
PY := .venv/bin/python
# How many times as fast as real time `make up` runs: at 10 a month takes some two and a half minutes.
SPEED ?= $(if $(filter azure-storage,$(ENGINE)),1,10)
# What runs the durable functions of `make up` and `make bench-swap`: simulated, or azure-storage (Microsoft's engine).
ENGINE ?= simulated
# How long Azure takes in the demo is drawn from recordings: this seed stays near the medians, others show the tails too.
SEED ?= 2

# Node's package manager, for the Kusto language service; without it those checks are skipped, and say so.
NPM ?= $(shell command -v npm)

.PHONY: help venv az-venv scan-venv scan snapshots kusto azurite engine package docs picture permissions lint types imports unit test demo
.PHONY: demo-engine up soak soak-crashes histories bench-swap serve clean

help: ## this list
	@awk -F ' *:.*## *' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.venv/made: requirements.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and "Python 3.13 is needed: set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

venv: .venv/made ## the environment for development; other targets make it themselves

# The real Azure CLI, in an environment of its own because its pins are not ours; kept between runs.
.az-venv/made: requirements-az.txt
	$(PYTHON) -m venv .az-venv
	.az-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-az.txt
	touch $@

az-venv: .az-venv/made ## the real Azure CLI, in an environment of its own

# The security scanner of templates, apart for the same reason.
.scan-venv/made: requirements-scan.txt
	$(PYTHON) -m venv .scan-venv
	.scan-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-scan.txt
	touch $@

scan-venv: .scan-venv/made ## the security scanner of templates, in an environment of its own

scan: venv scan-venv ## scan the templates in infra/ for security faults
	$(PY) -m tests.commands.scan

# What each example in infra/examples would deploy, kept beside it: read the difference.
snapshots: venv ## write what each example in infra/examples would deploy
	$(PY) -m tests.commands.snapshots

tests/kusto/node_modules/made: tests/kusto/package-lock.json
	$(if $(NPM),cd tests/kusto && $(NPM) ci --silent --no-audit --no-fund && touch node_modules/made,@echo "no npm: the queries of alerts and workbook are not parsed")

kusto: tests/kusto/node_modules/made ## Microsoft's Kusto parser, for the tests of queries

# Microsoft's emulator of Azure Storage, for the real Durable engine.
AZURITE := simulator/engine/azurite
$(AZURITE)/node_modules/made: $(AZURITE)/package-lock.json
	$(if $(NPM),cd $(AZURITE) && $(NPM) ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules/made,@echo "no npm: nothing is played on the real Durable engine")

azurite: $(AZURITE)/node_modules/made ## Microsoft's emulator of Azure Storage, for ENGINE=azure-storage

# Microsoft's Durable extension as a program; without a .NET SDK see docs/development.md for where one is looked for.
engine: ## build Microsoft's Durable extension as a program; needs the .NET SDK
	dotnet publish simulator/engine/program -c Release -r linux-x64 --self-contained -o dist/durable-engine

package: ## the deployment zip, in dist/
	$(PYTHON) -m tools.package

# The pages that are made from the code; tests/contract/test_generated_docs.py compares them.
docs: venv ## write the generated pages: docs/settings.md, docs/api.md, docs/permissions.md
	$(PY) -m tests.commands.docs
	$(PY) -m tools.permissions

picture: venv ## record the demo as docs/demo.svg
	$(PY) -m simulator demo --seed $(SEED) --clock virtual --svg docs/demo.svg

permissions: ## write docs/permissions.md from the role files
	$(PYTHON) -m tools.permissions

lint: venv ## style and formatting (ruff)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: venv ## types (mypy)
	$(PY) -m mypy

imports: venv ## the import contracts (import-linter)
	.venv/bin/lint-imports

unit: venv ## unit tests alone
	$(PY) -m pytest tests/unit

# As many processes as there are cores; the tests of one file stay together, because they share what they play, in order.
# The longest file comes first: it waits in real time for the Durable engine, beside what needs the processor.
test: lint types imports az-venv scan-venv kusto azurite ## every check: lint, types, imports, unit, property, contract and end-to-end tests
	$(PY) -m pytest -n auto --dist loadscope --no-loadscope-reorder \
		tests/e2e/engine/test_killed.py tests/unit tests/property tests/contract tests/e2e

demo: venv ## one month, one tag edit and one disk that never boots, on a local Azure (under 90 s); SEED=n for other durations
	$(PY) -m simulator demo --seed $(SEED)

# The same story in real time on Microsoft's own Durable engine; some 20 minutes.
demo-engine: venv azurite ## the same on Microsoft's Durable engine, in real time (some 20 minutes)
	$(PY) -m simulator demo --seed $(SEED) --engine azure-storage

up: venv $(if $(filter azure-storage,$(ENGINE)),azurite) ## a local Azure with the app, left running; SPEED=n, ENGINE=azure-storage
	$(PY) -m simulator up --speed $(SPEED) --engine $(ENGINE)

N ?= 1000
# `fleets` or `recipes`.
STORIES ?= fleets
# A new seed each time; the one that an earlier run printed first repeats its stories.
SOAK_SEED ?=
soak: venv ## N=1000 random failure scenarios; STORIES=recipes for image builds, SOAK_SEED=n repeats a run
	$(PY) -m tests.commands.soak --stories $(STORIES) --examples $(N) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

soak-crashes: venv ## kill a worker at every moment of a swap
	$(PY) -m tests.commands.crashes

histories: venv ## write tests/data/histories anew; read docs/development.md first
	$(PY) -m tests.commands.histories

bench-swap: venv $(if $(filter azure-storage,$(ENGINE)),azurite) ## measure the downtime of a swap; ENGINE=azure-storage
	$(PY) -m bench.swap --engine $(ENGINE)

serve: venv ## the local Azure alone, without the app
	$(PY) -m simulator serve

clean: ## remove environments, caches and dist/
	rm -rf .venv .az-venv .scan-venv dist tests/kusto/node_modules $(AZURITE)/node_modules .mypy_cache .ruff_cache .hypothesis .import_linter_cache
