# Narrascope. Bare `make` lists what there is.
PYTHON ?= python3
PORT ?= 8000
MODEL ?= models/current
SOURCES ?= $(or $(NARRASCOPE_SOURCES),../shared/data)
BIN = .venv/bin

.DEFAULT_GOAL = help
.PHONY: help setup setup-training serve score train evaluate release rollback report readme test lint bench bench-growth bench-kinds bench-kills bench-page bench-serving bench-topics pictures notebooks lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/serving ## make .venv with the command .venv/bin/narrascope (serving only, no torch)

setup-training: .venv/training ## add what training, tests and notebooks need (torch and the rest)

.venv/serving: requirements/serving.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Narrascope needs Python 3.11 or later: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/serving.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/training: .venv/serving requirements/training.txt requirements/torch.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/training.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/torch.txt
	touch $@

serve: setup ## serve the released model on 127.0.0.1:8000 (PORT= for another)
	$(BIN)/narrascope serve --model $(MODEL) --port $(PORT)

score: setup ## label a JSONL file: make score IN=posts.jsonl OUT=labelled.jsonl
	$(BIN)/narrascope score $(IN) --out $(OUT) --model $(MODEL)

train: setup-training ## fine-tune on all labels, then export to runs/latest/narrascope-candidate
	$(BIN)/narrascope train --run runs/latest --sources $(SOURCES)
	$(BIN)/narrascope export --run runs/latest --out runs/latest/narrascope-candidate --sources $(SOURCES)

evaluate: setup-training ## measure the released model on held-out labels
	$(BIN)/narrascope evaluate --model $(MODEL) --sources $(SOURCES)

release: setup-training ## release what `make train` made, if it is better (NAME=narrascope-x.y.z)
	$(BIN)/narrascope release runs/latest/narrascope-candidate --name $(NAME) --sources $(SOURCES)

rollback: setup-training ## go back to the model that was current before
	$(BIN)/narrascope release --rollback

report: setup-training ## measure everything and write docs/evaluation.md (RUN= the model's own run, if kept)
	$(BIN)/narrascope evaluate --model $(MODEL) --sources $(SOURCES) $(if $(RUN),--run $(RUN)) --neutral sib200 --robustness --explanations --out docs

readme: setup-training ## put the committed figures and the model's answer into README.md
	$(BIN)/python -m training.readme --model $(MODEL)

test: lint ## lint, types and all tests
	$(BIN)/python -m pytest

lint: setup-training ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup-training ## time `narrascope score` beside its own service and a plain pipeline
	$(BIN)/python -m tests.benchmarks.scoring --sources $(SOURCES)

bench-growth: setup-training ## time `narrascope score` on 10 thousand to a million lines
	$(BIN)/python -m tests.benchmarks.growth --sources $(SOURCES) --out docs/bench/growth.json

bench-kills: setup-training ## kill `narrascope score` 50 times and compare with a whole run
	$(BIN)/python -m tests.benchmarks.kills --sources $(SOURCES) --out docs/bench/kills.json

bench-kinds: setup-training ## score every kind of source from a real tool, whole and broken
	$(BIN)/python -m tests.benchmarks.kinds --out docs/bench/kinds.json

bench-page: setup-training ## put the figures of scoring into docs/scoring.md
	$(BIN)/python -m tests.benchmarks.page

bench-serving: setup-training ## time the HTTP service beside other servers (makes their environments)
	$(BIN)/python -m tests.benchmarks.serving --sources $(SOURCES) --out docs/bench/serving.json

bench-topics: setup-training ## train on another taxonomy (SIB-200 topics) and write its figures
	$(BIN)/python -m tests.benchmarks.topics --sources $(SOURCES) --docs docs

pictures: setup-training ## make the picture of a report (needs Chromium)
	$(BIN)/python -m tests.pictures --model $(MODEL)

notebooks: setup-training ## execute the notebooks
	$(BIN)/python -m tests.notebooks

lock: ## lock the set-ups anew from pyproject.toml (needs uv)
	uv pip compile -q pyproject.toml --extra training --extra tracking --extra cluster --extra development --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --override requirements/without-torch.txt $(foreach package,torch jinja2 markupsafe mpmath setuptools sympy,--no-emit-package $(package)) -o requirements/training.txt
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -c requirements/training.txt -o requirements/serving.txt

clean: ## remove what was built; labels, models and runs stay
	rm -rf .venv .cache build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
