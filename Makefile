# Every command of the project, one line each; what they call stands in ci/.
# `make help` prints them.

SHELL := /bin/bash
export GOWORK := off

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help run build redis test test-relay test-chart fuzz lint fmt generate generated smoke image bench ci

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and relay: to the real upstream if HOLYSHEEP_API_KEY is set, else to a built-in demo
	@ci/run.sh

build: ## build bin/relay, static
	@ci/build.sh

test: test-relay fuzz test-chart ## run every test, about 9 minutes warm and 15 cold

redis: ## see to it that redis-server is installed, which tests start
	@ci/redis.sh

test-relay: redis ## run the relay's tests under the race detector
	go test -race ./...

test-chart: ## run the chart's tests, which render it with the Helm SDK
	cd chart-tests && go test ./...

fuzz: ## fuzz whatever parses strangers' bytes, some seconds each (FUZZTIME=1m for more)
	ci/fuzz.sh

lint: ## run the linters
	ci/lint.sh $(GOLANGCI)

fmt: ## rewrite the sources as the linters want them
	go run $(GOLANGCI) fmt ./...

generate: ## write the generated files anew
	go generate ./...

generated: ## fail if a generated file is not current
	ci/generated.sh

smoke: ## start the built binary as README does, and ask it with curl
	ci/smoke.sh

image: ## build the container image with docker, podman or buildah, whichever works
	ci/image.sh

bench: ## measure the hot path: decisions, keys, hits, streams, and a relayed request against a bare proxy
	go test -run '^$$' -bench . -benchmem ./...

ci: ## run what CI runs
	.ci/run
