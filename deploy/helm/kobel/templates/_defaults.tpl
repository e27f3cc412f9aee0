{{- /* What `defaultConfiguration` says, as JSON of flat keys and texts. */ -}}
{{- define "kobel.defaults" -}}
{{- $is := .Values.defaultConfiguration -}}
{{- $found := dict -}}
{{- if $is.create -}}
{{- if and (index $is "config.yaml") (index $is "flink-conf.yaml") -}}
{{- fail "defaultConfiguration: set `config.yaml` or `flink-conf.yaml`, not both" -}}
{{- end -}}
{{- with index $is "config.yaml" -}}
{{- $read := fromYaml . -}}
{{- if hasKey $read "Error" -}}
{{- fail (printf "defaultConfiguration.config.yaml: %s" $read.Error) -}}
{{- end -}}
{{- include "kobel.flatten" (dict "into" $found "prefix" "" "value" $read) -}}
{{- end -}}
{{- range $line := splitList "\n" (index $is "flink-conf.yaml") -}}
{{- $line = splitList "#" $line | first | trim -}}
{{- if $line -}}
{{- $pair := regexSplit ":\\s+" $line 2 -}}
{{- if ne (len $pair) 2 -}}
{{- fail (printf "defaultConfiguration.flink-conf.yaml: `%s` is not `key: value`" $line) -}}
{{- end -}}
{{- $_ := set $found (first $pair | trim) (last $pair | trim) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{- /* Puts nested YAML `into` flat keys; a list becomes one text, with semicolons between its elements, as Flink reads it. */ -}}
{{- define "kobel.flatten" -}}
{{- $is := . -}}
{{- range $key, $value := .value -}}
{{- $at := ternary $key (printf "%s.%s" $is.prefix $key) (empty $is.prefix) -}}
{{- if kindIs "map" $value -}}
{{- include "kobel.flatten" (dict "into" $is.into "prefix" $at "value" $value) -}}
{{- else if kindIs "slice" $value -}}
{{- $parts := list -}}
{{- range $part := $value -}}
{{- if or (kindIs "map" $part) (kindIs "slice" $part) -}}
{{- fail (printf "defaultConfiguration.config.yaml: `%s` holds more than texts and numbers" $at) -}}
{{- end -}}
{{- $parts = append $parts (include "kobel.scalar" $part) -}}
{{- end -}}
{{- $_ := set $is.into $at (join ";" $parts) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $is.into $at (include "kobel.scalar" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* A text as it is; a number without an exponent. */ -}}
{{- define "kobel.scalar" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}
