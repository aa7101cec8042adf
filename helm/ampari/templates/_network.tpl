{{/* Parts of NetworkPolicies. */}}

{{- define "ampari.egress.dns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
  {{- with .Values.networkPolicy.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* To the gateways: of this release, or of the hub. */}}
{{- define "ampari.egress.gateway" -}}
{{- if .Values.gateway.enabled -}}
- ports:
    - {protocol: TCP, port: 4750}
    - {protocol: TCP, port: 4751}
  to:
    - podSelector:
        matchLabels:
          {{- include "ampari.selector" (dict "root" . "component" "gateway") | nindent 10 }}
{{- else -}}
- ports:
    {{- $ports := list }}
    {{- range .Values.forwarder.gateway.addresses }}{{ $ports = append $ports (regexFind "[0-9]+$" .) }}{{ end }}
    {{- range uniq $ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .Values.networkPolicy.hubTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end }}
