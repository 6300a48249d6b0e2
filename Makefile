# What one does with this repository, as executable documentation; `make` alone lists it.
#
# Set-up fills .venv with the versions and hashes of the lock files, and with nothing else. A stamp is written when a
# step is complete: an interrupted one leaves none, and set-up begins again from an empty .venv.

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
WHEELHOUSE ?= dist/wheelhouse

PROBE := import importlib.util as u, sys; sys.exit(sys.version_info < (3, 11) or not (u.find_spec("ensurepip") or u.find_spec("pip")))
PYTHON ?= $(firstword $(shell for one in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$one" -c '$(PROBE)' 2>/dev/null && echo "$$one"; done))
# Debian packs ensurepip apart (python3-venv); where it is missing, the pip of the machine fills the environment.
PIP = $(shell $(PYTHON) -c 'import ensurepip' 2>/dev/null && echo $(BIN)/python -m pip || echo $(PYTHON) -m pip --python $(BIN)/python)
LOCKED := install --disable-pip-version-check --no-input --require-hashes --only-binary :all:

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --generate-hashes --universal --python-version 3.11 \
	--fork-strategy fewest --only-binary :all: --no-config --no-emit-index-url --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade)

.PHONY: help run test deploy lint format bench words lock wheel wheelhouse clean
.NOTPARALLEL:

help: ## list what can be done
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):[^#]*## /  \1\t/p' Makefile | expand -t 14

run: $(VENV)/.run ## set up, then show a simulated county
	$(BIN)/baoxue demo

test: $(VENV)/.test ## set up, then lint and run every test
	@lint=0; $(MAKE) --no-print-directory lint || { lint=1; echo "lint found faults (above); the tests run all the same"; }; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --hypothesis-profile ci && exit $$lint

deploy: $(VENV)/.test ## follow deploy/README.md on clean Debians; many minutes, as root
	BAOXUE_DEPLOY=1 $(BIN)/python -m pytest tests/deploy

lint: $(VENV)/.test ## check style, types, and who imports whom
	@faults=0; for check in "ruff check ." "ruff format --check ." "mypy" "lint-imports"; do \
		echo "$$check"; $(BIN)/$$check || faults=1; done; exit $$faults

format: $(VENV)/.test ## let ruff mend what it can
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.test ## measure, against the limits written in bench/
	@faults=0; for one in bench/*.py; do echo "$$one"; $(BIN)/python "$$one" || faults=1; done; exit $$faults

words: ## put the Chinese of the help into the form in which it is read (needs gettext's msgfmt)
	msgfmt --check-format -o daemon/cli/locale/zh/LC_MESSAGES/baoxue.mo daemon/cli/locale/zh/LC_MESSAGES/baoxue.po

lock: $(VENV)/.test ## lock anew what pyproject.toml asks for (UPGRADE=1: in the newest versions)
	$(COMPILE) --group build --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --extra pdf --constraints requirements-dev.lock --output-file requirements-pdf.lock

wheel: $(VENV)/.test ## build dist/baoxue-*.whl
	$(BIN)/python -m build --wheel --no-isolation

wheelhouse: $(VENV)/.test ## gather dist/wheelhouse, to install from without a network (FOR=3.13: for another Python)
	rm -rf $(WHEELHOUSE)
	$(BIN)/python -m pip download --disable-pip-version-check --quiet --require-hashes --only-binary :all: \
		--requirement requirements.lock --dest $(WHEELHOUSE) $(if $(FOR),--python-version $(FOR))
	$(BIN)/python -m build --wheel --no-isolation --outdir $(WHEELHOUSE)
	cp requirements.lock $(WHEELHOUSE)/

clean: ## remove everything made here, .venv too
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.locked: requirements.lock
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c '$(PROBE)' || { \
		echo "baoxue needs Python 3.11 or newer, with venv and pip$(if $(PYTHON),; $(PYTHON) is not that,)."; \
		echo "On Debian and Ubuntu: apt install python3-venv. Elsewhere, name one: make PYTHON=/path/to/python3.11"; \
		exit 1; } >&2
	@echo "setting up $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || none=--without-pip; $(PYTHON) -m venv --clear $$none $(VENV)
	$(PIP) $(LOCKED) --requirement requirements.lock
	@touch $@

# Compiled once: whoever runs it may not be allowed to write beside the sources, and would compile them at each start.
$(VENV)/.run: $(VENV)/.locked pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q daemon rules notifiers templates
	@touch $@

# While packages are being added the environment is incomplete, so the first stamp goes and comes back.
$(VENV)/.test: $(VENV)/.run requirements-dev.lock
	@rm $(VENV)/.locked
	$(BIN)/python -m pip $(LOCKED) --requirement requirements-dev.lock
	@touch $(VENV)/.locked $(VENV)/.run $@
