{{/*
The environment of the relay: GOMEMLIMIT, env and secrets.env, each name once
and in order. A name given twice is an error, since a server-side apply refuses
such a pod.
*/}}
{{- define "holysheep-relay.env" -}}
{{- $all := dict -}}
{{- with include "holysheep-relay.goMemLimit" . -}}
{{- $_ := set $all "GOMEMLIMIT" (dict "name" "GOMEMLIMIT" "value" .) -}}
{{- end -}}
{{- range $name, $value := .Values.env -}}
{{- $_ := set $all $name (dict "name" $name "value" $value) -}}
{{- end -}}
{{- range $name, $key := .Values.secrets.env -}}
{{- if hasKey $.Values.env $name -}}
{{- fail (printf "secrets.env: %s is in env too: keep one" $name) -}}
{{- end -}}
{{- $secret := required "secrets.env: name the Secret in secrets.existingSecret" $.Values.secrets.existingSecret -}}
{{- $from := dict "secretKeyRef" (dict "name" $secret "key" $key) -}}
{{- $_ := set $all $name (dict "name" $name "valueFrom" $from) -}}
{{- end -}}
{{- $list := list -}}
{{- range keys $all | sortAlpha -}}
{{- $list = append $list (get $all .) -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{/*
The soft limit of Go's heap: goMemLimitPercent of the memory limit in whole
MiB, or nothing where there is no limit. A resourceFieldRef would give the whole
limit, which leaves no room for what the collector does not see.
*/}}
{{- define "holysheep-relay.goMemLimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources -}}
{{- if $limit -}}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?" $limit -}}
{{- $units := dict "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 -}}
{{- $unit := dig (trimPrefix $number $limit) 1.0 $units -}}
{{- $bytes := mulf (float64 $number) $unit (divf .Values.goMemLimitPercent 100) -}}
{{- printf "%dMiB" (int64 (divf $bytes 1048576)) -}}
{{- end -}}
{{- end -}}
