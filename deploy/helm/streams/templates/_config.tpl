{{/* streams.toml: what worker and exporter share, and nothing secret. */}}
{{- define "streams.toml" -}}
{{- $values := .Values -}}
{{- $campaigns := list -}}
{{- range $values.campaigns.shipped }}{{ $campaigns = append $campaigns . }}{{ end -}}
{{- range $name, $text := $values.campaigns.files -}}
{{- $campaigns = append $campaigns (printf "/etc/streams/%s.campaign.toml" $name) -}}
{{- end -}}
{{- $kafka := dict
  "brokers" $values.kafka.brokers
  "input" $values.kafka.input
  "group" $values.kafka.group
  "partitions" (int64 $values.kafka.partitions)
  "replication" (int64 $values.kafka.replication)
  "session_timeout" $values.kafka.sessionTimeout
  "topics" $values.kafka.topics -}}
{{- $redis := dict "prefix" $values.redis.prefix "cluster" (eq $values.redis.mode "cluster") -}}
{{- with $values.redis.url }}{{ $_ := set $redis "url" . }}{{ end -}}
{{- if eq $values.redis.mode "sentinel" -}}
{{- $_ := set $redis "sentinels" $values.redis.sentinels -}}
{{- $_ := set $redis "service" $values.redis.service -}}
{{- end -}}
{{- $own := dict "campaigns" $campaigns "kafka" $kafka "redis" $redis -}}
{{- $config := deepCopy $values.config -}}
{{- include "streams.whole" $config -}}
{{- mustMergeOverwrite $config $own | toToml -}}
{{- end }}

{{/* ingest.toml: the same, and the live sources; a file of its own, so that a change of a source
     does not roll the workers. */}}
{{- define "streams.ingestToml" -}}
{{- $ingest := dict -}}
{{- range $name, $source := .Values.ingest.sources -}}
{{- if $source.enabled }}{{ $_ := set $ingest $name $source.settings }}{{ end -}}
{{- end -}}
{{- $ingest = deepCopy $ingest -}}
{{- include "streams.whole" $ingest -}}
{{- $_ := set $ingest "cursors" .Values.ingest.cursors -}}
{{ include "streams.toml" . | trim }}

{{ dict "ingest" $ingest | toToml }}
{{- end }}

