#!/bin/sh
# Sees to it that redis-server, which tests start themselves, is installed: by
# apt-get where that is there and may install, else it says what to do. No
# service is left running, and none that runs is touched.
set -eu

least=7 # the first version with the commands by which tests build a cluster

if ! command -v redis-server >/dev/null; then
	if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
		echo "redis-server is missing, and only root can install it here. Install Redis $least or newer, such as by" >&2
		echo "  sudo apt-get install redis-server   (Debian, Ubuntu)" >&2
		echo "  sudo dnf install redis              (Fedora)" >&2
		echo "  brew install redis                  (macOS)" >&2
		exit 1
	fi
	# Debian's package starts a service on port 6379 unless a policy says no
	# (invoke-rc.d(8)). Containers often have one already.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server
fi

version=$(redis-server --version | sed -n 's/.*v=\([0-9]*\)\..*/\1/p')
if [ "${version:-0}" -lt "$least" ]; then
	echo "redis-server has version ${version:-unknown}: the tests need $least or newer" >&2
	exit 1
fi
