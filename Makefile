# make lab         set up and open the course       make dashboard  set up and serve the dashboard
# make test        set up, lint, run every test     make test-fast  the same with the quick tests only
#   one after another; `make test WORKERS=2` runs two files of tests at a time
# make lint        look for mistakes, change nothing             make format  lay the code out
# make env         set up only                      make lock       pin what pyproject.toml asks for
# make bench       measure speed and memory         make bench-dashboard  how quickly the dashboard answers
# make bench-store                                  what writing a run as it goes costs
# make bench-pages                                  how many open dashboards a machine has room for
# make bench-memory ARGS=100000                     what so many images take, in memory and time, beside Keras
# make bench-photographs ARGS="FOLDER WEIGHTS"      the full VGG16 on photographs at 64, 128 and 224 pixels
# make bench-doctor                                 what the doctor finds, misses and makes up
# make torture     kill runs and kernels at random moments, and count what was lost
# make probe DATA="FOLDER ..."                      how far the embedded weights carry over
# make course      run all notebooks                make html       and render them to pages in build/html
# What is shipped, made anew (data/recipe):
# make pretrain    the embedded weights             make source-task  the pictures that show what was forgotten
# make study       the tables that the course's claims rest on   make blossoms ARGS=FOLDER  the flowers
# Needs Python 3.11, 3.12 or 3.13; name another one with `make lab PYTHON=/path/to/python`.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,\
  $(if $(shell $(name) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) and print("right")' 2>/dev/null),$(name))))
BIN := .venv/bin
# What is installed: these versions, or with `make env LOCK=` the newest that pyproject.toml allows.
LOCK ?= requirements.lock
ARGS ?=
# Each holds about 2 GB once it has run networks. The tests of a file stay together, with the server that they share.
WORKERS ?= 0
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

lab: env
	$(BIN)/vgglab lab $(ARGS)

dashboard: env
	$(BIN)/vgglab dashboard $(ARGS)

test: lint
	$(PYTEST) $(ARGS)

test-fast: lint
	$(PYTEST) -m "not slow" $(ARGS)

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check || { echo "Not laid out as it should be; \`make format\` does it."; exit 1; }
	$(BIN)/mypy

# The import order and the layout; whatever else lint finds wants a look.
format: env
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format

# Goes on where an interrupted run stopped; delete build/pretraining to begin anew.
pretrain: env
	PYTHONPATH=data $(BIN)/python -m recipe.pretraining $(ARGS)

blossoms: env
	PYTHONPATH=data $(BIN)/python -m recipe.blossoms $(ARGS)

source-task: env
	PYTHONPATH=data $(BIN)/python -m recipe.source_task

bench: env
	$(BIN)/python -m tests.benchmarks

bench-dashboard: env
	$(BIN)/python -m tests.benchmarks.dashboard

bench-store: env
	$(BIN)/python -m tests.benchmarks.store

bench-doctor: env
	$(BIN)/python -m tests.benchmarks.doctor $(ARGS)

bench-pages: env
	$(BIN)/python -m tests.benchmarks.pages

bench-photographs: env
	$(BIN)/python -m tests.benchmarks.photographs $(ARGS)

bench-memory: env
	$(BIN)/python -m tests.benchmarks.memory $(ARGS)

torture: env
	$(BIN)/python -m tests.torture $(ARGS)

probe: env
	$(BIN)/python -m tests.benchmarks.probe $(DATA)

# Goes on where an interrupted run stopped; delete build/study to begin anew.
study: env
	PYTHONPATH=data $(BIN)/python -m recipe.study settings $(ARGS)
	PYTHONPATH=data $(BIN)/python -m recipe.study tables $(ARGS)

course: env
	$(BIN)/vgglab course --run --out build/course $(ARGS)

html: env
	$(BIN)/vgglab course --run --html build/html $(ARGS)

# Runs the lessons first, where they are newer than their pages; `make site DRAFT=1` shows them as they are.
site: env $(if $(DRAFT),,build/html/index.html)
	NO_MKDOCS_2_WARNING=1 VGGLAB_SITE_LESSONS=$(if $(DRAFT),,$(abspath build/html)) \
	  $(BIN)/python -m mkdocs build --strict --config-file docs/mkdocs.yml --site-dir $(abspath build/site) $(ARGS)
	@echo "Open build/site/index.html."

build/html/index.html: $(wildcard notebooks/*.ipynb)
	$(MAKE) html ARGS=

env: .venv/ready

# Installed anew whenever what is to be installed changes.
.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "vgglab needs Python 3.11, 3.12 or 3.13, and none was found. Install one, or name it: make lab PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet \
	  $(if $(strip $(LOCK)),--requirement $(LOCK),--editable '.[heic,lint,onnx,site,sweep,test]')
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --editable .
	@touch $@

# For every system and Python at once. Pins that still fit are kept; ARGS=--upgrade renews all of them, and
# ARGS="--upgrade-package NAME" one.
lock: env
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" --output-file requirements.lock $(ARGS) pyproject.toml

.PHONY: lab dashboard test test-fast lint format env lock course html site \
  bench bench-dashboard bench-doctor bench-store bench-pages bench-memory bench-photographs torture \
  probe pretrain blossoms source-task study
