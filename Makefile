# Every target installs what it needs on a plain Debian or Ubuntu machine, says what it does, and is quick when
# nothing is missing. Downloads and builds are kept outside the checkout, in $(CACHE).

ROOT   := $(filter 0,$(shell id -u))
SUDO   := $(if $(ROOT),,sudo -E env PATH="$$PATH")
CACHE  := $(or $(HERETIC_CACHE),$(if $(ROOT),/var/cache/heretic,$(HOME)/.cache/heretic))
UV     := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
PY     := .venv/bin/python
LAB    := $(SUDO) env PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 $(CURDIR)/$(PY) -m
PYTEST := env PYTHONDONTWRITEBYTECODE=1 $(CURDIR)/$(PY) -m pytest

export PYTHONDONTWRITEBYTECODE := 1
# What lab machines and simulated hosts run; debian13 when nothing is said: make e2e PLATFORM=debian12
ifdef PLATFORM
export HERETIC_LAB_PLATFORM := $(PLATFORM)
endif

# The oVirt SDK is published as source: whether its part in C can be compiled for the Python that uv takes.
COMPILES = command -v gcc >/dev/null && test -e /usr/include/libxml2/libxml/tree.h && "$$($(UV) python find)" -c \
  'import os, sysconfig; raise SystemExit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
EXPORT := export -q --frozen --no-header --no-annotate
STALE  := is stale: run make requirements

.PHONY: help demo demo-down test integration image image-test main-job e2e unit check docs requirements bench lab-up \
  lab-down setup lab-setup format

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: lab-setup  ## three blank machines become a replicated volume, on this machine; OPERATOR=checkout runs it without its image (15 minutes the first time)
	@$(LAB) demo up $(if $(OPERATOR),--operator $(OPERATOR))

demo-down: setup  ## take the demo away again, all of it
	@$(LAB) demo down

test: check unit integration main-job  ## everything but the long part of e2e (half an hour; 45 minutes the first time)

integration: lab-setup  ## a real API server, simulated hosts
	@echo "== integration tests (6 minutes; 5 more the first time, to build the API server)"
	@$(LAB) lab binaries >/dev/null
	@rights=$$(mktemp -d) && trap 'rm -rf "$$rights"' EXIT && \
	  $(SUDO) env HERETIC_USED_RIGHTS=$$rights $(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder tests/integration && \
	  $(SUDO) env HERETIC_USED_RIGHTS=$$rights $(PYTEST) -q -n 0 tests/rights

image: setup  ## the operator's container image, built without a registry; BASE=… builds upon another image (2 minutes the first time)
	@$(LAB) lab operator-image $(if $(BASE),--base $(BASE))

image-test: image  ## the operator out of that image, under its Deployment's user and rights
	@echo "== the operator out of its image"
	@$(LAB) lab binaries >/dev/null
	@$(SUDO) $(PYTEST) -n 0 tests/image

main-job: lab-setup  ## real machines, real storage: from blank disks to a lost node and back (a quarter of an hour)
	@echo "== the main job on real machines (a quarter of an hour where they are emulated)"
	@$(SUDO) $(PYTEST) tests/e2e -m "not long"

e2e: lab-setup  ## the same with the long part: arbiter, drift, growth, reboots, disks that are not what they seem, an engine (two hours)
	@echo "== end-to-end tests (two hours where the machines are emulated)"
	@$(SUDO) $(PYTEST) tests/e2e

unit: setup  ## unit and ssh tests (3 minutes)
	@echo "== unit and ssh tests"
	@$(PYTEST) -n 4 tests/unit tests/ssh

check: setup  ## lint, types, layers, generated files
	@echo "== lint, types, layers, generated files"
	@.venv/bin/ruff check -q operator tests
	@.venv/bin/ruff format -q --check operator tests
	@.venv/bin/mypy
	@.venv/bin/lint-imports >/dev/null || .venv/bin/lint-imports
	@$(PY) -m heretic.generate --check
	@$(UV) $(EXPORT) --no-dev --no-emit-project | cmp -s - requirements/operator.txt || { echo "requirements/operator.txt $(STALE)"; false; }
	@$(UV) $(EXPORT) --only-group image | cmp -s - requirements/build.txt || { echo "requirements/build.txt $(STALE)"; false; }

docs: setup  ## crds/, the rights on our kinds and the reference pages, which are generated from the code
	@$(PY) -m heretic.generate

requirements: setup  ## what the image installs, with hashes, from uv.lock
	@$(UV) $(EXPORT) --no-dev --no-emit-project -o requirements/operator.txt >/dev/null
	@$(UV) $(EXPORT) --only-group image -o requirements/build.txt >/dev/null

format: setup  ## format and fix what can be fixed
	@.venv/bin/ruff check -q --fix operator tests; .venv/bin/ruff format -q operator tests

bench: lab-setup  ## how fast a pass over 3, 30 and 100 hosts is
	@$(LAB) bench

lab-up: lab-setup  ## three blank machines and a control plane, to play with
	@$(LAB) lab up
	@$(LAB) lab.controlplane up

lab-down: setup  ## end them
	@$(LAB) lab.controlplane down
	@$(LAB) lab down

setup: $(PY)

# The environment is made anew when the lock file is newer than it.
$(PY): uv.lock pyproject.toml
	@command -v "$(UV)" >/dev/null || $(MAKE) --no-print-directory "$(CACHE)/uv/bin/uv"
	@$(COMPILES) || { echo "== a C compiler, libxml2 and Python's headers, for the oVirt SDK (half a minute)" && \
	  $(SUDO) apt-get -qq update && \
	  $(SUDO) apt-get -qq install -y --no-install-recommends gcc libc6-dev libxml2-dev python3-dev >/dev/null; }
	@echo "== Python environment (some seconds; a minute the first time)"
	@$(UV) sync -q --frozen
	@# Tests write no bytecode, and without it each process that loads the SDK compiles its tables for seconds.
	@$(PY) -m compileall -q .venv/lib/python3*/site-packages/ovirtsdk4
	@touch $(PY)

$(CACHE)/uv/bin/uv:
	@echo "== uv, the Python package manager (10 seconds)"
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { $(SUDO) apt-get -qq update && \
	  $(SUDO) apt-get -qq install -y --no-install-recommends python3 python3-venv >/dev/null; }
	@mkdir -p $(CACHE) && python3 -m venv $(CACHE)/uv && $(CACHE)/uv/bin/pip -q install --disable-pip-version-check uv==0.13.9

lab-setup: setup
	@$(LAB) lab install
