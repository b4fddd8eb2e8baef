#!/usr/bin/env bash
# Builds bin/relay: static, from the relay's own go.mod alone.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off CGO_ENABLED=0
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo devel)}
go build -trimpath -ldflags "-s -w -X github.com/holysheep/relay/server.version=$version" -o bin/relay .
