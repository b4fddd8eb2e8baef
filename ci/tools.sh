#!/bin/sh
# Installs what the targets need on a bare Debian machine with Go, as root. What
# is there already is left as it is.
set -eu
cd "$(dirname "$0")/.."

missing=
for tool in make git curl; do
	command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
	apt-get update
	# A list of words.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi
ci/redis.sh
