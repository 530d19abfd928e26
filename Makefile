# The two commands of a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= .demo

.PHONY: install demo test test-slow lint clean
install: $(VENV)/.installed
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: install
	BIN=$(abspath $(BIN)) DEMO=$(DEMO) sh examples/demo.sh

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What is skipped is said at the end, with what would have to be installed: a browser for the page
# of the report.
test: lint
	$(BIN)/python -m pytest -m 'not slow' -rs

test-slow: install
	$(BIN)/python -m pytest -m slow

clean:
	rm -rf $(VENV) $(DEMO) .migrator
