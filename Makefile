PYTHON ?= python3
# A signal that comes while Python starts waits until local/start.py can take it, where env can block signals.
BLOCKED := $(shell env --block-signal=INT true 2>/dev/null && echo --block-signal=HUP,INT,TERM)
override RUN = exec env $(BLOCKED) PYTHONPATH=.:shared .venv/bin/python -m local
override PIP = install --quiet --disable-pip-version-check --no-compile

# The machine's settings for Python, and those of pip's that choose other packages or another place, reach no program
# that is started here; where packages are fetched from does.
FETCHING = PIP_CACHE_DIR PIP_CERT PIP_CLIENT_CERT PIP_CONFIG_FILE PIP_DEFAULT_TIMEOUT PIP_EXTRA_INDEX_URL PIP_FIND_LINKS \
	PIP_INDEX_URL PIP_KEYRING_PROVIDER PIP_NO_CACHE_DIR PIP_NO_INDEX PIP_PROXY PIP_RETRIES PIP_TIMEOUT PIP_TRUSTED_HOST
unexport $(filter-out PYTHON $(FETCHING),$(filter PYTHON% PIP_%,$(.VARIABLES)))
export PYTHONUTF8 = 1
unexport POWERTOOLS_DEV # it spreads each log line over many

# Other programs and some machines set these: they count on make's command line only.
$(foreach each,AUTH DATA KEEP LOG NAME SEED WORKERS,$(if $(filter environment,$(origin $(each))),$(eval undefine $(each))))
# What a person may give to a command. An empty value is an error: it is a shell variable that was never set.
GIVEN = AUTH DATA DAYS EVENT FILE KEEP LOG MINUTES NAME PAIRS PORT RATE REGION RUN_ID SCOPE SEED STACK TABLE TOKEN TRIPLES URL WORKERS
$(foreach each,$(GIVEN),$(if $(filter undefined,$(origin $(each))),,$(if $(strip $($(each))),,\
	$(error $(each) is empty: give it a value, or leave it out))))
# An option of a program, if its variable is given.
given = $(if $(filter undefined,$(origin $(1))),,$(2) "$$$(1)")
SOURCES = functions shared local ops sim bench tests

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
ifneq ($(or $(filter-out environments lint templates,$(MAKECMDGOALS)),$(if $(MAKECMDGOALS),,help)),)
.NOTPARALLEL: # only these keep out of each other's way
endif
.PHONY: help demo workflow run seed events clusters token audit verify invoke event environments test check lint templates fuzz explore faults model soak bench measure scale format docs pictures clean

help: ## Work on it: list the commands
	@for group in "Run it" "Operate it" "Prove it" "Measure it" "Work on it"; do \
		echo "$$group"; \
		awk -v mark="## $$group: " -F ':' '/^[a-z]+:/ && (at = index($$0, mark)) \
			{printf "  make %-9s %s\n", $$1, substr($$0, at + length(mark))}' $(MAKEFILE_LIST); \
	done

demo: .venv/run .engine/ready ## Run it: take an array of 200 tasks from bound to their ends over HTTP, and check each end (KEEP=1 serves on until Ctrl-C)
	@$(RUN) local.demo $(call given,KEEP,--keep)

workflow: .venv/run .engine/ready .jobmon/current/ready ## Run it: let Jobmon's client run 200 tasks, fail, and resume, and check each end
	@$(RUN) local.workflow

run: .venv/run .engine/ready ## Run it: serve the API on this machine until Ctrl-C (PORT=3000; DATA=folder keeps everything; AUTH=on requires tokens; WORKERS=2 processes; LOG=json)
	@$(RUN) local.run $(call given,PORT,--port) $(call given,DATA,--data) $(call given,AUTH,--auth) \
		$(call given,WORKERS,--workers) $(call given,LOG,--log)

seed: .venv/run ## Run it: load a seed file into the running API (FILE=events/seed.json PORT=3000)
	@$(RUN) local.seed "$(or $(FILE),$(error say which: make seed FILE=path.json))" $(call given,PORT,--port)

events: .venv/run ## Run it: follow each move in the running API, a line of JSON each, as EventBridge gets it (PORT=3000)
	@$(RUN) local.follow_events $(call given,PORT,--port)

clusters: .venv/run ## Operate it: load clusters and queues (FILE=docs/clusters.yaml; PORT=3000, STACK=… or TABLE=…; REGION=…)
	@$(RUN) ops.clusters "$(or $(FILE),$(error say which: make clusters FILE=path.yaml))" $(call given,PORT,--port) \
		$(call given,STACK,--stack) $(call given,TABLE,--table) $(call given,REGION,--region)

