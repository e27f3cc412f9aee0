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

{{- /* A role of one namespace has another name than that of all: a binding cannot be bent from one kind to the other. */ -}}
{{- define "kobel.jobRole" -}}
{{- $name := printf "%s-%s" (include "kobel.clusterName" .) (ternary "jobs" "job" (not (empty .Values.watchNamespaces))) -}}
{{- default $name .Values.rbac.jobRole.name -}}
{{- end -}}

{{- define "kobel.jobRoleBinding" -}}
{{- default (include "kobel.jobRole" .) .Values.rbac.jobRoleBinding.name -}}
{{- end -}}

{{- /* Namespaces that get the account of jobs, as JSON. */ -}}
{{- define "kobel.jobNamespaces" -}}
{{- default (list .Release.Namespace) (default .Values.watchNamespaces .Values.jobNamespaces) | toJson -}}
{{- end -}}

{{- /* Whether one of several operators is elected that acts; empty if not. */ -}}
{{- define "kobel.elects" -}}
{{- if or .Values.leaderElection.create .Values.highAvailabilityEnabled (gt (int .Values.replicas) 1) -}}
true
{{- end -}}
{{- end -}}

{{- define "kobel.lease" -}}
{{- default (include "kobel.fullname" .) .Values.leaderElection.name -}}
{{- end -}}

{{- /*
How pods of the operator are replaced. An operator that takes part in no election acts until it is gone, so nobody may be
there beside it.
*/ -}}
{{- define "kobel.strategy" -}}
{{- $elects := include "kobel.elects" . -}}
{{- $there := lookup "apps/v1" "Deployment" .Release.Namespace (include "kobel.fullname" .) -}}
{{- $is := .Values.strategy.type -}}
{{- if and (eq $is "RollingUpdate") (not $elects) -}}
{{- fail "strategy.type: RollingUpdate needs `leaderElection.create: true`, or more than one of `replicas`" -}}
{{- end -}}
{{- if $is -}}
{{- $is -}}
{{- else if and $elects (or (empty $there) (contains "--lease=" (toJson $there))) -}}
RollingUpdate
{{- else -}}
Recreate
{{- end -}}
{{- end -}}

{{- /* Values of other charts that were set and mean nothing here, as JSON. */ -}}
{{- define "kobel.withoutEffect" -}}
{{- $found := list -}}
{{- $keys := list "jvmArgs" "tls" "postStart" "webhookSecurityContext" "prometheus" "kube-prometheus-stack" -}}
{{- range $key := concat $keys (list "metrics" "monitoringConfiguration") -}}
{{- if index $.Values $key }}{{- $found = append $found $key }}{{- end -}}
{{- end -}}
{{- if (default dict .Values.webhook).keystore }}{{- $found = append $found "webhook.keystore" }}{{- end -}}
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
