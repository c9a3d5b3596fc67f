# `make demo` and `make test` make their own environment first.
PYTHON ?= $(shell command -v python3.13 || command -v python3)
PY := .venv/bin/python
# How many times as fast as real time `make up` runs: at 10 a month takes up to five minutes.
SPEED ?= $(if $(filter azure-storage,$(ENGINE)),1,10)
# What runs the durable functions of `make up` and `make bench-swap`: simulated, or azure-storage (Microsoft's engine).
ENGINE ?= simulated
# The demo draws Azure's durations from recordings: this seed stays near the medians, others have longer ones.
SEED ?= 2

# Node's package manager, for the Kusto language service; without it those checks are skipped with a message.
NPM ?= $(shell command -v npm)

.PHONY: help venv lock az-venv scan-venv scan snapshots kusto azurite engine package docs picture permissions lint types imports unit test demo
.PHONY: demo-engine up soak soak-crashes histories bench-swap bench-dispatcher serve clean

help: ## list the targets
	@awk -F ' *:.*## *' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.venv/made: requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and "Python 3.13 is needed: set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

venv: .venv/made ## make the Python environment; other targets do this themselves

# Each lock has the closure of its .in file with hashes, for every platform. A pin that is already there stays.
lock: venv ## write the locks (requirements*.txt) of the .in files
	@for part in "" -dev -az -scan; do \
	  constraint=; [ "$$part" != -dev ] || constraint="--constraint requirements.txt"; \
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	    --custom-compile-command "make lock" $$constraint requirements$$part.in --output-file requirements$$part.txt || exit 1; \
	done

# The real Azure CLI has an environment of its own, because its pins differ from ours.
.az-venv/made: requirements-az.txt
	$(PYTHON) -m venv .az-venv
	.az-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-az.txt
	touch $@

az-venv: .az-venv/made ## install the real Azure CLI, in an environment of its own

# The security scanner of templates has its own environment for the same reason.
.scan-venv/made: requirements-scan.txt
	$(PYTHON) -m venv .scan-venv
	.scan-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-scan.txt
	touch $@

scan-venv: .scan-venv/made ## install the security scanner of templates, in an environment of its own

scan: venv scan-venv ## scan the templates in infra/ for security faults
	$(PY) -m tests.commands.scan

# Each example in infra/examples has a file with what it would deploy: read the difference before a commit.
snapshots: venv ## write what each example in infra/examples would deploy
	$(PY) -m tests.commands.snapshots

tests/kusto/node_modules/made: tests/kusto/package-lock.json
	$(if $(NPM),cd tests/kusto && $(NPM) ci --silent --no-audit --no-fund && touch node_modules/made,@echo "no npm: the queries of alerts and workbook are not parsed")

kusto: tests/kusto/node_modules/made ## install Microsoft's Kusto parser, for the tests of queries

# Microsoft's emulator of Azure Storage, for the real Durable engine.
AZURITE := simulator/engine/azurite
$(AZURITE)/node_modules/made: $(AZURITE)/package-lock.json
	$(if $(NPM),cd $(AZURITE) && $(NPM) ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules/made,@echo "no npm: the tests on the real Durable engine are skipped")

azurite: $(AZURITE)/node_modules/made ## install Azurite, the emulator of Azure Storage, for ENGINE=azure-storage

# Microsoft's Durable extension as a program; docs/development.md has the places where a program is looked for.
engine: ## build Microsoft's Durable extension as a program; needs the .NET SDK
	dotnet publish simulator/engine/program -c Release -r linux-x64 --self-contained -o dist/durable-engine

package: ## write the deployment zip, dist/azure-vm-refresh.zip
	$(PYTHON) -m tools.package

# Pages that are generated from the code; tests/contract/test_generated_docs.py compares them.
docs: venv ## write the generated pages: docs/settings.md, docs/api.md, docs/permissions.md
	$(PY) -m tests.commands.docs
	$(PY) -m tools.permissions

picture: venv ## record the demo as docs/demo.svg
	$(PY) -m simulator demo --seed $(SEED) --clock virtual --svg docs/demo.svg

permissions: ## write docs/permissions.md from the role files
	$(PYTHON) -m tools.permissions

lint: venv ## check style and formatting (ruff)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: venv ## check types (mypy)
	$(PY) -m mypy

imports: venv ## check the import contracts (import-linter)
	.venv/bin/lint-imports

unit: venv ## run the unit tests
	$(PY) -m pytest tests/unit

# One process for each core; the tests of one file stay together and in order, because they share what they run.
# The longest file comes first: it waits in real time for the Durable engine while other tests use the processor.
test: lint types imports az-venv scan-venv kusto azurite ## run every check: lint, types, imports, unit, property, contract and end-to-end tests
	$(PY) -m pytest -n auto --dist loadscope --no-loadscope-reorder \
		tests/e2e/engine/test_killed.py tests/unit tests/property tests/contract tests/e2e

demo: venv ## play a month, a tag edit and a disk that never boots on a local Azure (1 min); SEED=n: other durations
	$(PY) -m simulator demo --seed $(SEED)

demo-engine: venv azurite ## play the demo on Microsoft's Durable engine in real time (20 min)
	$(PY) -m simulator demo --seed $(SEED) --engine azure-storage

up: venv $(if $(filter azure-storage,$(ENGINE)),azurite) ## run a local Azure with the app until Ctrl-C; SPEED=n, ENGINE=azure-storage, VERBOSE=1 shows the log
	@$(PY) -m simulator up --speed $(SPEED) --engine $(ENGINE) $(if $(VERBOSE),--verbose)

N ?= 1000
# `fleets`, `conflicts` or `recipes`.
STORIES ?= fleets
# Random unless set; each run prints its seed first.
SOAK_SEED ?=
soak: venv ## run N=1000 random failure scenarios; STORIES=recipes for image builds, STORIES=isolation for one hostile VM or list, SOAK_SEED=n repeats a run
	$(PY) -m tests.commands.soak --stories $(STORIES) --examples $(N) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

soak-crashes: venv ## kill a worker at every moment of a swap
	$(PY) -m tests.commands.crashes

histories: venv ## write tests/data/histories again; read docs/development.md first
	$(PY) -m tests.commands.histories

bench-swap: venv $(if $(filter azure-storage,$(ENGINE)),azurite) ## measure the downtime of a swap; ENGINE=azure-storage
	$(PY) -m bench.swap --engine $(ENGINE)

bench-dispatcher: venv $(if $(filter azure-storage,$(ENGINE)),azurite) ## measure the dispatcher's state and storms of events beside an older commit; ENGINE=azure-storage
	$(PY) -m bench.dispatcher --engine $(ENGINE)

serve: venv ## run the local Azure without the app
	$(PY) -m simulator serve

clean: ## remove environments, caches and dist/
	rm -rf .venv .az-venv .scan-venv dist tests/kusto/node_modules $(AZURITE)/node_modules .mypy_cache .ruff_cache .hypothesis .import_linter_cache
