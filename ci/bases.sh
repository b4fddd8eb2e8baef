#!/bin/sh
# Makes a stand-in for the image golang, for machines that reach no registry: the
# machine's Go tree, its CA bundle and a static busybox as shell. Prints its
# name, which is a BASE_BUILD. For BASE_RUN scratch will do.
set -eu
cd "$(dirname "$0")/.."

engine=$(ci/image-engine.sh)
name=localhost/relay-base-build:$(go env GOVERSION)
bundle=/etc/ssl/certs/ca-certificates.crt

for file in "$bundle" "$(command -v busybox || echo /bin/busybox)"; do
	if [ ! -f "$file" ]; then
		echo "$file is missing: install ca-certificates and busybox-static" >&2
		exit 1
	fi
done

# shellcheck disable=SC2086 # an engine may be several words
if $engine inspect "$name" >/dev/null 2>&1; then
	echo "$name"
	exit
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/etc/ssl/certs" "$root/usr/local" "$root/root"
mkdir -m 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp "$bundle" "$root/etc/ssl/certs/"
cp -R "$(go env GOROOT)" "$root/usr/local/go"
rm -rf "$root/usr/local/go/test" "$root/usr/local/go/doc"

# shellcheck disable=SC2086
$engine build -q -t "$name" -f - "$root" >&2 <<'END'
FROM scratch
COPY . /
ENV PATH=/usr/local/go/bin:/bin HOME=/root GOPATH=/go
END
echo "$name"
