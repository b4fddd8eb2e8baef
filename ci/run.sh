#!/usr/bin/env bash
# Builds the relay and runs it on this machine. With HOLYSHEEP_API_KEY it
# relays to the real upstream (BASE_URL, or https://api.holysheep.ai/v1) for one
# local client, whose key is made at the first start and kept only as a hash in
# .relay/keys.yaml. Without, it relays to the built-in demo upstream.
set -euo pipefail
cd "$(dirname "$0")/.."
ci/build.sh

if [ -z "${HOLYSHEEP_API_KEY:-}" ]; then
	exec bin/relay serve --demo
fi

keys=.relay/keys.yaml
listen=${RELAY_LISTEN:-127.0.0.1:8080}
key='YOUR-KEY'
mkdir -p .relay
if [ ! -s "$keys" ]; then
	key=$(bin/relay key --into "$keys" local 2>&1)
	note='made now and shown only this once'
else
	note='shown at the first start; remove .relay/ to have another made'
fi

cat <<EOF
The relay is up, in front of ${BASE_URL:-https://api.holysheep.ai/v1}.

  URL  http://$listen/v1
  key  $key   ($note)

An answer, and a stream:

  curl http://$listen/v1/chat/completions -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' -d '{"model":"gpt-4.1","messages":[{"role":"user","content":"Hello"}]}'

  curl -N http://$listen/v1/chat/completions -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' -d '{"model":"gpt-4.1","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

EOF
export RELAY_LISTEN=$listen
export RELAY_ADMIN=${RELAY_ADMIN:-127.0.0.1:9090}
export RELAY_PLUGINS__AUTH__KEYS_FILE=${RELAY_PLUGINS__AUTH__KEYS_FILE:-$keys}
exec bin/relay serve
