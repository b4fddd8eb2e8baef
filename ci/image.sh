#!/bin/sh
# Builds the relay's image, runs it once and fails where it is larger than 30 MiB.
#
#   IMAGE       its name (ghcr.io/holysheep/relay)
#   VERSION     its tag and the relay's version (what git describes)
#   BASE_BUILD  an image with Go; by default that of the Dockerfile, or a local
#               stand-in where it cannot be pulled
#   BASE_RUN    what the binary is put on; by default that of the Dockerfile, or
#               scratch beside a stand-in
#   ENGINE      docker, podman or buildah, with options; by default what works
set -eu
cd "$(dirname "$0")/.."

most=$((30 * 1024 * 1024))
engine=$(ci/image-engine.sh)
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
name=${IMAGE:-ghcr.io/holysheep/relay}:$version

# An engine may be several words, so it stands without quotes.
# shellcheck disable=SC2086
pull() { timeout 120 $engine pull -q "$1" >/dev/null 2>&1; }

default() { sed -n "s/^ARG $1=//p" Dockerfile | head -n 1; }

set -- --build-arg VERSION="$version" \
	--build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
	--build-arg CREATED="$(git log -1 --format=%cI 2>/dev/null || date -u +%Y-%m-%dT%H:%M:%SZ)"

if [ -z "${BASE_BUILD:-}" ] && ! pull "$(default BASE_BUILD)"; then
	echo "cannot pull $(default BASE_BUILD): a local stand-in takes its place" >&2
	BASE_BUILD=$(ENGINE=$engine ci/bases.sh)
	BASE_RUN=${BASE_RUN:-scratch}
	modules=$(go env GOMODCACHE)/cache/download
	# What was downloaded before need not be again. docker cannot mount it.
	case $engine in
	docker*) set -- "$@" --build-arg GOPROXY="$(go env GOPROXY)" ;;
	*) set -- "$@" -v "$modules:/modules:ro" --build-arg GOPROXY="file:///modules,$(go env GOPROXY)" ;;
	esac
fi
[ -z "${BASE_BUILD:-}" ] || set -- "$@" --build-arg BASE_BUILD="$BASE_BUILD"
[ -z "${BASE_RUN:-}" ] || set -- "$@" --build-arg BASE_RUN="$BASE_RUN"

# A chroot needs no rights of its own, so it also works inside a container.
case $engine in
docker*) ;;
*) set -- "$@" --isolation chroot ;;
esac

# shellcheck disable=SC2086
$engine build -t "$name" "$@" . >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# taken_out runs the binary beside the image, for podman inside a container,
# which builds images but may not start another container.
# shellcheck disable=SC2086
taken_out() {
	container=$($engine create "$name")
	$engine cp "$container:/relay" "$work/relay"
	$engine rm "$container" >/dev/null
	"$work/relay" "$@"
}

# shellcheck disable=SC2086
case $engine in
buildah*)
	container=$($engine from --pull-never "$name")
	said=$($engine run --isolation chroot "$container" -- /relay version)
	$engine rm "$container" >/dev/null
	$engine push -q "$name" "docker-archive:$work/image.tar" >/dev/null
	size=$(wc -c <"$work/image.tar")
	;;
*)
	said=$($engine run --rm "$name" version 2>/dev/null || taken_out version)
	size=$($engine image inspect --format '{{.Size}}' "$name")
	;;
esac

echo "$said"
echo "$name: $size bytes, at most $most"
case $said in
*"$version"*) ;;
*)
	echo "the binary does not know its version, $version" >&2
	exit 1
	;;
esac
[ "$size" -le "$most" ] || {
	echo "the image is too large" >&2
	exit 1
}
