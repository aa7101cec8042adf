{{/* Combinations that would lose data, or that cannot work, are refused with the reason; all of them at once. */}}

{{/* Secrets in the clear inside a value that becomes a ConfigMap; of a dict {value, at}. */}}
{{- define "ampari.inlineSecrets" -}}
{{- $at := .at -}}
{{- if kindIs "map" .value -}}
  {{- range $key, $value := .value -}}
    {{- $here := printf "%s.%s" $at $key -}}
    {{- if and (has $key (list "password" "credentials" "token" "bearer_token" "client_secret")) $value -}}
      {{ $here }};
    {{- else if and (eq $key "secrets") (hasSuffix ".http_headers" (regexReplaceAll "\\.[^.]*$" $at "")) $value -}}
      {{ $here }};
    {{- else if and (eq $key "key") (hasSuffix ".tls_config" $at) $value -}}
      {{ $here }};
    {{- else if and (has $key (list "url" "proxy_url")) (kindIs "string" $value) (regexMatch "^[a-z0-9]+://[^/]*@" (toString $value)) -}}
      {{ $here }};
    {{- else -}}
      {{ include "ampari.inlineSecrets" (dict "value" $value "at" $here) }}
    {{- end -}}
  {{- end -}}
{{- else if kindIs "slice" .value -}}
  {{- range $i, $value := .value }}{{ include "ampari.inlineSecrets" (dict "value" $value "at" (printf "%s[%d]" $at $i)) }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "ampari.refusals.region" -}}
{{- $region := .Values.region -}}
{{- $given := 0 -}}
{{- if $region.url }}{{ $given = add1 $given }}{{ end -}}
{{- if .Values.gateway.remoteWrite }}{{ $given = add1 $given }}{{ end -}}
{{- if .Values.gateway.tenants }}{{ $given = add1 $given }}{{ end -}}
{{- if eq (int $given) 0 }}
region.url: no region is named: the gateway would fill its disk and then lose the oldest samples; set region.url to https://…/api/v1/push
{{- else if gt (int $given) 1 }}
region.url, gateway.remoteWrite, gateway.tenants: give one of them; the others would silently get nothing
{{- end -}}
{{- if $region.url -}}
{{- if and (not $region.tenant) (not $region.withoutTenant) }}
region.tenant: no tenant is named: a region with tenants refuses every sample; set it, or region.withoutTenant=true
{{- end -}}
{{- if and (hasPrefix "http://" $region.url) (not $region.acceptPlaintext) }}
region.url: http:// sends samples and token readable; use https://, or say region.acceptPlaintext=true
{{- end -}}
{{- if and (hasPrefix "http://" $region.logs.url) (not $region.acceptPlaintext) }}
region.logs.url: http:// sends lines and token readable; use https://, or say region.acceptPlaintext=true
{{- end -}}
{{- if and (include "ampari.region.hasToken" .) (not $region.auth.token) (not $region.auth.existingSecret) }}
region.auth: there is no token: the region would refuse every sample; set region.auth.existingSecret (or region.auth.token), or region.auth.type=none
{{- end -}}
{{- if and $region.auth.token $region.auth.existingSecret }}
region.auth: give token or existingSecret, not both
{{- end -}}
{{- end -}}
{{- if and $region.logs.url (not $region.url) }}
region.logs.url: goes with region.url; with gateway.remoteWrite or gateway.tenants use gateway.lokiWrite, or loki_write of the tenant
{{- end -}}
{{- if and .Values.gateway.lokiWrite $region.logs.url }}
region.logs.url, gateway.lokiWrite: give one of them
{{- end -}}
{{- if and .Values.gateway.lokiWrite .Values.gateway.tenants }}
gateway.lokiWrite: with gateway.tenants the destinations belong inside each tenant (loki_write); move them there
{{- end -}}
{{- if and .Values.gateway.tenants .Values.gateway.forwarders }}
gateway.forwarders: with gateway.tenants the forwarders belong inside each tenant; move them there
{{- end -}}
{{- range .Values.gateway.tenants }}{{ if not .remote_write }}
gateway.tenants: tenant {{ .id | quote }} has no remote_write: its samples would have nowhere to go
{{- end }}{{ end -}}
{{- $inline := "" -}}
{{- range $at, $value := dict "region.extra" $region.extra "region.logs.extra" $region.logs.extra "gateway.remoteWrite" .Values.gateway.remoteWrite "gateway.lokiWrite" .Values.gateway.lokiWrite -}}
{{- $inline = printf "%s%s" $inline (include "ampari.inlineSecrets" (dict "value" $value "at" $at)) -}}
{{- end -}}
{{- range $i, $tenant := .Values.gateway.tenants -}}
{{- $inline = printf "%s%s" $inline (include "ampari.inlineSecrets" (dict "value" (omit $tenant "forwarders") "at" (printf "gateway.tenants[%d]" $i))) -}}
{{- end -}}
{{- range splitList ";" $inline }}{{ with trim . }}
{{ . }}: a secret in the clear would be readable in a ConfigMap; put it into a Secret listed in gateway.secrets and name its file (…_file)
{{- end }}{{ end -}}
{{- end }}

