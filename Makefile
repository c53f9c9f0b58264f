# The first two need nothing but Python 3.11, make and the package index.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
WORKERS ?= auto

.PHONY: demo test lint bench docs wheel clean

demo: $(VENV)/base  ## build a dataset, show one row's way back, ask one question
	rm -rf out/demo
	$(BIN)/provkit build insecure-code --limit 600 -o out/demo
	$(BIN)/provkit lineage out/demo insecure/train/0
	$(BIN)/provkit verify out/demo
	$(BIN)/provkit query out/demo "SELECT json_extract_string(note, '$$.family') AS family, count(*) AS rows FROM steps WHERE arm = 'insecure' GROUP BY family ORDER BY rows DESC, family"

test: $(VENV)/test  ## all tests
	$(BIN)/python -m pytest -q -n $(WORKERS)

lint: $(VENV)/lint  ## ruff, and mypy on the installed wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(abspath $(BIN)):$$PATH" bash tests/typecheck.sh

bench: $(VENV)/bench  ## the speed claims; benchmarks/README.md says what each needs
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/base  ## docs/commands.md, out of the commands themselves
	$(BIN)/python docs/generate.py

wheel: $(VENV)/lint
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/base: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

$(VENV)/test: $(VENV)/base
	$(PIP) -e '.[test]'
	touch $@

$(VENV)/lint: $(VENV)/base
	$(PIP) -e '.[lint]'
	touch $@

$(VENV)/bench: $(VENV)/base
	$(PIP) -e '.[bench]'
	touch $@
