# The chores, in one word each; people and CI use the same words.
#   make demo         the embedded EHR and the app on this machine, filled with made-up people
#   make test         every test that needs nothing but PyPI (and Chromium, where it is found)
#   make lint         ruff, mypy, import contracts, generated files up to date
#   make generate     make anew what code makes: published files, FHIR package, .env.example, the tables in docs/security.md
#   make bench        speed of scoring as ratios; calls of a page, 200 people at once, how our own store and the log grow
#   make conformance  the heavy checks: HL7's validator, real FHIR servers, strangers' form renderers
#   make conformance-whole  the same with all that is drawn at random, in both languages (tests/conformance/sizes.py)
#   make faults       10,000 histories of people, faults and deaths (tests/faults): nothing lost, twice or falsely called saved
#   make pictures     the pictures in docs/ and the README, made anew from the running demo
#   make measures     how the code is built, in tables: sizes, tangles, comments, import circles
#   make coverage     how much of mappers, outbox and launch their nearest tests reach; minutes, and fails below a floor
#   make mutants      how many small faults in the outbox no test notices: a sample; ten minutes or more (AREA=launch)
#   make pins         write the exact versions of all dependencies, and the digests of their files, anew
#   make vulnerabilities  ask PyPI which of the pinned versions are known to be vulnerable; fails where one is, or can't be told
#   make sbom         what the app is made of, for who checks it: .cache/sbom.json, in CycloneDX
#   make wheel        the wheel and its source into dist/, the same bytes each time from one commit
#   make guide        pages to browse our profiles, examples and differences between versions: dist/guide/index.html
#   make release      all that a release has into dist/ (TAG=v1.2.3), when version, changes and tag agree
PYTHON ?= python3
PORT ?= 8017
BIN := .venv/bin
# Images often forbid Python to keep what it compiled. Here it is started some hundred times, and compiled all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup setup-test demo test lint generate bench conformance conformance-whole faults pictures measures coverage mutants pins sbom vulnerabilities wheel guide release clean
.DEFAULT_GOAL := test

setup: .venv/runtime
setup-test: .venv/test

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Verstel needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which one to use: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/test: requirements-test.txt .venv/runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt
	@touch $@

demo: setup
	$(BIN)/verstel demo --port $(PORT) $(if $(DAY),--day $(DAY))

# The tests make a database each, and wait for the disk most of the time: in memory where there is a gigabyte of it.
# Three workers keep two cores busy: one that waits for a browser or a clock leaves its core to another. One that was
# ended is not started again: with files kept together, the run would wait for it for ever, and the test stay unnamed.
test: export TMPDIR := $(or $(shell df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 1000 {print "/dev/shm"}'),$(TMPDIR),/tmp)
test: setup-test
	$(BIN)/python -m pytest -m "not thorough" -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.generated --check
	$(BIN)/verstel questionnaires check

# Compiling the profiles needs node and npm; it is done only where one of their sources was changed.
generate: setup-test
	$(BIN)/python -m scripts.generated

# One figure that misses what is promised ends none of the others; all that were missed are named at the end.
bench: setup-test
	$(BIN)/python -m benchmarks

conformance: setup-test
	$(BIN)/python -m tests.conformance

conformance-whole: export VERSTEL_CONFORMANCE = whole
conformance-whole: conformance

faults: setup-test
	$(BIN)/python -m tests.faults --histories 10000
	$(BIN)/python -m tests.faults --processes 300 --database sqlite
	$(BIN)/python -m tests.faults --processes 300 --database postgresql

pictures: setup-test
	$(BIN)/python -m scripts.pictures

measures: setup-test
	$(BIN)/python -m scripts.measures

# Both tools are for this only, and bring others along: they are installed when they are asked for.
AREA ?= outbox
coverage: setup-test
	$(BIN)/pip install --quiet --disable-pip-version-check 'coverage>=7.17'
	$(BIN)/python -m scripts.covered

mutants: setup-test
	$(BIN)/pip install --quiet --disable-pip-version-check 'coverage>=7.17' 'mutmut==3.8.*'
	$(BIN)/python -m scripts.mutants $(AREA)

# The pins are for the machine's own Python; they leave out where the packages came from. The digests are of all files of
# a version, so that the pins install on every platform that it was built for.
COMPILE := pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-header --no-emit-find-links --no-emit-index-url --no-emit-options --strip-extras
pins: setup-test
	$(BIN)/pip install --quiet --disable-pip-version-check 'pip-tools>=7.6'
	$(BIN)/$(COMPILE) pyproject.toml -o requirements.txt
	$(BIN)/$(COMPILE) --extra test -c requirements.txt pyproject.toml -o requirements-test.txt
	echo 'psycopg[binary]' | $(BIN)/$(COMPILE) -c requirements-test.txt - -o requirements-postgresql.txt
	echo hatchling | $(BIN)/$(COMPILE) -c requirements-test.txt - -o requirements-build.txt
	echo fhir4ds-v2 | $(BIN)/$(COMPILE) - -o tests/conformance/views/requirements.txt
	$(BIN)/$(COMPILE) -c requirements-test.txt tests/conformance/engines/requirements.in -o tests/conformance/engines/requirements.txt

# The time of the commit stands in place of that of the machine, so that the bytes are the same wherever it is made.
wheel: export SOURCE_DATE_EPOCH := $(or $(shell git log -1 --format=%ct 2>/dev/null),$(SOURCE_DATE_EPOCH))
wheel: setup-test
	rm -f dist/verstel-*.whl dist/verstel-*.tar.gz
	$(BIN)/hatchling build -t wheel -t sdist -d dist

guide: setup
	rm -rf dist/guide
	$(BIN)/python -m fhir_profiles.guide dist/guide

release: wheel sbom guide
	rm -f dist/*.tgz dist/*.zip
	cd dist && ../$(BIN)/python -m zipfile -c verstel-guide.zip guide/
	$(BIN)/verstel package --out dist/
	cp .cache/sbom.json dist/sbom.json
	$(BIN)/python -m scripts.release $(TAG)

# Read from the pins: an environment would also have what tests need. The tool is none of ours, so it has a place of its own.
sbom: .cache/sbom/bin/cyclonedx-py
	cat requirements.txt requirements-postgresql.txt > .cache/sbom.txt
	PYTHONWARNINGS=ignore $< requirements --pyproject pyproject.toml --output-reproducible -o .cache/sbom.json .cache/sbom.txt
	$(PYTHON) -m scripts.sbom .cache/sbom.json
	@echo "Written: .cache/sbom.json"

.cache/sbom/bin/cyclonedx-py:
	$(PYTHON) -m venv .cache/sbom
	.cache/sbom/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0

# --strict: what could not be looked up counts as found, or no answer would look like good news.
vulnerabilities: .cache/vulnerabilities/bin/pip-audit
	$< --strict --require-hashes --disable-pip --progress-spinner off -r requirements.txt -r requirements-postgresql.txt

.cache/vulnerabilities/bin/pip-audit:
	$(PYTHON) -m venv .cache/vulnerabilities
	.cache/vulnerabilities/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .verstel
