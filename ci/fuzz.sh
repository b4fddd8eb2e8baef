#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (3s if not set), one after the other, and
# fails if there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-3s}
count=0
while IFS=: read -r file name; do
	echo "fuzz $name in $(dirname "$file") for $time"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "./$(dirname "$file")"
	count=$((count + 1))
done < <(git grep -oE '^func Fuzz[A-Za-z0-9]+' -- '*_test.go' ':!chart-tests' | sed 's/:func /:/')
[ "$count" -gt 0 ] || { echo "no fuzz target was found"; exit 1; }
echo "fuzzed $count targets"
