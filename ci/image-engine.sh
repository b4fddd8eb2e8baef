#!/bin/sh
# Prints the command that builds images on this machine: docker, podman or
# buildah, whichever is there and really works. A docker client without its
# engine is passed over, and so is a storage driver that the machine lacks.
# ENGINE, where it is set, is taken as it is.
set -eu

if [ -n "${ENGINE:-}" ]; then
	echo "$ENGINE"
	exit
fi

trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
printf 'FROM scratch\nCOPY Dockerfile /\n' >"$trial/Dockerfile"

for engine in docker podman buildah \
	'podman --storage-driver overlay' 'buildah --storage-driver overlay' \
	'podman --storage-driver vfs' 'buildah --storage-driver vfs'; do
	command -v "${engine%% *}" >/dev/null || continue
	# An engine is one word or several: the splitting is wanted.
	# shellcheck disable=SC2086
	if $engine build -q -t localhost/relay-trial "$trial" >/dev/null 2>&1; then
		$engine rmi localhost/relay-trial >/dev/null 2>&1 || true
		echo "$engine"
		exit
	fi
done
echo "no docker, podman or buildah works here: install buildah" >&2
exit 1
