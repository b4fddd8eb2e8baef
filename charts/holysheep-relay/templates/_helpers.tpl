{{/* The chart's name, at most 63 characters as a label's value may have. */}}
{{- define "holysheep-relay.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
The name of the objects: the release's name and the chart's, or only the
release's where that holds the chart's already. It leaves room for the suffix
"-metrics" within the 63 characters of a Service's name.
*/}}
{{- define "holysheep-relay.fullname" -}}
{{- $name := include "holysheep-relay.name" . -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if contains $name .Release.Name -}}
{{- $full = .Release.Name -}}
{{- end -}}
{{- default $full .Values.fullnameOverride | trunc 55 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels of every object. */}}
{{- define "holysheep-relay.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "holysheep-relay.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The labels by which pods are found. They never change: a selector cannot. */}}
{{- define "holysheep-relay.selectorLabels" -}}
app.kubernetes.io/name: {{ include "holysheep-relay.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The name of the pods' ServiceAccount. */}}
{{- define "holysheep-relay.serviceAccountName" -}}
{{- $own := ternary (include "holysheep-relay.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* The image: by its digest, or else by its tag, or else by the appVersion. */}}
{{- define "holysheep-relay.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- $name := .Values.image.repository -}}
{{- if $registry -}}
{{- $name = printf "%s/%s" $registry $name -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The port of an address such as ":8080" or "[::]:8080". */}}
{{- define "holysheep-relay.port" -}}
{{- $port := regexFind "[0-9]+$" . -}}
{{- if not $port -}}
{{- fail (printf "config: the address %q ends with no port number" .) -}}
{{- end -}}
{{- $port -}}
{{- end -}}

{{/* What the API port speaks: with a certificate https, else http. */}}
{{- define "holysheep-relay.scheme" -}}
{{- dig "tls" "cert_file" "" .Values.config | empty | ternary "http" "https" -}}
{{- end -}}
