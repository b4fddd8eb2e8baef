#!/usr/bin/env bash
# Builds the relay and runs it on this machine. With HOLYSHEEP_API_KEY it
# relays to the real upstream (BASE_URL, or https://api.holysheep.ai/v1) for one
# local client, whose key is made at the first start and kept only as a hash in
# .relay/keys.yaml. Without, it relays to the built-in demo upstream.
set -euo pipefail
cd "$(dirname "$0")/.."
ci/build.sh

if [ -z "${HOLYSHEEP_API_KEY:-}" ]; then
	echo 'This is the demo, because HOLYSHEEP_API_KEY is not set.'
	exec bin/relay serve --demo
fi

keys=.relay/keys.yaml
export RELAY_LISTEN=${RELAY_LISTEN:-127.0.0.1:8080}
export RELAY_ADMIN=${RELAY_ADMIN:-127.0.0.1:9090}
export RELAY_DRAIN_DELAY=${RELAY_DRAIN_DELAY:-0s} # no load balancer has to notice
export RELAY_PLUGINS__AUTH__KEYS_FILE=${RELAY_PLUGINS__AUTH__KEYS_FILE:-$keys}

key='YOUR-KEY'
note='shown at the first start; remove .relay/ to have another made'
mkdir -p .relay
if [ ! -s "$keys" ]; then
	key=$(bin/relay key --into "$keys" local)
	note='made now and shown only this once'
fi
if ! bin/relay check >/dev/null; then # serve tells the warnings again
	[ "$key" = YOUR-KEY ] || rm "$keys" # nobody has seen the key
	exit 1
fi

case $RELAY_LISTEN in
:* | 0.0.0.0:* | '[::]':*) address=127.0.0.1:${RELAY_LISTEN##*:} ;;
*) address=$RELAY_LISTEN ;;
esac
cat <<EOF
Starting the relay in front of ${BASE_URL:-https://api.holysheep.ai/v1}.

  URL  http://$address/v1
  key  $key   ($note)

An answer, and a stream:

  curl http://$address/v1/chat/completions -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' -d '{"model":"gpt-4.1","messages":[{"role":"user","content":"Hello"}]}'

  curl -N http://$address/v1/chat/completions -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' -d '{"model":"gpt-4.1","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

EOF
exec bin/relay serve
