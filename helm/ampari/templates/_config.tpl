{{/* gateway.yaml and forwarder.yaml. Secrets are files. */}}

{{/* Name, URL, headers, credentials and CA of a destination in the region; of a dict {root, name, url, authType}. */}}
{{- define "ampari.region.transport" -}}
{{- $region := .root.Values.region -}}
{{- $entry := dict "name" .name "url" .url -}}
{{- $headers := dict -}}
{{- if not $region.withoutTenant }}{{ $_ := set $headers "X-Scope-OrgID" $region.tenant }}{{ end -}}
{{- range $name, $value := $region.headers }}{{ $_ := set $headers $name $value }}{{ end -}}
{{- with $headers }}{{ $_ := set $entry "headers" . }}{{ end -}}
{{- if eq .authType "basic" -}}
  {{- $auth := dict "password_file" "/etc/ampari/region/token" -}}
  {{- with $region.auth.username }}{{ $_ := set $auth "username" . }}{{ end -}}
  {{- $_ := set $entry "basic_auth" $auth -}}
{{- else if eq .authType "bearer" -}}
  {{- $_ := set $entry "authorization" (dict "type" "Bearer" "credentials_file" "/etc/ampari/region/token") -}}
{{- end -}}
{{- if $region.ca.configMap }}{{ $_ := set $entry "tls_config" (dict "ca_file" "/etc/ampari/region-ca/ca.crt") }}{{ end -}}
{{- toJson $entry -}}
{{- end }}

{{- define "ampari.region.entry" -}}
{{- $region := .Values.region -}}
{{- $entry := include "ampari.region.transport" (dict "root" . "name" $region.name "url" $region.url "authType" $region.auth.type) | fromJson -}}
{{- with $region.limits }}{{ $_ := set $entry "limits" . }}{{ end -}}
{{- with $region.queueConfig }}{{ $_ := set $entry "queue_config" . }}{{ end -}}
{{- with $region.writeRelabelConfigs }}{{ $_ := set $entry "write_relabel_configs" . }}{{ end -}}
{{- toYaml (merge $entry $region.extra) -}}
{{- end }}

{{- define "ampari.region.logs.entry" -}}
{{- $logs := .Values.region.logs -}}
{{- $entry := include "ampari.region.transport" (dict "root" . "name" $logs.name "url" $logs.url "authType" $logs.authType) | fromJson -}}
{{- with $logs.limits }}{{ $_ := set $entry "limits" . }}{{ end -}}
{{- toYaml (merge $entry $logs.extra) -}}
{{- end }}

{{/* Whether a destination of the region takes the token. */}}
{{- define "ampari.region.hasToken" -}}
{{- $region := .Values.region -}}
{{- if and $region.url (or (ne $region.auth.type "none") (and $region.logs.url (ne $region.logs.authType "none"))) }}yes{{ end -}}
{{- end }}

{{/* One entry as gateway.yaml has it. */}}
{{- define "ampari.entry" -}}
{{- toYaml (dict "name" .name "token_file" (printf "/etc/ampari/tokens/%s" .name) "labels" .labels) -}}
{{- end }}

{{- define "ampari.gateway.config" -}}
storage:
  directory: /var/lib/ampari/store
  max_bytes: {{ include "ampari.programSize" (include "ampari.maxBytes" .) }}
  max_age: {{ .Values.gateway.storage.maxAge }}
grpc:
  listen_address: {{ printf "%s:4750" .Values.listenHost | quote }}
  {{- if eq .Values.tls.mode "plaintext" }}
  insecure: true
  {{- else }}
  tls_config: {cert_file: /etc/ampari/tls/tls.crt, key_file: /etc/ampari/tls/tls.key}
  {{- end }}
http:
  listen_address: {{ printf "%s:4751" .Values.listenHost | quote }}
log:
  level: {{ .Values.gateway.logLevel }}
{{- with .Values.gateway.externalLabels }}
global:
  external_labels:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- $entries := include "ampari.entries" . | fromJsonArray }}
{{- if .Values.gateway.tenants }}
tenants:
  {{- range $tenant := .Values.gateway.tenants }}
  - {{ toYaml (omit $tenant "forwarders") | nindent 4 | trim }}
    forwarders:
      {{- range $entries }}
      {{- if eq .tenant $tenant.id }}
      - {{ include "ampari.entry" . | nindent 8 | trim }}
      {{- end }}
      {{- end }}
  {{- end }}
{{- else }}
forwarders:
  {{- range $entries }}
  - {{ include "ampari.entry" . | nindent 4 | trim }}
  {{- end }}
