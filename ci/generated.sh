#!/usr/bin/env bash
# Fails if a generated file, or go.mod, differs from what its sources make.
set -euo pipefail
cd "$(dirname "$0")/.."
go generate ./...
for module in . chart-tests; do (cd "$module" && go mod tidy); done
if ! git diff --exit-code --stat; then
	echo "these files are not current: run 'make generate' and 'go mod tidy', and commit them"
	exit 1
fi
