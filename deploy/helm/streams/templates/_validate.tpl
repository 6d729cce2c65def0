{{/* What a schema cannot say: values that do not fit each other.  One line each, with what to do. */}}
{{- define "streams.validate" -}}
{{- $worker := .Values.worker -}}
{{- $partitions := int .Values.kafka.partitions -}}
{{- if and $worker.hpa.enabled $worker.keda.enabled -}}
{{- fail "worker.hpa and worker.keda both scale the workers: enable one of them" -}}
{{- end -}}
{{- range $kind := list "hpa" "keda" -}}
{{- $scaler := index $worker $kind -}}
{{- if $scaler.enabled -}}
{{- if gt (int $scaler.max) $partitions -}}
{{- fail (printf "worker.%s.max (%d) is more than kafka.partitions (%d): the rest would have no work" $kind (int $scaler.max) $partitions) -}}
{{- end -}}
{{- if gt (int $scaler.min) (int $scaler.max) -}}
{{- fail (printf "worker.%s.min (%d) is more than max (%d)" $kind (int $scaler.min) (int $scaler.max)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (int $worker.replicas) $partitions -}}
{{- fail (printf "worker.replicas (%d) is more than kafka.partitions (%d): the rest would have no work" (int $worker.replicas) $partitions) -}}
{{- end -}}
{{- if and $worker.keda.enabled (or .Values.kafka.tls.enabled .Values.kafka.sasl.username) (not $worker.keda.authentication) -}}
{{- fail "KEDA has to reach Kafka, too: set worker.keda.authentication to a TriggerAuthentication" -}}
{{- end -}}
{{- $tls := or .Values.redis.tls.caSecret .Values.redis.tls.clientSecret -}}
{{- if and $tls (not (hasPrefix "rediss://" .Values.redis.url)) -}}
{{- fail "redis.tls needs TLS: write redis.url as rediss://…" -}}
{{- end -}}
{{- $mastodon := .Values.ingest.sources.mastodon.settings -}}
{{- if ne (hasPrefix "hashtag" (default "" $mastodon.stream)) (hasKey $mastodon "hashtag") -}}
{{- fail "ingest.sources.mastodon.settings: hashtag and a stream hashtag… go together: set both or none" -}}
{{- end -}}
{{- if not (or .Values.campaigns.shipped .Values.campaigns.files) -}}
{{- fail "no campaign: name one in campaigns.shipped, or add a file to campaigns.files" -}}
{{- end -}}
{{- end }}
