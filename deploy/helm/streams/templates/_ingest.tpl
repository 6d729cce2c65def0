{{/* Names of the live sources that are enabled, parted by spaces; empty where none is. */}}
{{- define "streams.sources" -}}
{{- $names := list -}}
{{- range $name, $source := .Values.ingest.sources -}}
{{- if $source.enabled }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{ join " " $names }}
{{- end }}

{{/* Secrets of one source, as streams.env takes them (`tokens`), as JSON.  Takes {name, source}. */}}
{{- define "streams.sourceTokens" -}}
{{- $tokens := list -}}
{{- $keys := ternary (dict "verify_token" "verifyTokenKey" "app_secret" "appSecretKey") (dict "token" "tokenKey") (eq .name "facebook") -}}
{{- if .source.existingSecret -}}
{{- range $setting, $key := $keys -}}
{{- $env := printf "STREAMS_INGEST__%s__%s_FILE" (upper $.name) (upper $setting) -}}
{{- $tokens = append $tokens (dict "env" $env "secret" $.source.existingSecret "key" (index $.source $key) "file" (replace "_" "-" $setting)) -}}
{{- end -}}
{{- end -}}
{{ dict "tokens" $tokens | toJson }}
{{- end }}