token: .venv/run ## Operate it: make a token (SCOPE=reader|worker|distributor|operator DAYS=30 RUN_ID=… NAME=…; STACK=… or PORT=3000)
	@$(RUN) ops.token --scope "$(or $(SCOPE),$(error say which: make token SCOPE=worker DAYS=30))" \
		--days "$(or $(DAYS),$(error say how long: make token SCOPE=$(SCOPE) DAYS=30))" $(call given,PORT,--port) \
		$(call given,RUN_ID,--run) $(call given,NAME,--name) $(call given,STACK,--stack)

audit: .venv/run ## Operate it: check a table for contradictions, read-only (PORT=3000, STACK=… or TABLE=…; REGION=… RATE=…)
	@$(RUN) ops.audit $(call given,PORT,--port) $(call given,STACK,--stack) $(call given,TABLE,--table) \
		$(call given,REGION,--region) $(call given,RATE,--rate)

verify: .venv/run ## Operate it: check a deployment, local or on AWS (URL=… TOKEN=…; STACK=… or TABLE=… REGION=…: its table)
	@$(RUN) ops.verify $(call given,URL,--url) $(call given,STACK,--stack) $(call given,TABLE,--table) \
		$(call given,REGION,--region)

soak: .venv/run .engine/ready ## Prove it: chaos test: workers crash, retry and report late, engine and gateway are killed; then audit (MINUTES=5 SEED=…)
	@$(RUN) sim.soak $(call given,MINUTES,--minutes) $(call given,SEED,--seed)

invoke: .venv/run .engine/ready ## Run it: call one function as Lambda does (EVENT=log_done, EVENT=log_done.untimely or a file)
	@$(RUN) local.invoke "$(or $(EVENT),$(error say which: make invoke EVENT=log_done; `make event` lists them))"

event: .venv/run ## Run it: print an event of events/ whole, for sam local invoke (NAME=log_done.untimely; without: list)
	@$(RUN) local.events $(call given,NAME)

environments: .venv/test .engine/ready .lambda/ready .jobmon/current/ready .jobmon/earlier/ready .sam/ready .browser/ready

test: environments ## Prove it: run every test
	@.venv/bin/python -m pytest

fuzz: .venv/test .engine/ready ## Prove it: send random requests made from docs/openapi.json (MINUTES=5)
	@$(RUN) tests.verification.fuzz $(call given,MINUTES,--minutes)

check: ## Work on it: run what CI runs: lint, templates and test
	@$(MAKE) --no-print-directory -j2 environments
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) lint templates
	@$(MAKE) --no-print-directory test

lint: .venv/test ## Work on it: check format, lint, types and import layers
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/mypy
	PYTHONPATH=shared .venv/bin/lint-imports --no-cache

templates: .venv/test .sam/ready ## Work on it: lint the template, then validate and build it with SAM
	.venv/bin/cfn-lint template.yaml --append-rules cfn_lint_serverless.rules
	SAM_CLI_TELEMETRY=0 .sam/bin/sam validate --lint --region us-east-1
	env -u MAKEFLAGS -u MAKELEVEL SAM_CLI_TELEMETRY=0 .sam/bin/sam build

faults: .venv/test ## Prove it: fail every DynamoDB call in every way, where make test takes a sample; 15 minutes (PAIRS=30)
	@$(RUN) tests.verification.faults $(call given,PAIRS,--pairs)

measure: .venv/test .engine/ready .lambda/ready ## Measure it: measure the memory and processor time of each function
	@$(RUN) tests.deployment.artifact.measure

bench: .venv/bench .engine/ready .lambda/ready .peer/ready .peer/mariadb ## Measure it: compare costs with the raw client and with Jobmon, and write docs/performance.md; half an hour
	@$(RUN) bench

scale: .venv/scale .engine/ready ## Measure it: simulate growing use from measured costs, and write docs/scale.md
	@$(RUN) bench.scale

explore: .venv/test ## Prove it: try every interleaving of concurrent reports; half an hour on 2 cores (TRIPLES=2000)
	@$(RUN) tests.verification.explore $(call given,TRIPLES,--triples)

model: .venv/test ## Prove it: compare random walks over the API with an independent model of the rules (MINUTES=5 SEED=…)
	@$(RUN) tests.verification.model $(call given,MINUTES,--minutes) $(call given,SEED,--seed)

format: .venv/test ## Work on it: format the code and apply automatic fixes
	.venv/bin/ruff check --fix $(SOURCES)
	.venv/bin/ruff format $(SOURCES)

docs: .venv/test ## Work on it: regenerate the generated documents
	@$(RUN) local.document
	@$(RUN) tests.support.sizes

