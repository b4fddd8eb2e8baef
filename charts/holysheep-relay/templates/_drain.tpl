{{/*
Seconds between SIGTERM and SIGKILL: drain_delay, drain and 5 seconds for the
end, rounded up, or terminationGracePeriodSeconds where that is not less. The
relay reads its durations as Go does, and so does mustDateModify.
*/}}
{{- define "holysheep-relay.gracePeriod" -}}
{{- $start := toDate "2006-01-02 -0700" "2000-01-01 +0000" -}}
{{- $end := mustDateModify (dig "drain_delay" "5s" .Values.config | toString) $start -}}
{{- $end = mustDateModify (dig "drain" "5m" .Values.config | toString) $end -}}
{{- $end = mustDateModify "5.999999999s" $end -}}
{{- $least := sub (unixEpoch $end) (unixEpoch $start) -}}
{{- $given := int .Values.terminationGracePeriodSeconds -}}
{{- if and $given (lt $given (int $least)) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d is less than %d, which is config.drain_delay, config.drain and 5 seconds: streams would be cut" $given (int $least)) -}}
{{- end -}}
{{- default $least $given -}}
{{- end -}}
