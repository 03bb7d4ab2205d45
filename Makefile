# Every target makes the environment first, if it is missing or out of date: any one may be the first command.
# make PYTHON=python3.13 test    takes another interpreter for the environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV := $(VENV)/.installed
SITE := _build/html
PORT ?= 8000
JOBS ?= 2

# One thread a process: the tests run in two processes, and the digits do not depend on the number of cores.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled once, and not in each of the hundred processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env book pdf slides test test-fast serve sync run generate times lint format address gpu-check colab-check links
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

env: $(ENV) ## Create the environment in .venv and install requirements.txt, if needed

# The stamp is written last: after an interrupted installation the next make goes on with it.
$(ENV): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is not found: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1). Name a newer one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "$(PYTHON) has no module venv. Debian and Ubuntu: apt install python3-venv; or use a Python of conda, uv or pyenv." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -r requirements.txt
	$(BIN)/python -m pip check
	@touch $@

book: $(ENV) ## Build the site into _build/html, unless it is up to date; a warning is an error
	@$(BIN)/python -m tools.site

test: $(ENV) ## Run the unit tests, and all notebooks against their stored outputs (JOBS=4 ARGS="-k ...")
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

test-fast: $(ENV) ## Run the quick tests: no notebooks, browser or sandbox, no slow ones
	$(BIN)/python -m pytest -n $(JOBS) -m "not (notebook or browser or sandbox or slow)" $(ARGS)

# Every page links to the PDF, where there will be one.
pdf: export BOOK_PDF := 1
pdf: book ## Build the site, and print the whole book into _build/html/book.pdf (needs Chromium; takes some minutes)
	$(BIN)/python -m tools.pdf

slides: book ## Build the site, and show the slides of the chapters at http://localhost:8000 (PORT=...)
	@echo "The slides: http://localhost:$(PORT)/book/teaching.html#slides   (stop with Ctrl-C)"
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(SITE) $(PORT)

serve: book ## Build the site and show it at http://localhost:8000 (PORT=...)
	@echo "The book: http://localhost:$(PORT)   (stop with Ctrl-C)"
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(SITE) $(PORT)

sync: $(ENV) ## Bring the chapters and their texts in step, whichever was edited: all, or NB=...
	$(BIN)/python -m tools.text $(NB)

run: sync ## Execute the notebooks in place: all, or NB=01-autoencoder.ipynb
	$(BIN)/python -m tools.run $(NB)

generate: $(ENV) ## Write all that is made from other files: homework, proofs, index, tables, overview (CHECK=1: compare)
	$(BIN)/python -m tools.generate $(if $(CHECK),--check) $(WHAT)

times: $(ENV) ## Measure all of this on a fresh clone, for the table in README.md and the order of the tests
	$(BIN)/python -m tools.times

lint: $(ENV) ## Check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m tools.javascript

format: $(ENV) ## Mend style and formatting where a tool can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python -m tools.javascript --fix

address: $(ENV) ## Move the project to another repository: URL=https://github.com/OWNER/NAME
	$(BIN)/python -m tools.address $(URL)

# With WHEELS not in .venv: on a machine with a GPU, its own PyTorch is the one to check. See CONTRIBUTING.md.
gpu-check: $(if $(WHEELS),,$(ENV)) ## Run all tests on a GPU; DRY=1: on the CPU; WHEELS=folder: install from there
	$(if $(WHEELS),$(PYTHON),$(BIN)/python) -m tools.gpu_check $(if $(DRY),--dry-run) $(if $(WHEELS),--wheels $(WHEELS)) $(NB)

colab-check: ## Run all notebooks on Colab's versions, in an environment of their own (.venv-colab)
	$(PYTHON) -m tools.colab $(NB)

links: $(ENV) ## Look for dead links to other sites
	$(BIN)/python -m tools.links