{{- define "ampari.refusals.storage" -}}
{{- $gateway := .Values.gateway -}}
{{- $volume := include "ampari.bytes" $gateway.persistence.size -}}
{{- $max := include "ampari.maxBytes" . -}}
{{- if and (not $gateway.persistence.enabled) (not $gateway.persistence.acceptDataLoss) }}
gateway.persistence.enabled: without a volume everything that is not delivered is lost with the pod; keep it, or say gateway.persistence.acceptDataLoss=true
{{- end -}}
{{- range $when := list "whenDeleted" "whenScaled" -}}
{{- if and (ne (get $gateway.persistence.retentionPolicy $when | default "Retain") "Retain") (not $gateway.persistence.acceptDataLoss) }}
gateway.persistence.retentionPolicy.{{ $when }}: Delete removes the volume with what is not delivered; use Retain, or say gateway.persistence.acceptDataLoss=true
{{- end -}}
{{- end -}}
{{- if not $volume }}
gateway.persistence.size: {{ $gateway.persistence.size | quote }} is not a size; write 50Gi
{{- else if not $max }}
gateway.storage.maxBytes: {{ $gateway.storage.maxBytes | quote }} is not a size; write 40GiB, or leave it empty
{{- else -}}
{{- if lt (float64 $max) 536870912.0 }}
gateway.storage.maxBytes: {{ include "ampari.humanBytes" $max }} is less than the 512 MiB that the store needs; {{ ternary "raise it" "raise gateway.persistence.size" (ne $gateway.storage.maxBytes "") }}
{{- end -}}
{{- if gt (float64 $max) (mulf (float64 $volume) 0.95) }}
gateway.storage.maxBytes: {{ $gateway.storage.maxBytes }} does not fit into a volume of {{ $gateway.persistence.size }}, of which the file system takes 5 %: the disk would be full before the budget is; leave it empty, or at most 95 %
{{- end -}}
{{- end -}}
{{- if lt (int $gateway.terminationGracePeriodSeconds) 30 }}
gateway.terminationGracePeriodSeconds: {{ $gateway.terminationGracePeriodSeconds }} is less than the 30 s that the gateway may need to acknowledge what it read and to close its store
{{- end -}}
{{- end }}

{{/* What only the cluster knows: the claim template cannot change, and a replica must not go with what it holds. */}}
{{- define "ampari.refusals.upgrade" -}}
{{- $name := include "ampari.gateway.name" . -}}
{{- $found := lookup "apps/v1" "StatefulSet" .Release.Namespace $name -}}
{{- if $found -}}
{{- range $found.spec.volumeClaimTemplates -}}
{{- $size := .spec.resources.requests.storage -}}
{{- if and $.Values.gateway.persistence.enabled (ne (include "ampari.bytes" $size) (include "ampari.bytes" $.Values.gateway.persistence.size)) }}
gateway.persistence.size: the volumes were claimed with {{ $size }}, and Kubernetes does not change a StatefulSet's claims. First resize each: kubectl -n {{ $.Release.Namespace }} patch pvc store-{{ $name }}-0 -p '{"spec":{"resources":{"requests":{"storage":"{{ $.Values.gateway.persistence.size }}"}}}}', then kubectl -n {{ $.Release.Namespace }} delete statefulset {{ $name }} --cascade=orphan, then this again
{{- end -}}
{{- end -}}
{{- $left := splitList "," (get ($found.metadata.annotations | default dict) "ampari.io/leaving" | default "") -}}
{{- range $i := untilStep (int .Values.gateway.replicas) (int $found.spec.replicas) 1 -}}
{{- if not (has (toString $i) $left) }}
gateway.replicas: {{ $name }}-{{ $i }} is still used by forwarders and may hold what is not delivered. First set gateway.leaving=[{{ $i }}] and keep replicas; when `queue status` of its pod says that nothing waits, lower replicas
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "ampari.refusals.entries" -}}
{{- $entries := include "ampari.entries" . | fromJsonArray -}}
{{- $names := list -}}{{- $secrets := list -}}{{- $remote := 0 -}}
{{- range $entries -}}
  {{- if has .name $names }}
