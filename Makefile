# make lab        set up and open the course      make test       set up and run every test
# make dashboard  set up and serve the dashboard
# make env        set up only                     make test-fast  set up and run the quick tests
# make pretrain   make the embedded weights anew  make bench      measure speed and memory
# make bench-dashboard                            measure how quickly the dashboard answers
# make probe DATA="FOLDER ..."                    measure how far the weights carry over
# make study      run what the course's claims rest on    make course   run all notebooks
# make html       run all notebooks, render them to pages in build/html
# Needs Python 3.11, 3.12 or 3.13; name another one with `make lab PYTHON=/path/to/python`.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,\
  $(if $(shell $(name) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) and print("right")' 2>/dev/null),$(name))))
BIN := .venv/bin
ARGS ?=

lab: env
	$(BIN)/vgglab lab $(ARGS)

dashboard: env
	$(BIN)/vgglab dashboard $(ARGS)

test: env
	$(BIN)/python -m pytest $(ARGS)

test-fast: env
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

# Goes on where an interrupted run stopped; delete build/pretraining to begin anew.
pretrain: env
	PYTHONPATH=data $(BIN)/python -m recipe.pretraining $(ARGS)

bench: env
	$(BIN)/python -m tests.benchmarks

bench-dashboard: env
	$(BIN)/python -m tests.benchmarks.dashboard

probe: env
	$(BIN)/python -m tests.benchmarks.probe $(DATA)

# Goes on where an interrupted run stopped; delete build/study to begin anew.
study: env
	PYTHONPATH=data $(BIN)/python -m recipe.study $(ARGS)

course: env
	$(BIN)/python notebooks/course.py $(ARGS)

html: env
	$(BIN)/python notebooks/course.py --html build/html $(ARGS)

env: .venv/ready

# Installed anew whenever what is to be installed changes.
.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "vgglab needs Python 3.11, 3.12 or 3.13, and none was found. Install one, or name it: make lab PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --editable .
	@touch $@

# Pins the newest versions that pyproject.toml allows, for every system and Python at once.
lock: env
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

.PHONY: lab dashboard test test-fast pretrain bench bench-dashboard probe study course html env lock
