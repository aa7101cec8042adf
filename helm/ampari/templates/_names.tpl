{{/* Names, labels and addresses. */}}

{{- define "ampari.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* At most 40 bytes: the longest suffix must fit into 63. */}}
{{- define "ampari.fullname" -}}
{{- $name := include "ampari.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "ampari.gateway.name" -}}{{ include "ampari.fullname" . }}-gateway{{- end }}
{{- define "ampari.forwarder.name" -}}{{ include "ampari.fullname" . }}-forwarder{{- end }}
{{- define "ampari.canary.name" -}}{{ include "ampari.fullname" . }}-canary{{- end }}
{{- define "ampari.tokens.name" -}}{{ include "ampari.fullname" . }}-forwarder-tokens{{- end }}
{{- define "ampari.region.name" -}}{{ include "ampari.fullname" . }}-region{{- end }}
{{- define "ampari.ca.name" -}}{{ include "ampari.fullname" . }}-ca{{- end }}
{{- define "ampari.hub.name" -}}{{ include "ampari.fullname" . }}-hub{{- end }}

{{/* The Secret of the gateway's certificate; empty: plaintext. */}}
{{- define "ampari.tls.name" -}}
{{- if eq .Values.tls.mode "secret" -}}{{ .Values.tls.secret.name }}
{{- else if ne .Values.tls.mode "plaintext" -}}{{ include "ampari.fullname" . }}-gateway-tls
{{- end -}}
{{- end }}

{{/* Of a dict {root, component}. */}}
{{- define "ampari.selector" -}}
app.kubernetes.io/name: {{ include "ampari.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "ampari.labels" -}}
{{ include "ampari.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of a dict {root, component, podLabels}; without the chart's version, so that only what changes a pod restarts it. */}}
{{- define "ampari.podLabels" -}}
{{ include "ampari.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- if .root.Values.meshOptOut }}
sidecar.istio.io/inject: "false"
istio.io/dataplane-mode: none
{{- end }}
{{- with .podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of a dict {root, port, podAnnotations}. */}}
{{- define "ampari.podAnnotations" -}}
{{- if .root.Values.selfScrape }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .port | quote }}
prometheus.io/path: /metrics
{{- end }}
{{- with .podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ampari.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "ampari.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "ampari.gateway.serviceAccount" -}}
{{- default (ternary (include "ampari.gateway.name" .) "default" .Values.gateway.serviceAccount.create) .Values.gateway.serviceAccount.name -}}
{{- end }}
{{- define "ampari.forwarder.serviceAccount" -}}
{{- default (ternary (include "ampari.forwarder.name" .) "default" .Values.forwarder.serviceAccount.create) .Values.forwarder.serviceAccount.name -}}
{{- end }}

{{/* Stable host name of one replica, of a dict {root, ordinal}. */}}
{{- define "ampari.gateway.host" -}}
{{- $name := include "ampari.gateway.name" .root -}}
{{ $name }}-{{ .ordinal }}.{{ $name }}.{{ .root.Release.Namespace }}.svc.{{ .root.Values.clusterDomain }}
{{- end }}

{{/* JSON list: the addresses that forwarders use. */}}
{{- define "ampari.forwarder.addresses" -}}
{{- $root := . -}}
{{- $addresses := .Values.forwarder.gateway.addresses -}}
{{- if and (not $addresses) .Values.gateway.enabled -}}
  {{- $leaving := list -}}
  {{- range .Values.gateway.leaving }}{{ $leaving = append $leaving (int .) }}{{ end -}}
  {{- range $i := until (int .Values.gateway.replicas) -}}
    {{- if not (has $i $leaving) -}}
      {{- $addresses = append $addresses (printf "%s:4750" (include "ampari.gateway.host" (dict "root" $root "ordinal" $i))) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $addresses -}}
{{- end }}

{{/* JSON list: every name that the gateway's certificate must carry. */}}
{{- define "ampari.gateway.dnsNames" -}}
{{- $name := include "ampari.gateway.name" . -}}
{{- $ns := .Release.Namespace -}}
{{- $names := list -}}
{{- $hosts := list $name -}}
{{- range $i := until (int .Values.gateway.replicas) }}{{ $hosts = append $hosts (printf "%s-%d.%s" $name $i $name) }}{{ end -}}
{{- if .Values.gateway.expose.enabled -}}
  {{- range $i := until (int .Values.gateway.replicas) }}{{ $hosts = append $hosts (printf "%s-%d" $name $i) }}{{ end -}}
{{- end -}}
{{- range $host := $hosts -}}
  {{- $names = concat $names (list $host (printf "%s.%s" $host $ns) (printf "%s.%s.svc" $host $ns) (printf "%s.%s.svc.%s" $host $ns $.Values.clusterDomain)) -}}
{{- end -}}
{{- $names = concat $names .Values.gateway.expose.hostnames .Values.tls.extraNames | uniq -}}
{{- toJson $names -}}
{{- end }}

{{/* JSON list of {name, labels, existingSecret, existingSecretKey, token, tenant}: who may connect. The local cluster's entry comes first. */}}
{{- define "ampari.entries" -}}
{{- $entries := list -}}
{{- range $tenant := .Values.gateway.tenants -}}
  {{- range $entry := $tenant.forwarders | default list -}}
    {{- $entries = append $entries (merge (dict "tenant" $tenant.id) $entry) -}}
  {{- end -}}
{{- end -}}
{{- if not .Values.gateway.tenants -}}
  {{- $entries = .Values.gateway.forwarders -}}
  {{- $names := list -}}
  {{- range $entries }}{{ $names = append $names .name }}{{ end -}}
  {{- if and .Values.forwarder.enabled .Values.cluster (not (has .Values.cluster $names)) -}}
    {{- $entries = prepend $entries (dict "name" .Values.cluster) -}}
  {{- end -}}
{{- end -}}
{{- $full := list -}}
{{- range $entries -}}
  {{- $full = append $full (merge (dict) . (dict "labels" (dict "cluster" .name) "existingSecret" "" "existingSecretKey" "token" "token" "" "tenant" "")) -}}
{{- end -}}
{{- toJson $full -}}
{{- end }}

{{/* A Secret of this namespace as it is in the cluster, as JSON; {} where there is none, or where no cluster is asked (helm template). */}}
{{- define "ampari.found" -}}
{{- lookup "v1" "Secret" .root.Release.Namespace .name | default dict | toJson -}}
{{- end }}
