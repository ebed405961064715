# Two commands do everything: make site, make test. The rest is for people who work on django-split.

PYTHON ?= python3
BIN := .venv/bin
# Extra words for ansible-playbook: make site SITE_ARGS="-e site_port=8090"
SITE_ARGS ?=
INVENTORY ?= inventory/local

# A login over SSH brings the locale of the machine it came from; one that is not installed here stops Ansible.
export LC_ALL := C.UTF-8

.DEFAULT_GOAL := help
.PHONY: help site verify uninstall check test test-fast soak lint hosts hosts-down clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: .venv/.site ## deploy the bundled site on this machine (INVENTORY=… and SITE_ARGS=… for another)
	$(BIN)/ansible-playbook -i $(INVENTORY) site.yml $(SITE_ARGS)

check: .venv/.site ## show what `make site` would change, and change nothing
	$(BIN)/ansible-playbook -i $(INVENTORY) site.yml --check --diff $(SITE_ARGS)

verify: .venv/.site ## check from outside what the playbook claims
	$(BIN)/ansible-playbook -i $(INVENTORY) playbooks/verify.yml $(SITE_ARGS)

uninstall: .venv/.site ## take the site away again (SITE_ARGS="-e remove_data=true": with its data)
	$(BIN)/ansible-playbook -i $(INVENTORY) playbooks/uninstall.yml $(SITE_ARGS)

test: .venv/.test .cache/.packages lint ## every test that this machine can run (under 25 minutes)
	$(BIN)/python -m pytest -ra -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-fast: .venv/.test ## the inner loop (under 2 minutes)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow and not fleet and not browser" tests/unit tests/templates tests/tree $(PYTEST_ARGS)

soak: .venv/.test .cache/.packages ## what takes longer than `make test`: deploys under load, kills at every task
	$(BIN)/python -m pytest -ra -s -m "soak or fleet" $(PYTEST_ARGS)

lint: .venv/.test .cache/.packages ## ruff, mypy strict, ansible-lint profile production, shellcheck
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline
	tests/lint-shell.sh

hosts: .venv/.test .cache/.packages ## boot test hosts to play with
	$(BIN)/python -m tests.fleet.up

hosts-down: .venv/.test ## end them
	$(BIN)/python -m tests.fleet.down

clean: ## remove what was made here (no host is touched)
	rm -rf .venv .cache build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

# A minimal Debian has Python without venv.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("django-split needs Python 3.11 or newer on the controller: ansible-core 2.19 does") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; }
	$(PYTHON) -m venv .venv

.venv/.site: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.test: requirements.txt requirements-test.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@ .venv/.site

# What the tests run for real: nginx, Redis, Memcached, PostgreSQL, MariaDB, Chromium, containers.
.cache/.packages: tests/packages.sh
	tests/packages.sh
	mkdir -p .cache && touch $@
