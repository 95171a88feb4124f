# What a person calls. Each target sets up .venv first where it is missing or older than the lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Where uv is missing, pip brings it into .venv: a system's own Python often refuses packages.
UV = $(shell command -v uv || echo $(BIN)/uv)

.PHONY: setup demo test test-fast test-browser check format bench docs lock clean
.DELETE_ON_ERROR:

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) must be Python 3.11 or later; name another: make PYTHON=python3.12"; exit 1; }
	@if command -v uv >/dev/null 2>&1; \
	then uv venv --quiet --no-python-downloads --allow-existing --python $(PYTHON) $(VENV); \
	else $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; fi
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: setup
	$(BIN)/understudy run

test: setup
	$(BIN)/pytest --numprocesses 2 --dist worksteal -m "not browser"

test-fast: setup
	$(BIN)/pytest --numprocesses 2 --dist worksteal -m "not slow and not browser"

# Opens the report in Chromium. Debian's is installed where that can be done; elsewhere the tests
# are skipped, and say so.
test-browser: setup
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
		&& { apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install --yes \
			--no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1; } || \
		echo "No Chromium here, and it cannot be installed: the tests in the browser are skipped."
	$(BIN)/pytest -m browser -rs tests/browser

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m bench $(if $(DATA),--data $(DATA)) --write docs/results/speed.md

docs: setup
	$(BIN)/python -m understudy.reference

lock:
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --group dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV)
