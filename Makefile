# The commands as targets: make on SVC=web NS=shop PORT=80
SVC ?=
NS ?=
PORT ?=
CONTEXT ?=
ARGS ?=

# One process, not npx: npx loses the signals that end a tap.
RUN := node --import tsx
PLACE := $(if $(NS),--namespace=$(NS)) $(if $(CONTEXT),--context=$(CONTEXT))

.DEFAULT_GOAL := help
.PHONY: help on off list attach test e2e bench lint

help: ## what there is to make
	@grep -E '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## /  make \1\t/' | expand -t 18

on: node_modules ## tap a Service: make on SVC=web NS=shop PORT=80
	@$(RUN) scripts/on.ts $(SVC) $(PLACE) $(if $(PORT),--port=$(PORT)) $(ARGS)

off: node_modules ## give it back: make off SVC=web NS=shop, or make off ARGS=--all
	@$(RUN) scripts/off.ts $(SVC) $(PLACE) $(ARGS)

list: node_modules ## the Services that are tapped: make list NS=shop, or make list ARGS=-A
	@$(RUN) scripts/list.ts $(PLACE) $(ARGS)

attach: node_modules ## come back to a tap: make attach SVC=web NS=shop
	@$(RUN) scripts/attach.ts $(SVC) $(PLACE) $(ARGS)

test: node_modules ## the unit tests, and the end-to-end tests if KUBECONFIG is set
	$(RUN) --test test/unit/*.test.ts
	@if [ -n "$$KUBECONFIG" ]; then $(MAKE) e2e; else echo 'no KUBECONFIG: the end-to-end tests are not run'; fi

e2e: node_modules ## the end-to-end tests, on the cluster that KUBECONFIG names
	$(RUN) --test --test-concurrency=1 --test-reporter=spec test/e2e/*.test.ts

bench: node_modules ## how much longer a tap takes than its rollout, on the cluster that KUBECONFIG names
	$(RUN) test/bench/tap.ts

lint: node_modules ## lint, format and types
	npx biome check .
	npx tsc --noEmit

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	@touch node_modules
