#!/usr/bin/env bash
# Starts `make run` as a newcomer does, runs the two curl lines that it prints,
# and stops it. It fails unless both answer, the stream in more than one piece.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
unset HOLYSHEEP_API_KEY
make run >"$dir/out" 2>"$dir/err" &
pid=$!
stop() { pkill -TERM -P "$pid" 2>/dev/null || true; kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"; }
trap stop EXIT
for _ in $(seq 3000); do
	curl -fs http://127.0.0.1:9090/ready >/dev/null 2>&1 && break
	kill -0 "$pid" || { cat "$dir/err"; exit 1; }
	sleep 0.1
done
mapfile -t lines < <(grep -E '^ +curl ' "$dir/out")
[ "${#lines[@]}" -eq 2 ] || { echo "make run printed ${#lines[@]} curl lines, want 2"; cat "$dir/out" "$dir/err"; exit 1; }
answer=$(bash -c "${lines[0]} -fsS")
grep -q '"chat.completion"' <<<"$answer" || { echo "no answer: $answer"; exit 1; }
# Each piece is stamped as it arrives: a stream that was held back has one stamp.
stamps=$(bash -c "${lines[1]} -fsS" | while IFS= read -r line; do date +%s%1N; done | sort -u | wc -l)
[ "$stamps" -gt 2 ] || { echo "the stream came in $stamps pieces"; exit 1; }
echo "smoke: an answer, and a stream in $stamps tenths of a second"
