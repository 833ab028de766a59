PYTHON ?= python3
PORT ?= 3000
RUN = exec env PYTHONPATH=.:shared .venv/bin/python
# An option whose variable is set, be it to nothing: that is for the program to refuse.
given = $(if $(filter undefined,$(origin $(1))),,$(2) "$$$(1)")
SOURCES = functions shared local sim bench tests

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run seed token audit invoke test check fuzz explore faults model soak bench measure scale format docs clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/run .engine/ready ## an array of 200 from queued to where each must end, over HTTP
	@$(RUN) -m local.demo

run: .venv/run .engine/ready ## serve the API until Ctrl-C (PORT=3000, AUTH=on asks for tokens)
	@$(RUN) -m local.run --port $(PORT) --auth $(or $(AUTH),off)

seed: .venv/run ## load a seed file into what runs (FILE=..., PORT=3000)
	@$(RUN) -m local.seed "$(or $(FILE),$(error say which: make seed FILE=path.json))" --port $(PORT)

token: .venv/run ## make a token (SCOPE=worker|distributor|operator DAYS=30; RUN_ID=, NAME=; STACK=…, or PORT=3000)
	@$(RUN) -m local.signing --scope "$(or $(SCOPE),$(error say which: make token SCOPE=worker DAYS=30))" \
		--days "$(or $(DAYS),$(error say how long: make token SCOPE=$(SCOPE) DAYS=30))" --port $(PORT) \
		$(call given,RUN_ID,--run) $(call given,NAME,--name) $(call given,STACK,--stack)

audit: .venv/run ## whether everything in a table fits together (RATE=; PORT=3000, or STACK=…, or TABLE=…; REGION=)
	@$(RUN) -m local.audit --port $(PORT) $(call given,STACK,--stack) $(call given,TABLE,--table) \
		$(call given,REGION,--region) $(call given,RATE,--rate)

soak: .venv/run .engine/ready ## workers that die, repeat themselves and come late while everything is killed, then an audit (MINUTES=5 SEED=)
	@$(RUN) -m sim.soak --minutes "$(or $(MINUTES),5)" $(call given,SEED,--seed)

invoke: .venv/run .engine/ready ## call one function as Lambda would (EVENT=events/log_done.json)
	@$(RUN) -m local.invoke "$(or $(EVENT),$(error say which: make invoke EVENT=events/log_done.json))"

test: .venv/test .engine/ready .lambda/ready .jobmon/ready .sam/ready ## every test
	@.venv/bin/python -m pytest

fuzz: .venv/test .engine/ready ## requests made from docs/openapi.json, others each time (MINUTES=5)
	@$(RUN) -m tests.fuzz --minutes $(or $(MINUTES),5)

check: .venv/test .engine/ready .lambda/ready .jobmon/ready .sam/ready ## what CI runs: format, lint, types, layers, templates, tests
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/mypy
	PYTHONPATH=shared .venv/bin/lint-imports --no-cache
	.venv/bin/cfn-lint template.yaml --append-rules cfn_lint_serverless.rules
	SAM_CLI_TELEMETRY=0 .sam/bin/sam validate --lint --region us-east-1
	SAM_CLI_TELEMETRY=0 .sam/bin/sam build
	.venv/bin/python -m pytest

faults: .venv/test ## every fault at every call of DynamoDB, where `make test` takes a sample: a quarter of an hour (PAIRS=30)
	@$(RUN) -m tests.faults $(call given,PAIRS,--pairs)

measure: .venv/test .engine/ready .lambda/ready ## what each function takes of memory and processor
	@$(RUN) -m tests.artifact.measure

bench: .venv/bench .engine/ready .lambda/ready .peer/ready .peer/mariadb ## what it costs, beside the raw client and beside Jobmon: a quarter of an hour
	@$(RUN) -m bench

scale: .venv/scale .engine/ready ## where limits bite as the use grows: days and herds, simulated from measured costs
	@$(RUN) -m bench.scale

explore: .venv/test ## every order in which reports can meet: half an hour on 2 cores (TRIPLES=2000)
	@$(RUN) -m tests.explore $(call given,TRIPLES,--triples)

model: .venv/test ## a random walk over the API beside an oracle of the rules (MINUTES=5 SEED=…)
	@$(RUN) -m tests.model $(call given,MINUTES,--minutes) $(call given,SEED,--seed)

format: .venv/test ## lay out the code and mend what can be mended
	.venv/bin/ruff check --fix $(SOURCES)
	.venv/bin/ruff format $(SOURCES)

docs: .venv/run ## write the generated documents again
	@$(RUN) -m local.document

clean: ## remove what the other targets made
	rm -rf .venv .engine .lambda .jobmon .sam .peer .aws-sam .run .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lockstep needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/pip shared/requirements.txt local/requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -r local/requirements.txt
	@touch $@

.venv/test: .venv/run tests/requirements.txt bench/requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

.venv/bench: .venv/run bench/requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $@

.venv/scale: .venv/run bench/scale/requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -r bench/scale/requirements.txt
	@touch $@

.engine/ready: local/engine-requirements.txt
	$(PYTHON) -m venv .engine
	.engine/bin/pip install --quiet --disable-pip-version-check -r local/engine-requirements.txt
	@touch $@

.lambda/ready: .venv/pip tests/lambda-requirements.txt
	$(PYTHON) -m venv --without-pip .lambda
	.venv/bin/pip --python .lambda/bin/python install --quiet --disable-pip-version-check -r tests/lambda-requirements.txt
	@touch $@

.jobmon/ready: tests/jobmon/current-requirements.txt tests/jobmon/earlier-requirements.txt
	for version in current earlier; do \
		$(PYTHON) -m venv .jobmon/$$version && .jobmon/$$version/bin/pip install --quiet --disable-pip-version-check \
			-r tests/jobmon/$$version-requirements.txt || exit 1; \
	done
	@touch $@

.sam/ready: tests/sam-requirements.txt
	$(PYTHON) -m venv .sam
	.sam/bin/pip install --quiet --disable-pip-version-check -r tests/sam-requirements.txt
	@touch $@

# Jobmon's server, which the benchmark measures beside Lockstep.
.peer/ready: bench/load/peer-requirements.txt
	$(PYTHON) -m venv .peer
	.peer/bin/pip install --quiet --disable-pip-version-check -r bench/load/peer-requirements.txt
	@touch $@

# MariaDB for it, as Debian packages it, with what this machine lacks of its libraries: unpacked, nothing is installed.
# Where it cannot be had, the benchmark goes on without it and says so.
.peer/mariadb: | .peer/ready
	@(rm -rf $@.deb $@.partial && mkdir $@.deb && cd $@.deb && \
	apt-get download mariadb-server-core $$(apt-get install --simulate --no-install-recommends mariadb-server-core \
		| awk '/^Inst / && $$2 != "mariadb-server-core" {print $$2}') && \
	for package in *.deb; do dpkg -x "$$package" ../mariadb.partial || exit 1; done && \
	mv ../mariadb.partial ../mariadb && rm -rf ../mariadb.deb) || echo "no MariaDB: the benchmark goes on without it"
