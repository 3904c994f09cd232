# Everything a contributor runs. Needs make, git and Python 3.11 or newer; the rest is installed into $(VENV).

VENV ?= .venv
PYTHON ?=
DSN ?=
CITUS_DSN ?=
ARGS ?=
# Processes that run tests: one more than processors, since tests wait for servers and for other programs. With ARGS=-n0
# there is one, which a debugger can stop.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Words for pip, before what it shall install; and which of the extras.
PIP ?=
EXTRA ?= dev

CANDIDATES = $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3)
BIN = $(VENV)/bin
# Tests of one file share what is dear to make (a site, a measurement) and stay in one process, in order.
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
# The rooms whose tests may come out otherwise on another server, and the tests that may on another Python or with
# other versions of libraries.
SHARE = -m 'not slow' $(patsubst %,tests/%,catalog postgres reading/test_columns.py reading/test_find.py \
	reading/test_sky_indexes.py saving security spool tables)
TASTE = -m 'not slow' $(patsubst %,tests/%,cli ingest/test_ingest.py model/test_column_types.py model/test_doors.py \
	reading/test_columns.py saving/test_save_many.py tables/test_save_table.py work/test_worker.py)
# What must be the same where results are distributed: schema/add-ons/citus.sql.
BEHAVIOUR = -m 'not slow' $(patsubst %,tests/%,catalog compare export postgres reading saving security spool tables work)
INSTALLED = $(VENV)/.installed
COMPOSE_DSN = postgresql://postgres:astra@127.0.0.1:54329/postgres
# What behaves by the table it writes to and reads from.
PARTITIONED = -m 'not slow' $(patsubst %,tests/%,catalog/test_gate.py export/test_fits.py \
	$(patsubst %,reading/test_%.py,columns conditions find pending) \
	$(patsubst %,saving/test_%.py,both_doors concurrency only_given own_source repository same_star save_many version_rules) \
	spool/test_spool.py tables/test_save_table.py work/test_worker.py)
