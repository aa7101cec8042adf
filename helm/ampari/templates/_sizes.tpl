{{/* Sizes and the outage budget. Numbers are texts of whole bytes or seconds. */}}

{{/* Bytes of a Kubernetes quantity (50Gi, 50G) or of the programs' sizes (50GiB; there MB is MiB, as in Prometheus); empty: not a size. */}}
{{- define "ampari.bytes" -}}
{{- $text := toString . -}}
{{- $units := dict "" 1 "B" 1 "k" 1000 "K" 1000 "KB" 1024 "M" 1000000 "MB" 1048576 "G" 1000000000 "GB" 1073741824 "T" 1000000000000 "TB" 1099511627776 "Ki" 1024 "KiB" 1024 "Mi" 1048576 "MiB" 1048576 "Gi" 1073741824 "GiB" 1073741824 "Ti" 1099511627776 "TiB" 1099511627776 -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+)?[kKMGT]?(i?B?)$" $text -}}
{{- $unit := regexReplaceAll "^[0-9.]+" $text "" -}}
{{- if hasKey $units $unit -}}
{{- printf "%.0f" (mulf (float64 (trimSuffix $unit $text)) (float64 (get $units $unit))) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Seconds of a Prometheus duration (15s, 1h30m, 3d); empty: not one. */}}
{{- define "ampari.seconds" -}}
{{- $text := toString . -}}
{{- $units := dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800 "y" 31536000 -}}
{{- if regexMatch "^([0-9]+(ms|s|m|h|d|w|y))+$" $text -}}
{{- $sum := 0.0 -}}
{{- range regexFindAll "[0-9]+(ms|[smhdwy])" $text -1 -}}
{{- $unit := regexReplaceAll "^[0-9]+" . "" -}}
{{- $sum = addf $sum (mulf (float64 (trimSuffix $unit .)) (float64 (get $units $unit))) -}}
{{- end -}}
{{- printf "%.3f" $sum -}}
{{- end -}}
{{- end }}

{{/* Bytes as the programs' configuration has them. */}}
{{- define "ampari.programSize" -}}
{{- $bytes := . | int64 -}}
{{- if eq 0 (mod $bytes 1048576 | int) }}{{ printf "%dMiB" (div $bytes 1048576) }}{{ else }}{{ printf "%dB" $bytes }}{{ end -}}
{{- end }}

{{/* storage.max_bytes in bytes: as given, else 85 % of the volume in whole MiB. */}}
{{- define "ampari.maxBytes" -}}
{{- if .Values.gateway.storage.maxBytes -}}
{{- include "ampari.bytes" .Values.gateway.storage.maxBytes -}}
{{- else -}}
{{- $volume := include "ampari.bytes" .Values.gateway.persistence.size | default "0" -}}
{{- printf "%.0f" (mulf (floor (divf (mulf (float64 $volume) 0.85) 1048576.0)) 1048576.0) -}}
{{- end -}}
{{- end }}

{{/* What samples may take of it: less the write-ahead log (twice: itself and its reserve) and the write buffers. */}}
{{- define "ampari.frameBytes" -}}
{{- $max := float64 (include "ampari.maxBytes" . | default "0") -}}
{{- $wal := minf 268435456.0 (divf $max 8.0) -}}
{{- $reserve := minf (addf $wal 67108864.0) (divf $max 4.0) -}}
{{- printf "%.0f" (maxf 0.0 (subf $max $reserve $wal)) -}}
{{- end }}

{{- define "ampari.humanBytes" -}}
{{- $bytes := float64 . -}}
{{- if ge $bytes 1099511627776.0 -}}{{ printf "%.1f TiB" (divf $bytes 1099511627776.0) }}
{{- else if ge $bytes 1073741824.0 -}}{{ printf "%.1f GiB" (divf $bytes 1073741824.0) }}
{{- else -}}{{ printf "%.0f MiB" (divf $bytes 1048576.0) }}
{{- end -}}
{{- end }}

{{- define "ampari.humanSeconds" -}}
{{- $seconds := float64 . -}}
{{- if ge $seconds 172800.0 -}}{{ printf "%.1f days" (divf $seconds 86400.0) }}
{{- else if ge $seconds 7200.0 -}}{{ printf "%.1f hours" (divf $seconds 3600.0) }}
{{- else -}}{{ printf "%.0f minutes" (divf $seconds 60.0) }}
{{- end -}}
{{- end }}

{{/* 123456 as 123,456. */}}
{{- define "ampari.humanCount" -}}
{{- $text := printf "%.0f" (float64 .) -}}
{{- range until 5 }}{{ $text = regexReplaceAll "^([0-9]+)([0-9]{3})($|,)" $text "${1},${2}${3}" }}{{ end -}}
{{- $text -}}
{{- end }}
