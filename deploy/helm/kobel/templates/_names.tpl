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
{{- $own := ternary (include "kobel.fullname" .) (include "kobel.clusterName" .) (not (empty .Values.watchNamespaces)) -}}
{{- default $own .Values.rbac.operatorRole.name -}}
{{- end -}}

{{- define "kobel.operatorRoleBinding" -}}
{{- default (include "kobel.operatorRole" .) .Values.rbac.operatorRoleBinding.name -}}
{{- end -}}

{{- /* The role of jobs as `Kind/name`. */ -}}
{{- define "kobel.jobRole" -}}
{{- if .Values.watchNamespaces -}}
Role/{{ default (printf "%s-job" (include "kobel.fullname" .)) .Values.rbac.jobRole.name }}
{{- else -}}
ClusterRole/{{ default (printf "%s-job" (include "kobel.clusterName" .)) .Values.rbac.jobRole.name }}
{{- end -}}
{{- end -}}

{{- define "kobel.jobRoleBinding" -}}
{{- default (include "kobel.jobRole" . | splitList "/" | last) .Values.rbac.jobRoleBinding.name -}}
{{- end -}}

{{- /* Namespaces that get the account of jobs, as JSON. */ -}}
{{- define "kobel.jobNamespaces" -}}
{{- if .Values.watchNamespaces -}}
{{- .Values.watchNamespaces | toJson -}}
{{- else -}}
{{- default (list .Release.Namespace) .Values.jobNamespaces | toJson -}}
{{- end -}}
{{- end -}}

{{- define "kobel.webhookService" -}}
{{- include "kobel.fullname" . }}-webhook
{{- end -}}

{{- define "kobel.webhookSecret" -}}
{{- include "kobel.fullname" . }}-webhook-certificate
{{- end -}}

{{- /* Empty, or the text `true`: whether the API server asks the operator at all. */ -}}
{{- define "kobel.hasWebhook" -}}
{{- if and .Values.webhook.create (or .Values.webhook.validator.create .Values.webhook.mutator.create) -}}true{{- end -}}
{{- end -}}

{{- /* Empty, or `true`: whether the operator makes the certificate. */ -}}
{{- define "kobel.ownCertificate" -}}
{{- if and (include "kobel.hasWebhook" .) (eq .Values.webhook.certificate "operator") -}}true{{- end -}}
{{- end -}}

{{- /* Empty, or `true`: whether there is a ConfigMap of defaults. */ -}}
{{- define "kobel.hasConfiguration" -}}
{{- $is := .Values.defaultConfiguration -}}
{{- if and $is.create (or (index $is "config.yaml") (index $is "flink-conf.yaml") (index $is "log4j-console.properties")) -}}
true
{{- end -}}
{{- end -}}

{{- /* Values of other charts that were set and mean nothing here, as JSON. */ -}}
{{- define "kobel.withoutEffect" -}}
{{- $found := list -}}
{{- range $key := list "jvmArgs" "tls" "postStart" "webhookSecurityContext" "prometheus" "kube-prometheus-stack" -}}
{{- if index $.Values $key }}{{- $found = append $found $key }}{{- end -}}
{{- end -}}
{{- if .Values.operatorPod.webhook }}{{- $found = append $found "operatorPod.webhook" }}{{- end -}}
{{- if .Values.webhook.keystore }}{{- $found = append $found "webhook.keystore" }}{{- end -}}
{{- if hasKey .Values.defaultConfiguration "append" }}{{- $found = append $found "defaultConfiguration.append" }}{{- end -}}
{{- if index .Values.defaultConfiguration "log4j-operator.properties" -}}
{{- $found = append $found "defaultConfiguration.log4j-operator.properties" -}}
{{- end -}}
{{- if .Values.emrContainers.emrReleaseLabel }}{{- $found = append $found "emrContainers.emrReleaseLabel" }}{{- end -}}
{{- if .Values.monitoringConfiguration.memoryBufferLimit -}}
{{- $found = append $found "monitoringConfiguration.memoryBufferLimit" -}}
{{- end -}}
{{- range $key := list "totalFileSize" "uploadTimeout" -}}
{{- if dig "s3MonitoringConfiguration" $key "" $.Values.monitoringConfiguration -}}
{{- $found = append $found (printf "monitoringConfiguration.s3MonitoringConfiguration.%s" $key) -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}
