# Everything a newcomer needs: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BENCH := build/bench

.PHONY: install demo test trials check bench docs clean

install: $(STAMP)

# The locks pin what is known to work together, with hashes; the project itself is linked, so that edits count at once.
$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or later is needed: make PYTHON=python3.11 ...' if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	$(BIN)/cypp demo

# Python may keep its compiled files, whatever the environment says: otherwise each process that a test starts compiles again.
test trials check: export PYTHONDONTWRITEBYTECODE :=

# Three processes, since many tests wait; a file of tests to one of them, and all that needs Prefect's server to the same: see tests/conftest.py.
test: install
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

# What is end to end and dear: kills, several machines, a wheel in an environment of its own. `.ci/run` runs it too.
trials: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "trial and not slow"

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

# What a backfill is compared with, in an environment of its own that sees ours: no test and no lock knows of it.
$(BENCH)/.installed: $(STAMP) pyproject.toml
	rm -rf $(BENCH)
	$(BIN)/python -m venv $(BENCH)
	$(BIN)/python -c "import sysconfig; print('import site; site.addsitedir(\"' + sysconfig.get_path('purelib') + '\")')" \
		> $$($(BENCH)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/ours.pth
	$(BENCH)/bin/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['bench'], sep='\n')" \
		> $(BENCH)/requirements.txt
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(BENCH)/requirements.txt
	@touch $@

# How long each takes is said after it. The ratios come last: they fail where one is worse than the documentation says.
define measured
	@echo "== benchmarks/$(1)"; began=$$(date +%s); $(BENCH)/bin/python benchmarks/$(1) \
		&& echo "== $$(($$(date +%s) - began)) s: benchmarks/$(1)"
endef

bench: install $(BENCH)/.installed
	$(call measured,reading.py)
	$(call measured,checking.py)
	$(call measured,single.py)
	$(call measured,judging.py)
	$(call measured,variation.py)
	$(call measured,million.py --corrected 0.002)
	$(call measured,dropping.py --drops 15)
	$(call measured,national_plan.py --runs 2)
	$(call measured,backfilling.py --returns 4000 --sample 60)
	$(call measured,earlier_commit.py)
	$(call measured,ratios.py)

# The documentation as a site, in build/site/: open index.html.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:
	rm -rf .venv demo build *.egg-info .mypy_cache .pytest_cache .ruff_cache
