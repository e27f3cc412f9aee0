{{- /*
What the operator may do in a namespace that it looks after. Each rule says why it is there: a right that no line here
explains is one too many. There is none on Secrets: pods mount them by name, and the operator never looks.
*/ -}}
{{- define "kobel.operatorRules" -}}
# What is declared: watched, held by a finalizer; the two deployments of a blue/green pair and the snapshots of schedules
# and upgrades are made, changed and deleted by the operator itself.
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments, flinksessionjobs, flinkstatesnapshots, flinkbluegreendeployments]
  verbs: [get, list, watch, create, update, patch, delete]
# What the operator reports, which is also its memory.
- apiGroups: [flink.apache.org]
  resources:
    - flinkdeployments/status
    - flinksessionjobs/status
    - flinkstatesnapshots/status
    - flinkbluegreendeployments/status
  verbs: [get, update, patch]
# To be named as an owner that blocks deletion, where the cluster checks that (OwnerReferencesPermissionEnforcement).
- apiGroups: [flink.apache.org]
  resources:
    - flinkdeployments/finalizers
    - flinksessionjobs/finalizers
    - flinkstatesnapshots/finalizers
    - flinkbluegreendeployments/finalizers
  verbs: [update]
# Job managers, and task managers of standalone clusters.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, update, patch, delete]
# Services and ConfigMaps of a cluster are owned by the Deployment of its job manager.
- apiGroups: [apps]
  resources: [deployments/finalizers]
  verbs: [update]
# Configuration and pod template of a cluster; the metadata of high availability, which Flink writes and which outlives it.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, update, patch, delete]
# The REST API of a cluster, and the address of its job manager.
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, create, update, patch, delete]
# Why a cluster does not come up, and that all of it is gone before another starts.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# What happened is told as events; those of volumes say why a pod does not start.
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, create, update, patch]
{{- if .Values.rbac.ingressRule.create }}
# `spec.ingress`.
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, create, update, patch, delete]
{{- end }}
{{- if .Values.rbac.executionRolesRule.create }}
# `spec.executionRoleArn`: an account for job managers and one for task managers, with the role in AWS as an annotation, and
# what they may do in Kubernetes.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, create, patch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, create, patch]
# Without `escalate` and `bind` nobody gives more than they have. This is what is missing above of what a job manager gets.
- apiGroups: [""]
  resources: [pods]
  verbs: [create, patch, delete]
{{- end }}
{{- end -}}
