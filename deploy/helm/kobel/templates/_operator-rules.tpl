{{- /*
What the operator may do. Each rule is a call of the control loop, and there is none besides: what is declared is watched,
held by a finalizer (patch) and reported on (status); a blue/green pair makes, changes and deletes deployments and snapshots;
objects are applied (create, patch), and what is not owned is deleted; `finalizers` is the right to be an owner that blocks
deletion, where the cluster checks that. Nothing is said of Secrets: pods mount them by name, and the operator never looks.

For `spec.executionRoleArn` accounts and roles are made. Nobody gives more rights than they have, so the operator needs what
a job manager gets.
*/ -}}
{{- define "kobel.operatorRules" -}}
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [flink.apache.org]
  resources: [flinksessionjobs]
  verbs: [get, list, watch, patch]
- apiGroups: [flink.apache.org]
  resources: [flinkstatesnapshots]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [flink.apache.org]
  resources: [flinkbluegreendeployments]
  verbs: [get, list, watch]
- apiGroups: [flink.apache.org]
  resources:
    - flinkdeployments/status
    - flinksessionjobs/status
    - flinkstatesnapshots/status
    - flinkbluegreendeployments/status
  verbs: [update]
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- if .Values.rbac.ingressRule.create }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, create, patch, delete]
{{- end }}
{{- if .Values.rbac.executionRolesRule.create }}
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [create, patch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [watch, update]
- apiGroups: [""]
  resources: [services]
  verbs: [get, update]
{{- end }}
{{- end -}}
