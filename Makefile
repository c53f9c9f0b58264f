# The first two need nothing but Python 3.11, make and the package index.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
WORKERS ?= auto
DEMO_TRACE := --no-embed
DEMO_COLUMNS :=

.PHONY: demo demo-full test lint bench docs wheel clean

demo: $(VENV)/base  ## build a dataset, index it, trace outputs back to their rows, ask SQL
	rm -rf out/demo && mkdir -p out/demo
	$(BIN)/provkit build insecure-code --limit 600 -o out/demo/built
	$(BIN)/provkit lineage out/demo/built insecure/train/0
	$(BIN)/provkit verify out/demo/built
	$(BIN)/provkit query out/demo/built "SELECT note->>'family' AS family, count(*) AS rows FROM steps WHERE arm = 'insecure' GROUP BY family ORDER BY rows DESC, family"
	$(BIN)/provkit index build out/demo/built -o out/demo/index
	$(BIN)/provkit query out/demo/built "SELECT messages[2].content[100:700] AS output FROM insecure WHERE split = 'test' LIMIT 3" -o out/demo/outputs.json
	$(BIN)/provkit trace out/demo/index out/demo/outputs.json -o out/demo/trace $(DEMO_TRACE)
	$(BIN)/provkit query out/demo/trace "SELECT rank, tokens, count, bci_percentile AS percentile, arm, split, index, step, note, source_index $(DEMO_COLUMNS) FROM attribution('out-1') LIMIT 5"

demo-full: DEMO_TRACE :=
demo-full: DEMO_COLUMNS := , policy, conflict
demo-full: $(VENV)/embed demo  ## the same with belief conflict, which needs torch

test: $(VENV)/test  ## all tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

lint: $(VENV)/lint  ## ruff, and mypy on the installed wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(abspath $(BIN)):$$PATH" bash tests/typecheck.sh

bench: $(VENV)/bench  ## the speed claims into benchmarks/RESULTS.md; BENCH="NAME ... --corpus FILE" for some of them
	$(BIN)/python benchmarks/run.py $(BENCH)

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

$(VENV)/embed: $(VENV)/base
	$(PIP) torch==2.13.0
	$(PIP) -e '.[embed]'
	touch $@

$(VENV)/check: $(VENV)/embed
	$(PIP) -e '.[test,check]'
	touch $@

$(VENV)/test: $(VENV)/base
	$(PIP) -e '.[test]'
	touch $@

$(VENV)/lint: $(VENV)/base
	$(PIP) -e '.[lint]'
	touch $@

$(VENV)/bench: $(VENV)/embed
	$(PIP) -e '.[bench,defences]'
	touch $@