gateway.forwarders: {{ .name | quote }} is given twice; the name is the identity of one cluster
{{- end -}}
  {{- $names = append $names .name -}}
  {{- if .existingSecret -}}
    {{- $secret := printf "%s/%s" .existingSecret .existingSecretKey -}}
    {{- if has $secret $secrets }}
gateway.forwarders: {{ .name | quote }} shares its token with another entry ({{ $secret }}): the gateway could not tell them apart
{{- end -}}
    {{- $secrets = append $secrets $secret -}}
  {{- end -}}
  {{- if and .token .existingSecret }}
gateway.forwarders: {{ .name | quote }}: give token or existingSecret, not both
{{- end -}}
  {{- if ne .name $.Values.cluster }}{{ $remote = add1 $remote }}{{ end -}}
{{- end -}}
{{- if and .Values.forwarder.enabled (not .Values.cluster) }}
cluster: this cluster has no name: equal series of a second cluster could not be told from its own; set cluster
{{- else if and .Values.forwarder.enabled (not (has .Values.cluster $names)) }}
gateway.tenants: no tenant has a forwarders entry named {{ .Values.cluster | quote }}: this cluster's forwarders could not connect
{{- else if not $entries }}
gateway.forwarders: nobody could connect; name the clusters that may: gateway.forwarders[0].name
{{- end -}}
{{- if and .Values.networkPolicy.enabled (gt (int $remote) 0) (not .Values.networkPolicy.spokeCIDRs) }}
networkPolicy.spokeCIDRs: forwarders of other clusters may connect, but the NetworkPolicy would keep them out until their rings overflow; name their addresses, such as 10.0.0.0/8
{{- end -}}
{{- end }}

{{- define "ampari.refusals.tls" -}}
{{- $tls := .Values.tls -}}
{{- if and (eq $tls.mode "plaintext") (not $tls.acceptPlaintext) }}
tls.mode: plaintext sends samples and tokens readable, and whoever reads a token can write into the tenant; use generated, or say tls.acceptPlaintext=true
{{- end -}}
{{- if .Values.gateway.enabled -}}
{{- if and (eq $tls.mode "secret") (not $tls.secret.name) }}
tls.secret.name: mode secret needs the name of a Secret with tls.crt and tls.key
{{- end -}}
{{- if and (eq $tls.mode "certManager") (not $tls.certManager.issuerRef.name) }}
tls.certManager.issuerRef: mode certManager needs the issuer's name
{{- end -}}
{{- end -}}
{{- end }}

{{- define "ampari.refusals.forwarder" -}}
{{- $forwarder := .Values.forwarder -}}
{{- if lt (int $forwarder.terminationGracePeriodSeconds) (int (add $forwarder.drainSeconds 5)) }}
forwarder.terminationGracePeriodSeconds: {{ $forwarder.terminationGracePeriodSeconds }} ends the forwarder before its drain of {{ $forwarder.drainSeconds }} s (forwarder.drainSeconds) is over, with what is not acknowledged; set at least {{ add $forwarder.drainSeconds 5 }}
{{- end -}}
{{- if not $forwarder.scrapeConfigs }}
forwarder.scrapeConfigs: there are no jobs: nothing would be scraped
{{- end -}}
{{- include "ampari.refusals.logs" . -}}
{{- $ring := include "ampari.bytes" $forwarder.ringBytes -}}
{{- $logRing := include "ampari.bytes" $forwarder.logs.ringBytes -}}
{{- $limit := include "ampari.bytes" (dig "limits" "memory" "" $forwarder.resources) -}}
{{- if not $ring }}
forwarder.ringBytes: {{ $forwarder.ringBytes | quote }} is not a size; write 64MiB
{{- else if not $logRing }}
forwarder.logs.ringBytes: {{ $forwarder.logs.ringBytes | quote }} is not a size; write 32MiB
{{- else if and $limit $forwarder.logs.enabled (lt (float64 $limit) (addf (float64 $ring) (float64 $logRing) 67108864.0)) }}
forwarder.resources.limits.memory: {{ $forwarder.resources.limits.memory }} is less than the rings ({{ $forwarder.ringBytes }} and {{ $forwarder.logs.ringBytes }} of logs) and 64 MiB: in an outage the kernel would end the forwarder with all that it holds
{{- else if and $limit (lt (float64 $limit) (addf (float64 $ring) 67108864.0)) }}
forwarder.resources.limits.memory: {{ $forwarder.resources.limits.memory }} is less than the ring ({{ $forwarder.ringBytes }}) and 64 MiB: in an outage the kernel would end the forwarder with all that it holds
{{- end -}}
{{- range splitList ";" (printf "%s%s" (include "ampari.inlineSecrets" (dict "value" $forwarder.scrapeConfigs "at" "forwarder.scrapeConfigs")) (include "ampari.inlineSecrets" (dict "value" $forwarder.logs.logConfigs "at" "forwarder.logs.logConfigs"))) }}{{ with trim . }}
{{ . }}: a secret in the clear would be readable in a ConfigMap; use its …_file form
{{- end }}{{ end -}}
{{- end }}

