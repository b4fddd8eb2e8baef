#!/usr/bin/env bash
# Lints every module with the linter whose module and version is the argument.
# It is built once, outside of the modules, so that it enters no go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1##*@}
bin=$PWD/.tools/golangci-lint-$version
if [ ! -x "$bin" ]; then
	mkdir -p .tools
	(cd / && GOFLAGS= GOBIN="$OLDPWD/.tools" go install "$1")
	mv .tools/golangci-lint "$bin"
fi
for module in . chart-tests; do
	echo "lint $module"
	(cd "$module" && "$bin" run ./...)
done
shfiles=$(git ls-files 'ci/*.sh' .ci/run)
for f in $shfiles; do bash -n "$f"; done
