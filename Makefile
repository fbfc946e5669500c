# make demo   one command from a fresh clone to signed pictures
# make test   set-up and the test suite without tests marked slow
# make check  lint, types, import contracts
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help setup demo test slow check clean

help:
	@sed -n 's/^# //p' $(firstword $(MAKEFILE_LIST))

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch first and alone: a pinned CPU build must not be replaced by whatever a dependency asks for.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt torch
	$(PIP) install -q -c constraints.txt -e '.[watermark,generate]'
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) install -q -c constraints.txt -e '.[all,train,dev]'
	$(PIP) install -q -c constraints.txt --no-deps invisible-watermark
	touch $@

setup: $(VENV)/.dev

demo: $(VENV)/.run
	PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/demo.sh

test: setup
	$(BIN)/python -m pytest -m "not slow" -n 2 -q

slow: setup
	$(BIN)/python -m pytest -m slow -q

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) demo build dist