{{- define "ampari.refusals.logs" -}}
{{- $logs := .Values.forwarder.logs -}}
{{- if $logs.enabled -}}
{{- if not $logs.logConfigs }}
forwarder.logs.logConfigs: there are no jobs: nothing would be read
{{- end -}}
{{- if .Values.gateway.enabled -}}
{{- $taken := or .Values.region.logs.url .Values.gateway.lokiWrite -}}
{{- range $tenant := .Values.gateway.tenants -}}
  {{- range $tenant.forwarders }}{{ if and (eq .name $.Values.cluster) $tenant.loki_write }}{{ $taken = "yes" }}{{ end }}{{ end -}}
{{- end -}}
{{- if not $taken }}
forwarder.logs.enabled: the gateway would have nowhere to deliver this cluster's logs; set region.logs.url to https://…/loki/api/v1/push
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "ampari.refusals.addresses" -}}
{{- $gateway := .Values.gateway -}}
{{- $addresses := .Values.forwarder.gateway.addresses -}}
{{- if not $gateway.enabled -}}
{{- if not $addresses }}
forwarder.gateway.addresses: no gateway is named: forwarders without the gateway need the stable names of all gateways of the hub, host:4750
{{- end -}}
{{- if not (or .Values.forwarder.gateway.token .Values.forwarder.gateway.existingSecret) }}
forwarder.gateway.existingSecret: there is no token: the hub would let nobody in; set it to a Secret with the token of this cluster's entry
{{- end -}}
{{- if and .Values.forwarder.gateway.token .Values.forwarder.gateway.existingSecret }}
forwarder.gateway: give token or existingSecret, not both
{{- end -}}
{{- else -}}
{{- range $i := until (int $gateway.replicas) -}}
  {{- $leaves := false -}}
  {{- range $gateway.leaving }}{{ if eq (int .) $i }}{{ $leaves = true }}{{ end }}{{ end -}}
  {{- $name := printf "%s-%d" (include "ampari.gateway.name" $) $i -}}
  {{- $listed := false -}}
  {{- range $addresses }}{{ if or (hasPrefix (printf "%s." $name) .) (hasPrefix (printf "%s:" $name) .) }}{{ $listed = true }}{{ end }}{{ end -}}
  {{- if and $addresses (not $listed) (not $leaves) }}
forwarder.gateway.addresses: {{ $name }} is not listed: forwarders bind to stable names, never to a Service over several gateways, and a gateway without forwarders is a volume without use; list every replica or leave it empty
{{- end -}}
  {{- if and $listed $leaves }}
gateway.leaving: {{ $name }} leaves, and forwarder.gateway.addresses still lists it
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "ampari.refusals.leaving" -}}
{{- $replicas := int .Values.gateway.replicas -}}
{{- $count := len (uniq .Values.gateway.leaving) -}}
{{- if and $count (ge $count $replicas) }}
gateway.leaving: every gateway would leave, and forwarders would have none
{{- else -}}
{{- range .Values.gateway.leaving -}}
{{- if or (ge (int .) $replicas) (lt (int .) (sub $replicas $count | int)) }}
gateway.leaving: {{ . }} cannot leave: a StatefulSet gives up its highest ordinals only, and there are {{ $replicas }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "ampari.refusals" -}}
{{- if not (or .Values.gateway.enabled .Values.forwarder.enabled) }}
gateway.enabled, forwarder.enabled: nothing would be installed
{{- end -}}
{{- include "ampari.refusals.tls" . -}}
{{- if .Values.gateway.enabled -}}
{{- include "ampari.refusals.region" . -}}
{{- include "ampari.refusals.storage" . -}}
{{- include "ampari.refusals.entries" . -}}
{{- include "ampari.refusals.leaving" . -}}
{{- include "ampari.refusals.upgrade" . -}}
{{- end -}}
{{- if .Values.forwarder.enabled -}}
{{- include "ampari.refusals.forwarder" . -}}
{{- include "ampari.refusals.addresses" . -}}
{{- end -}}
{{- end }}
