{{/* The pod's containers: the relay alone. */}}
{{- define "holysheep-relay.containers" -}}
- name: relay
  image: {{ include "holysheep-relay.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [serve, --config, /etc/holysheep-relay/relay.yaml]
{{- with include "holysheep-relay.env" . | fromYamlArray }}
  env:
    {{- toYaml . | nindent 4 }}
{{- end }}
  ports:
    - name: http
      containerPort: {{ include "holysheep-relay.port" (dig "listen" ":8080" .Values.config) }}
      protocol: TCP
    - name: metrics
      containerPort: {{ include "holysheep-relay.port" (dig "admin" ":9090" .Values.config) }}
      protocol: TCP
  startupProbe:
    {{- include "holysheep-relay.probe" (dict "path" "/health" "root" .) | nindent 4 }}
    {{- toYaml .Values.probes.startup | nindent 4 }}
  livenessProbe:
    {{- include "holysheep-relay.probe" (dict "path" "/health" "root" .) | nindent 4 }}
    {{- toYaml .Values.probes.liveness | nindent 4 }}
  readinessProbe:
    {{- include "holysheep-relay.probe" (dict "path" "/ready" "root" .) | nindent 4 }}
    {{- toYaml .Values.probes.readiness | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
    - name: config
      mountPath: /etc/holysheep-relay
      readOnly: true
    {{- if .Values.secrets.existingSecret }}
    - name: secrets
      mountPath: /etc/holysheep-relay/secrets
      readOnly: true
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* What the kubelet asks of the API port. */}}
{{- define "holysheep-relay.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ include "holysheep-relay.scheme" .root | upper }}
{{- end -}}

{{/*
The pod's volumes. Both are mounted as folders, never as a single file by
subPath: only so does the kubelet swap in what has changed. It also makes the
folder in the first that the second is mounted on.
*/}}
{{- define "holysheep-relay.volumes" -}}
- name: config
  configMap:
    name: {{ include "holysheep-relay.fullname" . }}
{{- if .Values.secrets.existingSecret }}
- name: secrets
  secret:
    secretName: {{ .Values.secrets.existingSecret | quote }}
    defaultMode: 0440
    {{- with .Values.secrets.keys }}
    items:
      {{- range . }}
      - key: {{ . | quote }}
        path: {{ . | quote }}
      {{- end }}
    {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