pictures: .venv/test .browser/ready ## Work on it: draw the page's pictures for the documents anew
	@$(RUN) tests.page.pictures

clean: ## Work on it: remove everything that the other commands made
	rm -rf .venv .engine .lambda .jobmon .sam .peer .browser .aws-sam .run .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Make a virtual environment, and say what it is for and how long its packages take to install. Progress goes to
# standard error: the standard output of `make token` or `make event` is read by programs.
define venv
	@echo "$(1): $(2)" >&2
	@$(PYTHON) -m venv $(3) $(1) || { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }
endef

.venv/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lockstep needs Python 3.11 or newer")'
	$(call venv,.venv,a virtual environment for Lockstep's programs)
	@touch $@

.venv/run: .venv/pip shared/requirements.txt local/requirements.txt
	@echo ".venv: installing what Lockstep runs on; half a minute" >&2
	@.venv/bin/pip $(PIP) -r local/requirements.txt
	@touch $@

.venv/test: .venv/run tests/requirements.txt bench/requirements.txt bench/scale/requirements.txt
	@echo ".venv: installing what the tests need; a minute" >&2
	@.venv/bin/pip $(PIP) -r tests/requirements.txt
	@touch $@

.venv/bench: .venv/run bench/requirements.txt
	@echo ".venv: installing what the benchmark needs; half a minute" >&2
	@.venv/bin/pip $(PIP) -r bench/requirements.txt
	@touch $@

.venv/scale: .venv/run bench/scale/requirements.txt
	@echo ".venv: installing what the simulation needs; half a minute" >&2
	@.venv/bin/pip $(PIP) -r bench/scale/requirements.txt
	@touch $@

.engine/ready: local/engine-requirements.txt
	$(call venv,.engine,installing the embedded DynamoDB; half a minute)
	@.engine/bin/pip $(PIP) -r local/engine-requirements.txt
	@touch $@

.lambda/ready: .venv/pip tests/lambda-requirements.txt
	$(call venv,.lambda,installing Lambda's runtime client; a few seconds,--without-pip)
	@.venv/bin/pip --python .lambda/bin/python $(PIP) -r tests/lambda-requirements.txt
	@touch $@

# Jobmon's programs: those of today, and those of two minor versions earlier for the tests.
.jobmon/current/ready: local/jobmon-requirements.txt
	$(call venv,.jobmon/current,installing Jobmon's programs; half a minute)
	@.jobmon/current/bin/pip $(PIP) -r local/jobmon-requirements.txt
	@touch $@

.jobmon/earlier/ready: tests/jobmon/earlier-requirements.txt
	$(call venv,.jobmon/earlier,installing Jobmon's earlier programs; half a minute)
	@.jobmon/earlier/bin/pip $(PIP) -r tests/jobmon/earlier-requirements.txt
	@touch $@

.sam/ready: tests/sam-requirements.txt
	$(call venv,.sam,installing SAM for the template; a minute)
	@.sam/bin/pip $(PIP) -r tests/sam-requirements.txt
	@touch $@

# The tests look at the page in a Chromium: one that is on the PATH, else Debian's. The link is stale once it is gone.
.browser/ready:
	@mkdir -p $(@D)
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	echo ".browser: installing Chromium; a minute" >&2 && apt-get update --quiet=2 && \
	apt-get install --yes --quiet=2 --no-install-recommends chromium >/dev/null; } || \
	{ echo "the tests of the page need Chromium; on Debian: apt install chromium" >&2; exit 1; }
	@ln -sf "$$(command -v chromium)" $@

# Jobmon's server, which the benchmark measures beside Lockstep.
.peer/ready: bench/load/peer-requirements.txt
	$(call venv,.peer,installing Jobmon's server for the benchmark; a minute)
	@.peer/bin/pip $(PIP) -r bench/load/peer-requirements.txt
	@touch $@

# MariaDB for it, as Debian packages it, with what this machine lacks of its libraries: unpacked, nothing is installed.
# Where it cannot be had, the benchmark goes on without it and says so.
.peer/mariadb: | .peer/ready
	@(rm -rf $@.deb $@.partial && mkdir $@.deb && cd $@.deb && \
	apt-get download mariadb-server-core $$(apt-get install --simulate --no-install-recommends mariadb-server-core \
		| awk '/^Inst / && $$2 != "mariadb-server-core" {print $$2}') && \
	for package in *.deb; do dpkg -x "$$package" ../mariadb.partial || exit 1; done && \
	mv ../mariadb.partial ../mariadb && rm -rf ../mariadb.deb) || echo "no MariaDB: the benchmark goes on without it" >&2
