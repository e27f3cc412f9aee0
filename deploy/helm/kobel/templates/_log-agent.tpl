{{- /*
The container that ships the operator's own log. It stands beside the operator, so that it can still tell why that ended.
*/ -}}
{{- define "kobel.logAgent" -}}
{{- $limits := dig "sideCarResources" "limits" dict .Values.monitoringConfiguration -}}
- name: log-agent
  image: {{ default (include "kobel.image" .) .Values.monitoringConfiguration.image | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [kobel]
  args:
    - logship
    - --directory=/var/log/kobel
    - --configuration=/etc/kobel/monitoring/monitoring.yaml
    # The part of the path behind the pod's name, as EMR has it.
    - --component=operator
  env:
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    {{- with .Values.emrContainers.awsRegion }}
    - name: AWS_REGION
      value: {{ . }}
    {{- end }}
  resources:
    requests:
      cpu: 10m
      memory: 32Mi
    limits:
      memory: {{ default "512Mi" $limits.memoryLimit }}
      {{- with $limits.cpuLimit }}
      cpu: {{ . | quote }}
      {{- end }}
  securityContext:
    {{- toYaml .Values.operatorSecurityContext | nindent 4 }}
  volumeMounts:
    - name: log
      mountPath: /var/log/kobel
    - name: monitoring
      mountPath: /etc/kobel/monitoring
      readOnly: true
{{- end -}}
