# Every target sets up what it needs: `make run` and `make test` work on a fresh clone.
.PHONY: setup run test up bench hunt lint docs
.DEFAULT_GOAL := run
export PATH := $(CURDIR)/.venv/bin:$(PATH)

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt tools/setup
	@tools/setup

run: setup  ## ingest, day-ahead, the whole day in quarter-hours, through Airflow on SQLite
	@.venv/bin/python tools/main_job.py

test: setup  ## all tests; those whose servers are absent are deselected and counted on the last line
	@.venv/bin/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

up: setup  ## Airflow with its page on this machine
	@.venv/bin/python tools/airflow_up.py

bench: setup  ## the performance table: ratios in one run on this machine
	@.venv/bin/feederflow bench

hunt: setup  ## five hundred cases by the throw of a die, each a whole day
	@FEEDERFLOW_HUNT=$${FEEDERFLOW_HUNT:-1000:1500} .venv/bin/python -m pytest -q tests/properties/test_any_day.py

lint: setup
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

docs: setup  ## the generated pages: docs/case.md, docs/models.md, docs/tables.md
	@.venv/bin/python tools/write_docs.py