# Scripts with commands of psql are for psql alone; the other files are what a linter can read.
STATEMENTS = $(wildcard astra_outputs/sql/*.sql)
# Marks decide how lines break, hold names that only they use, and a join says what is wanted of the table it brings.
UNRULY = layout,aliasing.expression,convention.terminator,references,structure,ambiguous.join,aliasing.unused
SQL = $(filter-out schema/install.sql schema/add-ons/%.sql schema/upgrades/%.sql,$(wildcard schema/*.sql schema/*/*.sql examples/*/*.sql tests/sql/*.sql)) \
	schema/upgrades/parts/sources_of_spectra.sql

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: dev
dev: $(INSTALLED) ## Make the virtual environment .venv, with everything that the targets below need

# Python is tried, not only looked up: a version manager's stub answers to names that it cannot run.
$(INSTALLED): pyproject.toml
	@usable='import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))'; \
	for python in $(CANDIDATES); do \
		if "$$python" -c "$$usable" 2>/dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo 'No Python 3.11 or newer with its venv module among: $(CANDIDATES)' >&2; \
		echo 'Install one (on Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python3' >&2; \
		exit 1; \
	fi; \
	echo "Installing into $(VENV) with $$("$$found" --version) ..."; \
	"$$found" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP) --editable '.[$(EXTRA)]'
	@touch $@

.PHONY: demo
demo: $(INSTALLED) ## See it work on real stars; leaves its database and a plot in demo/
	@$(BIN)/python examples/irfm/demo.py $(ARGS)

.PHONY: psql
psql: $(INSTALLED) ## Open psql on the database that the demo left
	@$(BIN)/python examples/irfm/psql.py $(ARGS)

.PHONY: test
test: $(INSTALLED) ## Run the tests on an embedded PostgreSQL, or on a server: make test DSN=... or CITUS_DSN=...
	$(if $(CITUS_DSN),@ASTRA_OUTPUTS_TEST_CITUS_DSN='$(CITUS_DSN)' $(PYTEST) $(BEHAVIOUR) $(ARGS),$(if \
		$(DSN),@ASTRA_OUTPUTS_TEST_DSN='$(DSN)' )$(PYTEST) -m 'not slow' $(ARGS))

.PHONY: test-slow
test-slow: $(INSTALLED) ## Run those that `test` leaves out: faults with real processes, the built site, benchmarks in small
	$(if $(DSN),@ASTRA_OUTPUTS_TEST_DSN='$(DSN)' )$(PYTEST) -m slow $(ARGS)

.PHONY: test-share
test-share: $(INSTALLED) ## Run those tests that may come out otherwise on another server: make test-share DSN=...
	$(if $(DSN),@ASTRA_OUTPUTS_TEST_DSN='$(DSN)' )$(PYTEST) $(SHARE) $(ARGS)

.PHONY: test-partitions
test-partitions: $(INSTALLED) ## Run those tests that write and read results, on tables in four partitions
	@ASTRA_OUTPUTS_TEST_PARTITIONS=4 $(if $(DSN),ASTRA_OUTPUTS_TEST_DSN='$(DSN)' )$(PYTEST) $(PARTITIONED) $(ARGS)

.PHONY: test-taste
test-taste: $(INSTALLED) ## Run those tests that may come out otherwise on another Python or with other libraries
	$(PYTEST) $(TASTE) $(ARGS)

.PHONY: test-pythons
test-pythons: $(INSTALLED) ## Run a taste of the tests on each other Python from 3.11 that is found here
	@$(BIN)/python .ci/pythons.py | while read -r version python; do \
		echo "The taste on Python $$version:"; \
		$(MAKE) --no-print-directory test-taste EXTRA=taste PIP=--no-compile VENV=$(VENV)-$$version PYTHON="$$python" </dev/null || exit 1; \
	done

.PHONY: test-lowest
test-lowest: $(INSTALLED) ## Run the same taste with the lowest versions that pyproject.toml names, on Python 3.11
	@mkdir -p build && $(BIN)/python .ci/lowest.py > build/lowest.txt
	@found=$$($(BIN)/python .ci/pythons.py 3.11 | cut -d ' ' -f 2); \
	if [ -z "$$found" ]; then echo 'The lowest versions are for Python 3.11, which is not here.' >&2; exit 1; fi; \
	$(MAKE) --no-print-directory test-taste EXTRA=test VENV=$(VENV)-lowest PYTHON="$$found" \
		PIP='--no-compile --constraint build/lowest.txt'

.PHONY: soak
soak: $(INSTALLED) ## Faults and campaigns at full size, again and again, with other seeds: make soak MINUTES=30 SEED=7
	@$(BIN)/python tests/faults/soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: year
year: $(INSTALLED) ## Simulate a year of the survey's writing with faults: make year ARGS="--spectra 2000 --seed 7"
	@$(BIN)/python examples/year/year.py $(ARGS)

.PHONY: pictures
pictures: $(INSTALLED) ## Draw the pictures of the documentation, from real stars
	@$(BIN)/python examples/reading/pictures.py docs/pictures

.PHONY: test-docker
test-docker: $(INSTALLED) ## Run the tests on the PostgreSQL of compose.yaml
	@trap 'docker compose down --volumes' EXIT; \
	docker compose up --wait && ASTRA_OUTPUTS_TEST_DSN='$(COMPOSE_DSN)' $(PYTEST) $(ARGS)

.PHONY: lint
lint: $(INSTALLED) ## Check style, types and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/squawk --config .squawk.toml $(SQL) $(STATEMENTS)
	$(BIN)/sqlfluff lint --disable-progress-bar $(SQL)
	$(BIN)/sqlfluff lint --disable-progress-bar --exclude-rules $(UNRULY) $(STATEMENTS)

.PHONY: format
format: $(INSTALLED) ## Rewrite the Python files in the project's style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: check
check: $(INSTALLED) ## Compare the record classes with the SQL files, and with a database: make check DSN=...
	@$(BIN)/astra-outputs check $(if $(DSN),--dsn '$(DSN)') $(ARGS)

.PHONY: docs
docs: $(INSTALLED) ## Build the documentation, with a page for each table, into site/
	@$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees docs site $(ARGS)
	@echo 'Open site/index.html; for others: $(BIN)/python -m http.server --directory site'

.PHONY: bench
bench: $(VENV)/.installed-bench ## Measure against the other ways to store rows; takes long: make bench ARGS=--help
	@$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.installed-bench: $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

.PHONY: clean
clean: ## Remove the virtual environment, the demo's database and all caches
	rm -rf $(VENV) $(VENV)-* demo build dist site docs/data-model docs/files docs/cli.md .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
