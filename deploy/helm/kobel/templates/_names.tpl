{{- /* Names, labels, and what several templates ask. */ -}}

{{- define "kobel.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Of objects without a namespace: two releases in two namespaces must not meet. */ -}}
{{- define "kobel.clusterName" -}}
{{- printf "%s-%s" (include "kobel.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "kobel.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "kobel.labels" -}}
{{ include "kobel.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kobel.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "kobel.operatorAccount" -}}
{{- default (include "kobel.fullname" .) .Values.operatorServiceAccount.name -}}
{{- end -}}

{{- define "kobel.operatorRole" -}}
{{- default (include "kobel.clusterName" .) .Values.rbac.operatorRole.name -}}
{{- end -}}

{{- define "kobel.operatorRoleBinding" -}}
{{- default (include "kobel.operatorRole" .) .Values.rbac.operatorRoleBinding.name -}}
{{- end -}}

{{- define "kobel.jobRole" -}}
{{- default (printf "%s-job" (include "kobel.clusterName" .)) .Values.rbac.jobRole.name -}}
{{- end -}}

{{- define "kobel.jobRoleBinding" -}}
{{- default (include "kobel.jobRole" .) .Values.rbac.jobRoleBinding.name -}}
{{- end -}}

{{- /* Namespaces that get the account of jobs, as JSON. */ -}}
{{- define "kobel.jobNamespaces" -}}
{{- default (list .Release.Namespace) .Values.jobNamespaces | toJson -}}
{{- end -}}

{{- /* Values of other charts that were set and mean nothing here, as JSON. */ -}}
{{- define "kobel.withoutEffect" -}}
{{- $found := list -}}
{{- $keys := list "jvmArgs" "tls" "postStart" "webhookSecurityContext" "prometheus" "kube-prometheus-stack" -}}
{{- range $key := concat $keys (list "webhook" "metrics" "highAvailabilityEnabled" "monitoringConfiguration") -}}
{{- if index $.Values $key }}{{- $found = append $found $key }}{{- end -}}
{{- end -}}
{{- if .Values.operatorPod.webhook }}{{- $found = append $found "operatorPod.webhook" }}{{- end -}}
{{- if hasKey .Values.defaultConfiguration "append" }}{{- $found = append $found "defaultConfiguration.append" }}{{- end -}}
{{- range $key := list "log4j-operator.properties" "log4j-console.properties" -}}
{{- if index $.Values.defaultConfiguration $key }}{{- $found = append $found (printf "defaultConfiguration.%s" $key) }}{{- end -}}
{{- end -}}
{{- range $key := list "awsRegion" "emrReleaseLabel" -}}
{{- if index $.Values.emrContainers $key }}{{- $found = append $found (printf "emrContainers.%s" $key) }}{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}