{{/* Helm's whole numbers are floats, which sizes may not be: made whole, in place. */}}
{{- define "streams.whole" -}}
{{- range $section, $keys := . -}}
{{- if kindIs "map" $keys -}}
{{- range $key, $value := $keys -}}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) -}}
{{- $_ := set $keys $key (int64 $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Rolls the pods when settings, campaigns or rules of the ConfigMap change. */}}
{{- define "streams.configHash" -}}
{{ printf "%s%s" (include "streams.toml" .) (toJson .Values.campaigns.files) | sha256sum }}
{{- end }}

{{/* Environment of a container.  Takes {root, file, kafka: bool, authors: bool, redis: credentials,
     tokens: list of {env, secret, key, file}}: who does not talk to Kafka (or Redis: no credentials)
     gets none of its secrets, and who hashes no authors not their key.  Secrets are files below
     /secrets (streams.secrets). */}}
{{- define "streams.env" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $redis := .root.Values.redis -}}
- name: STREAMS_CONFIG
  value: /etc/streams/{{ default "streams.toml" .file }}
{{- if .authors }}
- name: STREAMS_PRIVACY__AUTHOR_KEY_FILE
  value: /secrets/author-key
{{- end }}
{{- if .kafka }}
- name: STREAMS_KAFKA__SECURITY_PROTOCOL
  value: {{ ternary (ternary "SASL_SSL" "SASL_PLAINTEXT" $kafka.tls.enabled) (ternary "SSL" "PLAINTEXT" $kafka.tls.enabled) (ne $kafka.sasl.username "") }}
{{- if $kafka.sasl.username }}
- name: STREAMS_KAFKA__SASL_MECHANISM
  value: {{ $kafka.sasl.mechanism }}
- name: STREAMS_KAFKA__USERNAME
  value: {{ $kafka.sasl.username | quote }}
- name: STREAMS_KAFKA__PASSWORD_FILE
  value: /secrets/kafka-password
{{- end }}
{{- if $kafka.tls.enabled }}
{{- include "streams.tlsEnv" (dict "tls" $kafka.tls "service" "kafka") }}
{{- end }}
{{- end }}
{{- if .redis }}
{{- with .redis.username }}
- name: STREAMS_REDIS__USERNAME
  value: {{ . | quote }}
{{- end }}
{{- if .redis.existingSecret }}
- name: STREAMS_REDIS__PASSWORD_FILE
  value: /secrets/redis-password
{{- end }}
{{- if eq $redis.mode "sentinel" }}
{{- with $redis.sentinelAuth.username }}
- name: STREAMS_REDIS__SENTINEL_USERNAME
  value: {{ . | quote }}
{{- end }}
{{- if $redis.sentinelAuth.existingSecret }}
- name: STREAMS_REDIS__SENTINEL_PASSWORD_FILE
  value: /secrets/sentinel-password
{{- end }}
{{- end }}
{{- include "streams.tlsEnv" (dict "tls" $redis.tls "service" "redis") }}
{{- end }}
{{- range .tokens }}
- name: {{ .env }}
  value: /secrets/{{ .file }}
{{- end }}
{{- end }}

{{- define "streams.tlsEnv" -}}
{{- if .tls.caSecret }}
- name: STREAMS_{{ upper .service }}__CA_FILE
  value: /secrets/{{ .service }}-ca.pem
{{- end }}
{{- if .tls.clientSecret }}
- name: STREAMS_{{ upper .service }}__CERT_FILE
  value: /secrets/{{ .service }}-cert.pem
- name: STREAMS_{{ upper .service }}__KEY_FILE
  value: /secrets/{{ .service }}-key.pem
{{- end }}
{{- end }}

{{/* Sources of the projected volume /secrets; takes what streams.env takes. */}}
{{- define "streams.secrets" -}}
{{- $values := .root.Values -}}
{{- if .authors }}
{{ include "streams.secretFile" (list $values.authorKey.existingSecret $values.authorKey.key "author-key") }}
{{- end }}
{{- if and .kafka $values.kafka.sasl.username }}
{{ include "streams.secretFile" (list $values.kafka.sasl.existingSecret $values.kafka.sasl.passwordKey "kafka-password") }}
{{- end }}
{{- if and .kafka $values.kafka.tls.enabled }}
{{- include "streams.tlsFiles" (dict "tls" $values.kafka.tls "service" "kafka") }}
{{- end }}
{{- if .redis }}
{{- if .redis.existingSecret }}
{{ include "streams.secretFile" (list .redis.existingSecret .redis.passwordKey "redis-password") }}
{{- end }}
{{- $sentinel := $values.redis.sentinelAuth }}
{{- if and (eq $values.redis.mode "sentinel") $sentinel.existingSecret }}
{{ include "streams.secretFile" (list $sentinel.existingSecret $sentinel.passwordKey "sentinel-password") }}
{{- end }}
{{- include "streams.tlsFiles" (dict "tls" $values.redis.tls "service" "redis") }}
{{- end }}
{{- range .tokens }}
{{ include "streams.secretFile" (list .secret .key .file) }}
{{- end }}
{{- end }}

{{- define "streams.tlsFiles" -}}
{{- if .tls.caSecret }}
{{ include "streams.secretFile" (list .tls.caSecret .tls.caKey (printf "%s-ca.pem" .service)) }}
{{- end }}
{{- if .tls.clientSecret }}
{{ include "streams.secretFile" (list .tls.clientSecret .tls.certKey (printf "%s-cert.pem" .service)) }}
{{ include "streams.secretFile" (list .tls.clientSecret .tls.keyKey (printf "%s-key.pem" .service)) }}
{{- end }}
{{- end }}

{{- define "streams.secretFile" -}}
- secret:
    name: {{ index . 0 | quote }}
    items: [{key: {{ index . 1 | quote }}, path: {{ index . 2 }}}]
{{- end }}