remote_write:
  {{- range .Values.gateway.remoteWrite }}
  - {{ toYaml . | nindent 4 | trim }}
  {{- end }}
  {{- if .Values.region.url }}
  - {{ include "ampari.region.entry" . | nindent 4 | trim }}
  {{- end }}
{{- if or .Values.gateway.lokiWrite .Values.region.logs.url }}
loki_write:
  {{- range .Values.gateway.lokiWrite }}
  - {{ toYaml . | nindent 4 | trim }}
  {{- end }}
  {{- if .Values.region.logs.url }}
  - {{ include "ampari.region.logs.entry" . | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Jobs; with forwarder.namespaces each discovery is narrowed to them. Of a dict {root, jobs}. */}}
{{- define "ampari.forwarder.jobs" -}}
{{- $jobs := list -}}
{{- $namespaces := .root.Values.forwarder.namespaces -}}
{{- range $job := .jobs -}}
  {{- $job = deepCopy $job -}}
  {{- if $namespaces -}}
    {{- $found := list -}}
    {{- range $job.kubernetes_sd_configs -}}
      {{- $found = append $found (merge . (dict "namespaces" (dict "names" $namespaces))) -}}
    {{- end -}}
    {{- with $found }}{{ $_ := set $job "kubernetes_sd_configs" . }}{{ end -}}
  {{- end -}}
  {{- $jobs = append $jobs $job -}}
{{- end -}}
{{- toYaml $jobs -}}
{{- end }}

{{/* Where the forwarder finds the gateway's CA: generated, given; empty: public CAs, or plaintext. */}}
{{- define "ampari.forwarder.hasCA" -}}
{{- if eq .Values.tls.mode "plaintext" -}}
{{- else if .Values.gateway.enabled -}}
{{- if not (and (eq .Values.tls.mode "secret") .Values.tls.secret.publicCA) }}yes{{ end -}}
{{- else if or .Values.forwarder.gateway.ca .Values.forwarder.gateway.caSecret -}}yes
{{- end -}}
{{- end }}

{{- define "ampari.forwarder.config" -}}
global:
  scrape_interval: {{ .Values.forwarder.scrapeInterval }}
  scrape_timeout: {{ .Values.forwarder.scrapeTimeout }}
  {{- with .Values.forwarder.externalLabels }}
  external_labels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
gateway:
  addresses:
    {{- include "ampari.forwarder.addresses" . | fromJsonArray | toYaml | nindent 4 }}
  token_file: /etc/ampari/token/token
  {{- if eq .Values.tls.mode "plaintext" }}
  insecure: true
  {{- else }}
  {{- $tls := dict }}
  {{- if include "ampari.forwarder.hasCA" . }}{{ $_ := set $tls "ca_file" "/etc/ampari/ca/ca.crt" }}{{ end }}
  {{- with .Values.forwarder.gateway.serverName }}{{ $_ := set $tls "server_name" . }}{{ end }}
  {{- with $tls }}
  tls_config:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  ring_bytes: {{ include "ampari.programSize" (include "ampari.bytes" .Values.forwarder.ringBytes) }}
  {{- if .Values.forwarder.logs.enabled }}
  log_ring_bytes: {{ include "ampari.programSize" (include "ampari.bytes" .Values.forwarder.logs.ringBytes) }}
  {{- end }}
http:
  listen_address: {{ printf "%s:4752" .Values.listenHost | quote }}
log:
  level: {{ .Values.forwarder.logLevel }}
scrape_configs:
  {{- include "ampari.forwarder.jobs" (dict "root" . "jobs" .Values.forwarder.scrapeConfigs) | nindent 2 }}
{{- if .Values.forwarder.logs.enabled }}
log_configs:
  {{- include "ampari.forwarder.jobs" (dict "root" . "jobs" .Values.forwarder.logs.logConfigs) | nindent 2 }}
{{- end }}
{{- end }}

