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

.PHONY: soak soak-crashes histories snapshots bench-swap demo-engine kusto azurite engine package permissions help venv az-venv scan-venv scan lint types imports unit test demo up
.PHONY: serve clean

help:
	@echo "make demo   one month and one tag edit on a local Azure, told live (under 90 s)"
	@echo "make up     the local Azure and the app, left running for curl and az"
	@echo "make test   lint, types, imports, unit, property, contract, e2e"
	@echo "make venv   only the environment"
	@echo "make package  the deployment zip; make permissions  docs/permissions.md from the role files"

.venv/made: requirements.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and "Python 3.13 is needed: set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

venv: .venv/made

# The real Azure CLI, in an environment of its own because its pins are not ours; kept between runs.
.az-venv/made: requirements-az.txt
	$(PYTHON) -m venv .az-venv
	.az-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-az.txt
	touch $@

az-venv: .az-venv/made

# The security scanner of templates, apart for the same reason.
.scan-venv/made: requirements-scan.txt
	$(PYTHON) -m venv .scan-venv
	.scan-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-scan.txt
	touch $@

scan-venv: .scan-venv/made

scan: venv scan-venv
	$(PY) -m tests.scan

# What each example in infra/examples would deploy, kept beside it: read the difference.
snapshots: venv
	$(PY) -m tests.snapshots

tests/kusto/node_modules/made: tests/kusto/package-lock.json
	$(if $(NPM),cd tests/kusto && $(NPM) ci --silent --no-audit --no-fund && touch node_modules/made,@echo "no npm: the queries of alerts and workbook are not parsed")

kusto: tests/kusto/node_modules/made

# Microsoft's emulator of Azure Storage, for the real Durable engine.
AZURITE := simulator/engine/azurite
$(AZURITE)/node_modules/made: $(AZURITE)/package-lock.json
	$(if $(NPM),cd $(AZURITE) && $(NPM) ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules/made,@echo "no npm: nothing is played on the real Durable engine")

azurite: $(AZURITE)/node_modules/made

# Microsoft's Durable extension as a program; without a .NET SDK see docs/development.md for where one is looked for.
engine:
	dotnet publish simulator/engine/program -c Release -r linux-x64 --self-contained -o dist/durable-engine

package:
	$(PYTHON) -m tools.package

permissions:
	$(PYTHON) -m tools.permissions

lint: venv
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: venv
	$(PY) -m mypy

imports: venv
	.venv/bin/lint-imports

unit: venv
	$(PY) -m pytest tests/unit

# As many processes as there are cores; the tests of one file stay together, because they share what they play, in order.
# The longest file comes first: it waits in real time for the Durable engine, beside what needs the processor.
test: lint types imports az-venv scan-venv kusto azurite
	$(PY) -m pytest -n auto --dist loadscope --no-loadscope-reorder \
		tests/e2e/engine/test_killed.py tests/unit tests/property tests/contract tests/e2e

demo: venv
	$(PY) -m simulator demo --seed $(SEED)

# The same story in real time on Microsoft's own Durable engine; some 20 minutes.
demo-engine: venv azurite
	$(PY) -m simulator demo --seed $(SEED) --engine azure-storage

up: venv $(if $(filter azure-storage,$(ENGINE)),azurite)
	$(PY) -m simulator up --speed $(SPEED) --engine $(ENGINE)

N ?= 1000
# `fleets` or `recipes`.
STORIES ?= fleets
# A new seed each time; the one that an earlier run printed first tells its stories again.
SOAK_SEED ?=
soak: venv
	$(PY) -m tests.soak --stories $(STORIES) --examples $(N) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

soak-crashes: venv
	$(PY) -m tests.crashes

histories: venv
	$(PY) -m tests.histories

bench-swap: venv $(if $(filter azure-storage,$(ENGINE)),azurite)
	$(PY) -m bench.swap --engine $(ENGINE)

serve: venv
	$(PY) -m simulator serve

clean:
	rm -rf .venv .az-venv .scan-venv dist tests/kusto/node_modules $(AZURITE)/node_modules .mypy_cache .ruff_cache .hypothesis .import_linter_cache
