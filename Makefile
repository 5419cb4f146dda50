# The commands as targets: make on SVC=web NS=shop PORT=80
SVC ?=
NS ?=
PORT ?=
CONTEXT ?=
ARGS ?=
FILE ?=
TUI ?=
# What tells a newcomer that it works. Of all files the longest come first, as several run at a time.
UNIT := $(wildcard test/unit/*.test.ts)
CORE ?= $(patsubst %,test/e2e/%.test.ts,tap session capture no-restart refusals list) $(UNIT)
LONGEST := $(patsubst %,test/e2e/%.test.ts,everything no-restart-load crash action-ends capture-load powers session-ends session-viewers workloads)
E2E ?= $(LONGEST) $(filter-out $(LONGEST),$(wildcard test/e2e/*.test.ts))
ALL := $(E2E) $(UNIT) $(wildcard test/cluster/test/*.test.ts)

# One process, not npx: npx loses the signals that end a tap.
RUN := node --import tsx
PLACE := $(if $(NS),--namespace=$(NS)) $(if $(CONTEXT),--context=$(CONTEXT))

.DEFAULT_GOAL := help
.PHONY: help demo recording setup on off list attach capture watch flows gc dist docs test test-all e2e coverage conformance fuzz bench lint

help: ## what there is to make
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

demo: node_modules ## see it work, here and now: make demo, make demo TUI=1, make demo CONTEXT=kind-x
	@$(RUN) test/demo/demo.ts $(if $(CONTEXT),--context=$(CONTEXT)) $(if $(TUI),--tui)

recording: node_modules ## docs/tap.svg, the picture in the README
	$(RUN) test/demo/record.ts

# So that they name the next command as their user calls it.
on off list attach capture watch flows gc: export MITTENS_CALLED_AS = make

on: node_modules ## tap a Service: make on SVC=web NS=shop PORT=80, or make on SVC=web ARGS=--no-restart
	@$(RUN) scripts/on.ts $(SVC) $(PLACE) $(if $(PORT),--port=$(PORT)) $(ARGS)

off: node_modules ## give it back: make off SVC=web NS=shop, or make off ARGS=--all
	@$(RUN) scripts/off.ts $(SVC) $(PLACE) $(ARGS)

list: node_modules ## the Services that are tapped: make list NS=shop, or make list ARGS=-A
	@$(RUN) scripts/list.ts $(PLACE) $(ARGS)

attach: node_modules ## come back to a tap: make attach SVC=web NS=shop
	@$(RUN) scripts/attach.ts $(SVC) $(PLACE) $(ARGS)

capture: node_modules ## record what reaches a Service: make capture SVC=web NS=shop ARGS="--for 60s"
	@$(RUN) scripts/capture.ts $(SVC) $(PLACE) $(if $(PORT),--port=$(PORT)) $(ARGS)

watch: node_modules ## serve the pods that come to a tap without a restart: make watch SVC=web NS=shop
	@$(RUN) scripts/watch.ts $(SVC) $(PLACE) $(ARGS)

flows: node_modules ## what was recorded: make flows FILE=web.mitm ARGS="-o summary"
	@$(RUN) scripts/flows.ts $(FILE) $(ARGS)

gc: node_modules ## give back what dead captures left on: make gc NS=shop, or make gc ARGS=-A
	@$(RUN) scripts/gc.ts $(PLACE) $(ARGS)

test: node_modules ## see that it works, on a pocket cluster: the unit tests and the main end-to-end tests
	$(RUN) test/run.ts $(CORE)

test-all: node_modules ## all tests, on a pocket cluster
	$(RUN) test/run.ts $(ALL)
	$(RUN) test/addon/main.ts test

e2e: node_modules ## the end-to-end tests, on a pocket cluster, or on yours: make e2e CONTEXT=kind-x
	$(RUN) test/run.ts $(if $(CONTEXT),--context=$(CONTEXT)) $(E2E)

coverage: node_modules ## the coverage of the unit tests: a summary, and coverage/index.html
	npx c8 $(RUN) test/run.ts $(UNIT)

conformance: node_modules ## the pocket cluster against a real one: make conformance CONTEXT=kind-x
	$(RUN) test/cluster/conformance/compare.ts $(if $(CONTEXT),--context=$(CONTEXT)) $(ARGS)

fuzz: node_modules ## read 100,000 damaged flow files: make fuzz ARGS="100000 SEED"
	$(RUN) test/flows/main.ts $(ARGS)

bench: node_modules ## flows beside mitmdump, wire files beside copying, the ways through a tap, and with CONTEXT=kind-x a tap beside its rollout
	$(RUN) test/bench/flows.ts
	$(RUN) test/bench/wire.ts
	$(RUN) test/bench/proxies.ts
	$(RUN) test/bench/action.ts
	$(if $(CONTEXT),$(RUN) test/bench/tap.ts $(CONTEXT))

lint: node_modules ## lint, format, the directions of imports, types and dead exports
	npx biome check .
	npx tsc --noEmit
	npx knip
	@$(RUN) test/addon/main.ts lint

dist: node_modules ## the Action as GitHub runs it
	$(RUN) action/bundle.ts

docs: node_modules ## the tables in README.md and docs/ci.md
	$(RUN) scripts/lib/cli/readme.ts
	$(RUN) action/document.ts

setup: node_modules ## bring what the demo and the tests need; they do it by themselves as well
	@$(RUN) test/setup.ts

# npm writes this file last: an installation that was interrupted is done again.
node_modules: node_modules/.package-lock.json
node_modules/.package-lock.json: package-lock.json
	npm ci --include=dev --no-audit --no-fund
	@touch $@