{{/* The DaemonSet's updateStrategy. An upgrade that changes the gateways' addresses takes each old pod away first: two pods of a
     node at two gateways would write the same series side by side, which neither gateway can see. */}}
{{- define "ampari.forwarder.updateStrategy" -}}
{{- $strategy := .Values.forwarder.updateStrategy -}}
{{- $found := lookup "v1" "ConfigMap" .Release.Namespace (include "ampari.forwarder.name" .) -}}
{{- if $found -}}
  {{- $before := dig "gateway" "addresses" list (get $found.data "forwarder.yaml" | default "" | fromYaml) -}}
  {{- $after := include "ampari.forwarder.addresses" . | fromJsonArray -}}
  {{- if and $before (ne (toJson ($before | sortAlpha)) (toJson ($after | sortAlpha))) (eq ($strategy.type | default "RollingUpdate") "RollingUpdate") -}}
    {{- $strategy = dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" 0 "maxUnavailable" "10%") -}}
  {{- end -}}
{{- end -}}
{{- toYaml $strategy -}}
{{- end }}

{{/* Volumes of whatever connects as this cluster's forwarder: configuration, token, CA. */}}
{{- define "ampari.forwarder.volumes" -}}
{{- $secret := "" -}}{{- $key := "token" -}}
{{- if .Values.gateway.enabled -}}
  {{- range include "ampari.entries" . | fromJsonArray -}}
    {{- if eq .name $.Values.cluster -}}
      {{- if .existingSecret -}}
        {{- $secret = .existingSecret -}}{{- $key = .existingSecretKey -}}
      {{- else -}}
        {{- $secret = include "ampari.tokens.name" $ -}}{{- $key = .name -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- else if .Values.forwarder.gateway.existingSecret -}}
  {{- $secret = .Values.forwarder.gateway.existingSecret -}}{{- $key = .Values.forwarder.gateway.existingSecretKey -}}
{{- else -}}
  {{- $secret = include "ampari.hub.name" . -}}
{{- end -}}
- name: config
  configMap:
    name: {{ include "ampari.forwarder.name" . }}
- name: token
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
    items: [{key: {{ $key | quote }}, path: token}]
{{- if include "ampari.forwarder.hasCA" . }}
- name: ca
  {{- if and (not .Values.gateway.enabled) (not .Values.forwarder.gateway.caSecret) }}
  configMap:
    name: {{ include "ampari.hub.name" . }}
    items: [{key: ca.crt, path: ca.crt}]
  {{- else }}
  secret:
    secretName: {{ ternary (include "ampari.tls.name" .) .Values.forwarder.gateway.caSecret .Values.gateway.enabled }}
    defaultMode: 0440
    items: [{key: {{ ternary "ca.crt" .Values.forwarder.gateway.caSecretKey .Values.gateway.enabled | quote }}, path: ca.crt}]
  {{- end }}
{{- end }}
{{- end }}

{{- define "ampari.forwarder.mounts" -}}
- {name: config, mountPath: /etc/ampari/config, readOnly: true}
- {name: token, mountPath: /etc/ampari/token, readOnly: true}
{{- if include "ampari.forwarder.hasCA" . }}
- {name: ca, mountPath: /etc/ampari/ca, readOnly: true}
{{- end }}
{{- end }}

{{/* The public CAs for gRPC, which brings none of its own. */}}
{{- define "ampari.forwarder.env" -}}
{{- if and (ne .Values.tls.mode "plaintext") (not (include "ampari.forwarder.hasCA" .)) }}
- {name: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH, value: /etc/ssl/certs/ca-certificates.crt}
{{- end }}
{{- end }}

{{/* JSON list: the ports of the gateway's destinations. */}}
{{- define "ampari.region.ports" -}}
{{- $urls := list -}}
{{- if .Values.region.url }}{{ $urls = append $urls .Values.region.url }}{{ end -}}
{{- if .Values.region.logs.url }}{{ $urls = append $urls .Values.region.logs.url }}{{ end -}}
{{- range concat .Values.gateway.remoteWrite .Values.gateway.lokiWrite }}{{ $urls = append $urls (.url | default "") }}{{ end -}}
{{- range .Values.gateway.tenants }}{{ range concat (.remote_write | default list) (.loki_write | default list) }}{{ $urls = append $urls (.url | default "") }}{{ end }}{{ end -}}
{{- $ports := list -}}
{{- range $urls -}}
  {{- $host := regexFind "^[^/]*" (regexReplaceAll "^[a-z]+://" . "") -}}
  {{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
  {{- $ports = append $ports (int ($port | default (ternary "80" "443" (hasPrefix "http://" .)))) -}}
{{- end -}}
{{- toJson ($ports | uniq) -}}
{{- end }}
