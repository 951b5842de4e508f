{{- define "postern.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* At most 54 characters, so that the longest suffix still fits. */ -}}
{{- define "postern.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "postern.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "postern.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- /* What belongs to no namespace has the namespace in its name: releases of one name in two namespaces don't meet. */ -}}
{{- define "postern.clusterName" -}}
{{- $namespace := include "postern.namespace" . -}}
{{- $fullname := include "postern.fullname" . -}}
{{- if eq $namespace $fullname -}}{{ $fullname }}{{- else -}}{{ printf "%s-%s" $namespace $fullname }}{{- end -}}
{{- end -}}

{{- define "postern.selectorLabels" -}}
app.kubernetes.io/name: {{ include "postern.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Labels of every object. Call with (dict "root" $ "labels" more). */ -}}
{{- define "postern.labels" -}}
{{- $own := include "postern.selectorLabels" .root | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" (.root.Chart.AppVersion | toString) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "postern" -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- toYaml (merge $own (.labels | default dict) .root.Values.commonLabels) -}}
{{- end -}}

{{- /* metadata of a namespaced object. Call with (dict "root" $ "name" name "labels" more "annotations" more "namespace" other). */ -}}
{{- define "postern.metadata" -}}
name: {{ .name }}
namespace: {{ .namespace | default (include "postern.namespace" .root) }}
labels: {{- include "postern.labels" (dict "root" .root "labels" .labels) | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "postern.clusterMetadata" -}}
name: {{ .name }}
labels: {{- include "postern.labels" (dict "root" .root "labels" .labels) | nindent 2 }}
{{- with .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "postern.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "postern.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "postern.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- $repository := .Values.image.repository -}}
{{- $name := ternary (printf "%s/%s" $registry $repository) $repository (ne $registry "") -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag | toString) -}}
{{- end -}}
{{- end -}}

{{- define "postern.pullSecrets" -}}
{{- with concat .Values.imagePullSecrets .Values.global.imagePullSecrets | uniq -}}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "postern.keysSecret" -}}
{{- default (printf "%s-keys" (include "postern.fullname" .)) .Values.sessions.keysSecret -}}
{{- end -}}

{{- define "postern.leaseName" -}}
{{- if .Values.controller.leaseName -}}
{{- .Values.controller.leaseName -}}
{{- else if eq .Values.controller.className "postern" -}}
postern
{{- else -}}
{{- printf "postern-%s" .Values.controller.className -}}
{{- end -}}
{{- end -}}

{{- define "postern.gracePeriod" -}}
{{- $needed := add .Values.shutdown.graceSeconds .Values.shutdown.drainSeconds | int -}}
{{- $given := .Values.terminationGracePeriodSeconds -}}
{{- if kindIs "invalid" $given -}}
{{- add $needed 10 -}}
{{- else if lt (int $given) $needed -}}
{{- fail (printf "terminationGracePeriodSeconds is %d, less than shutdown.graceSeconds and shutdown.drainSeconds together (%d): requests under way would be cut. Write %d or more." (int $given) $needed (add $needed 10)) -}}
{{- else -}}
{{- int $given -}}
{{- end -}}
{{- end -}}

{{- define "postern.args" -}}
{{- if and .Values.controller.defaultCertificate (not .Values.controller.https.enabled) -}}
{{- fail "controller.defaultCertificate is there, but controller.https.enabled is false and nobody would be shown a certificate: leave one of the two." -}}
{{- end -}}
{{- $c := .Values.controller -}}
{{- if and (or $c.https.hsts $c.https.sessionTickets (has "https" $c.proxyProtocol)) (not $c.https.enabled) -}}
{{- fail "controller.https.enabled is false, but hsts, sessionTickets or proxyProtocol https is there, which are of that listener: leave them out." -}}
{{- end -}}
{{- if and $c.proxyProtocol (not $c.trustedProxies) -}}
{{- fail "controller.proxyProtocol is there, but nobody may say who the client is: write controller.trustedProxies too, the CIDRs of the load balancers." -}}
{{- end -}}
- serve
- --kubernetes
- --class={{ $c.className }}
{{- with $c.watchNamespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- if $c.hostOwners }}
{{- $owners := list }}
{{- range $c.hostOwners }}{{ $owners = append $owners (printf "%s=%s" .host .namespace) }}{{ end }}
- {{ printf "--host-owner=%s" (join "," $owners) | quote }}
{{- end }}
- --url-backends={{ join "," $c.urlBackends }}
- --provider-addresses={{ join "," $c.providerAddresses }}
- --cluster-domain={{ $c.clusterDomain }}
- --keys-secret={{ include "postern.keysSecret" . }}
- {{ printf "--listen=%s:8080" $c.bindAddress | quote }}
{{- if $c.https.enabled }}
- {{ printf "--listen-https=%s:8443" $c.bindAddress | quote }}
- --http2={{ ternary "on" "off" $c.https.http2 }}
- --plain-http={{ $c.https.plainHttp }}
{{- with $c.https.hsts }}
- {{ printf "--hsts=%s" . | quote }}
{{- end }}
{{- if $c.https.sessionTickets }}
- --tls-session-tickets=on
{{- end }}
{{- else }}
- --listen-https=off
{{- end }}
- {{ printf "--admin=%s:%d" $c.bindAddress (int .Values.admin.port) | quote }}
{{- with $c.defaultCertificate }}
- --default-certificate={{ . }}
{{- end }}
{{- with $c.trustedProxies }}
- --trusted-proxies={{ join "," . }}
{{- end }}
{{- with $c.proxyProtocol }}
- --proxy-protocol={{ join "," . }}
{{- end }}
{{- if $c.forwardedHeader }}
- --forwarded-header=on
{{- end }}
{{- with $c.healthPath }}
- --health-path={{ . }}
{{- end }}
- --external-scheme={{ $c.externalScheme }}
- --external-port={{ kindIs "invalid" $c.externalPort | ternary (eq $c.externalScheme "https" | ternary 443 80) $c.externalPort | int }}
{{- with $c.identityHeaders }}
- {{ printf "--identity-headers=%s" (join "," .) | quote }}
{{- end }}
{{- if .Values.limits }}
{{- $limits := list }}
{{- range $name, $value := .Values.limits }}{{ $limits = append $limits (printf "%s=%s" $name (kindIs "string" $value | ternary (toString $value) (int64 $value | toString))) }}{{ end }}
- --limits={{ join "," $limits }}
{{- end }}
- --leader-election={{ $c.leaderElection | ternary "on" "off" }}
- --lease={{ include "postern.leaseName" . }}
- --status-writes={{ int $c.statusWrites }}
- --log-level={{ $c.logLevel }}
- --log-format={{ $c.logFormat }}
- --grace={{ int .Values.shutdown.graceSeconds }}s
- --drain={{ int .Values.shutdown.drainSeconds }}s
{{- range $c.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* The API server refuses two variables of one name where objects are applied by the server, as Helm 4 does it. */ -}}
{{- define "postern.env" -}}
{{- $own := list "POSTERN_POD_NAME" "POSTERN_POD_NAMESPACE" -}}
{{- range .Values.extraEnv }}
{{- if has .name $own -}}
{{- fail (printf "extraEnv: %s is there twice, or is one that the chart sets itself: leave one out." .name) -}}
{{- end -}}
{{- $own = append $own .name -}}
{{- end -}}
- name: POSTERN_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POSTERN_POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "postern.topologySpread" -}}
{{- $selector := include "postern.selectorLabels" . | fromYaml -}}
{{- $all := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $one := deepCopy . -}}
{{- if not (hasKey $one "labelSelector") -}}
{{- $_ := set $one "labelSelector" (dict "matchLabels" $selector) -}}
{{- end -}}
{{- $all = append $all $one -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{- define "postern.needsPrometheusOperator" -}}
{{- if not (or .root.Values.metrics.disableAPICheck (.root.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- fail (printf "%s is true, but the cluster has no kinds of monitoring.coreos.com/v1: install the Prometheus operator first, or set metrics.disableAPICheck to true where it is certain that they are there." .value) -}}
{{- end -}}
{{- end -}}
