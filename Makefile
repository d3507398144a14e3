# Everything that this project asks of a machine besides Go is installed here,
# and said so. Versions are pinned.
GOLANGCI := v2.15.0
FUZZTIME ?= 20s
KILLTIME ?= 5m
SEEDS    ?= 5000
FROM     ?= 1
BIN      := $(CURDIR)/bin

.PHONY: help test check sim bench demo fuzz kill redis-server

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

test: redis-server ## run all tests with the race detector, then a minute of simulated seeds without it
	go test -race -timeout 12m ./...
	GOGC=800 go test ./internal/simulation -count=1 -run '^TestSeeds$$' -seeds 100000 -for 1m

check: $(BIN)/golangci-lint-$(GOLANGCI) ## formatting, vet, lint, tidy modules
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go mod tidy -diff
	$(BIN)/golangci-lint-$(GOLANGCI) run ./...
	cd bench/peers && go vet ./... && go test ./... && go mod tidy -diff
	cd bench/peers && go vet -modfile riversqlite.mod -tags riversqlite ./... && go mod tidy -diff -modfile riversqlite.mod

sim: ## simulate the trading path on SEEDS seeds, FROM one on
	GOGC=800 go test ./internal/simulation -count=1 -timeout 0 -v -run '^TestSeeds$$' -from $(FROM) -seeds $(SEEDS) -for 0 -go-on

bench: ## measure fetching, look-ups and orders beside their peers
	go run ./bench

demo: ## the whole thing with no accounts
	go run ./cmd/trader --demo

fuzz: ## fuzz every decoder for a short while each
	@for pkg in $$(go list ./...); do \
	  dir=$$(go list -f '{{.Dir}}' $$pkg); \
	  for f in $$(grep -hoE 'func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go 2>/dev/null | sed 's/func //'); do \
	    echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

kill: ## kill the trader every few seconds for KILLTIME, by a market that loses a quarter of its replies
	SKINARB_LONG=$(KILLTIME) go test -v -count=1 -timeout 30m -run '^TestKillAnywhere$$' ./cmd/trader

# Tests run on the embedded Redis and on a real one, because users have real ones.
redis-server:
	@command -v redis-server >/dev/null || { \
	  echo "redis-server is missing; installing it from the system's packages"; \
	  if [ "$$(id -u)" = 0 ]; then SUDO=; else SUDO=sudo; fi; \
	  $$SUDO apt-get update -qq && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server || { \
	    echo "could not install it: install redis-server (7.0 or later) with your system's package manager"; exit 1; }; }

$(BIN)/golangci-lint-$(GOLANGCI):
	@echo "installing golangci-lint $(GOLANGCI) into bin/"
	@mkdir -p $(BIN)
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(BIN)/golangci-lint $@
