//! Cases of the fields of a deployment that describe neither its job nor sizes.

#![cfg(test)]

use serde_json::json;

use super::{Case, boundary, invalid, valid};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = identity();
    cases.extend(aws());
    cases.extend(ingress());
    cases.extend(templates());
    cases.extend(configuration());
    cases.extend(monitoring());
    cases
}

fn identity() -> Vec<Case> {
    let longest = "a".repeat(253);
    let too_long = "a".repeat(254);
    vec![
        valid("image", json!("flink:1.20")),
        invalid("image", json!(5), &["spec.image: Invalid value: \"integer\""]),
        boundary("image", json!(" "), &["spec.image: Invalid value: \" \": must be text"]),
        valid("imagePullPolicy", json!("Always")),
        invalid("imagePullPolicy", json!("Sometimes"), &["spec.imagePullPolicy: Unsupported value: \"Sometimes\": "]),
        boundary("imagePullPolicy", json!("always"), &["spec.imagePullPolicy: Unsupported value: \"always\": "]),
        valid("serviceAccount", json!("emr-containers-sa-flink")),
        invalid("serviceAccount", json!("Flink"), &["spec.serviceAccount: Invalid value: \"Flink\": must be the name"]),
        invalid("serviceAccount", json!(null), &["spec.serviceAccount: Required value: the name of a service account"]),
        boundary("serviceAccount", json!(longest), &[]),
        boundary("serviceAccount", json!(too_long), &["spec.serviceAccount: Invalid value: \"aaa"]),
        boundary("serviceAccount", json!(""), &["spec.serviceAccount: Required value"]),
        valid("flinkVersion", json!("v2_2")),
        invalid("flinkVersion", json!("1.20"), &["spec.flinkVersion: Unsupported value: \"1.20\": supported values: "]),
        invalid("flinkVersion", json!(null), &["spec.flinkVersion: Required value: a version from `v1_15`"]),
        boundary("flinkVersion", json!("v1_15"), &[]),
        boundary(
            "flinkVersion",
            json!("v1_14"),
            &["spec.flinkVersion: Invalid value: \"v1_14\": must be `v1_15` or later"],
        ),
        valid("mode", json!("standalone")),
        invalid(
            "mode",
            json!("cluster"),
            &["spec.mode: Unsupported value: \"cluster\": supported values: \"native\", "],
        ),
        boundary("mode", json!(""), &["spec.mode: Unsupported value: \"\""]),
        valid("restartNonce", json!(7)),
        invalid("restartNonce", json!("7"), &["spec.restartNonce: Invalid value: \"string\""]),
        boundary("restartNonce", json!(i64::MAX), &[]),
        boundary("restartNonce", json!(i64::MIN), &[]),
    ]
}

fn aws() -> Vec<Case> {
    vec![
        valid("executionRoleArn", json!("arn:aws:iam::111122223333:role/path/job")),
        invalid("executionRoleArn", json!("job"), &["spec.executionRoleArn: Invalid value: \"job\": must be the ARN"]),
        boundary("executionRoleArn", json!("arn:aws-cn:iam::111122223333:role/a"), &[]),
        boundary(
            "executionRoleArn",
            json!("arn:aws:iam::11112222333:role/a"),
            &["spec.executionRoleArn: Invalid value: "],
        ),
        invalid(
            "emrReleaseLabel",
            json!("emr-7.12-flink-latest"),
            &[
                "spec.emrReleaseLabel: Invalid value: \"emr-7.12-flink-latest\": must be `emr-X.Y.Z-flink-latest`",
                "spec.jobManager.storageDir: Required value: a directory in S3",
            ],
        ),
        valid("jobManager/highAvailabilityEnabled", json!(false)),
        invalid(
            "jobManager/highAvailabilityEnabled",
            json!("yes"),
            &["spec.jobManager.highAvailabilityEnabled: Invalid value: \"string\""],
        ),
        boundary(
            "jobManager/highAvailabilityEnabled",
            json!(true),
            &["spec.jobManager.storageDir: Required value: a directory in S3 for high availability"],
        ),
        valid("jobManager/storageDir", json!("s3://bucket/ha")),
        invalid(
            "jobManager/storageDir",
            json!("/tmp/ha"),
            &["spec.jobManager.storageDir: Invalid value: \"/tmp/ha\": "],
        ),
        invalid("jobManager/storageDir", json!("hdfs://a/b"), &["spec.jobManager.storageDir: Invalid value: "]),
        boundary("jobManager/storageDir", json!("s3p://b"), &[]),
        boundary(
            "jobManager/storageDir",
            json!("s3a:///b"),
            &["spec.jobManager.storageDir: Invalid value: \"s3a:///b\""],
        ),
        valid("emrReleaseLabel", json!("emr-7.12.0-flink-latest")).also("jobManager/storageDir", json!("s3://b/ha")),
        boundary("emrReleaseLabel", json!("emr-7.12.0-flink-20251111"), &[])
            .also("jobManager/storageDir", json!("s3://b/ha")),
    ]
}

/// The fields of an ingress; a pair of deployments has one too.
pub(super) fn ingress() -> Vec<Case> {
    let tls = |value: serde_json::Value| json!({"template": "{{name}}.example.com", "tls": [value]});
    vec![
        valid("ingress/template", json!("{{name}}.{{namespace}}.flink.example.com")),
        valid("ingress/template", json!("flink.example.com/{{Namespace}}/{{NAME}}(/|$)(.*)")),
        invalid(
            "ingress/template",
            json!("{{host}}"),
            &["spec.ingress.template: Invalid value: \"{{host}}\": must be a "],
        ),
        invalid("ingress/template", json!("a b.com"), &["spec.ingress.template: Invalid value: \"a b.com\""]),
        boundary("ingress/template", json!("/{{namespace}}/{{name}}"), &[]),
        boundary("ingress/template", json!(""), &["spec.ingress.template: Required value: a host"]),
        boundary("ingress/template", json!("example.com:65536"), &["spec.ingress.template: Invalid value: "]),
        valid("ingress", json!({"template": "a.b", "className": "nginx"})).covers("ingress/className"),
        invalid("ingress", json!({"template": "a.b", "className": 1}), &["spec.ingress.className: Invalid value: "])
            .covers("ingress/className"),
        boundary("ingress", json!({"template": "a.b", "className": ""}), &[]).covers("ingress/className"),
        valid("ingress", json!({"template": "a.b", "annotations": {"x.io/y": "z"}})).covers("ingress/annotations"),
        invalid(
            "ingress",
            json!({"template": "a.b", "annotations": {"x": 1}}),
            &["spec.ingress.annotations.x: Invalid"],
        )
        .covers("ingress/annotations"),
        boundary("ingress", json!({"template": "a.b", "annotations": {}}), &[]).covers("ingress/annotations"),
        valid("ingress", json!({"template": "a.b", "labels": {"x": "z"}})).covers("ingress/labels"),
        invalid(
            "ingress",
            json!({"template": "a.b", "labels": []}),
            &["spec.ingress.labels: Invalid value: \"array\""],
        )
        .covers("ingress/labels"),
        boundary("ingress", json!({"template": "a.b", "labels": {}}), &[]).covers("ingress/labels"),
        valid("ingress", tls(json!({"hosts": ["a.b"]}))).covers("ingress/tls/0/hosts"),
        invalid("ingress", tls(json!({"hosts": [1]})), &["spec.ingress.tls[0].hosts[0]: Invalid value: \"integer\""])
            .covers("ingress/tls/0/hosts"),
        boundary("ingress", tls(json!({"hosts": []})), &[]).covers("ingress/tls/0/hosts"),
        valid("ingress", tls(json!({"secretName": "cert"}))).covers("ingress/tls/0/secretName"),
        invalid("ingress", tls(json!({"secretName": 1})), &["spec.ingress.tls[0].secretName: Invalid value: "])
            .covers("ingress/tls/0/secretName"),
        boundary("ingress", tls(json!({"secretName": ""})), &[]).covers("ingress/tls/0/secretName"),
    ]
}

fn templates() -> Vec<Case> {
    vec![
        valid("podTemplate", json!({"spec": {"initContainers": [{"name": "fetch"}]}})),
        invalid("podTemplate", json!("x"), &["spec.podTemplate: Invalid value: \"string\""]),
        boundary("podTemplate", json!({}), &[]),
        valid("jobManager/podTemplate", json!({"spec": {"nodeSelector": {"a": "b"}}})),
        invalid("jobManager/podTemplate", json!([]), &["spec.jobManager.podTemplate: Invalid value: \"array\""]),
        boundary("jobManager/podTemplate", json!({"spec": {}}), &[]),
        valid("taskManager/podTemplate", json!({"spec": {"containers": [{"name": "flink-main-container"}]}})),
        invalid(
            "taskManager/podTemplate",
            json!({"spec": {"hostNetwork": true}}),
            &["spec.taskManager.podTemplate.spec.hostNetwork: Invalid value: true: must be `false` or absent"],
        ),
        boundary("taskManager/podTemplate", json!({"spec": {"hostNetwork": false}}), &[]),
        valid("jobManager/nodeSelector", json!({"eks.amazonaws.com/capacityType": "ON_DEMAND"})),
        invalid("jobManager/nodeSelector", json!({"a": 1}), &["spec.jobManager.nodeSelector.a: Invalid value: "]),
        boundary("jobManager/nodeSelector", json!({}), &[]),
        valid("taskManager/nodeSelector", json!({"eks.amazonaws.com/capacityType": "SPOT"})),
        invalid(
            "taskManager/nodeSelector",
            json!("SPOT"),
            &["spec.taskManager.nodeSelector: Invalid value: \"string\""],
        ),
        boundary("taskManager/nodeSelector", json!({}), &[]),
        valid("logConfiguration", json!({"log4j-console.properties": "rootLogger.level = INFO"})),
        invalid(
            "logConfiguration",
            json!({"log4j.properties": ""}),
            &["spec.logConfiguration: Unsupported value: \"log4j.properties\": supported values: \"log4j-console"],
        ),
        boundary("logConfiguration", json!({"logback-console.xml": ""}), &[]),
    ]
}

fn configuration() -> Vec<Case> {
    vec![
        valid("flinkConfiguration/my.own.key", json!("kept")).covers("flinkConfiguration"),
        valid("flinkConfiguration/execution", json!({"checkpointing": {"interval": "1min"}})),
        invalid("flinkConfiguration", json!("x"), &["spec.flinkConfiguration: Invalid value: \"string\""]),
        invalid(
            "flinkConfiguration/parallelism.default",
            json!(0),
            &["spec.flinkConfiguration[parallelism.default]: Invalid value: \"0\": must be a whole number from 1 to"],
        ),
        invalid(
            "flinkConfiguration/execution",
            json!({"checkpointing": {"interval": 0}}),
            &["spec.flinkConfiguration[execution.checkpointing.interval]: Invalid value: \"0\": must be a duration"],
        ),
        invalid(
            "flinkConfiguration/pipeline.max-parallelism",
            json!(2_147_483_648_u64),
            &["spec.flinkConfiguration[pipeline.max-parallelism]: Invalid value: \"2147483648\": must be"],
        ),
        invalid(
            "flinkConfiguration/kubernetes.cluster-id",
            json!("other"),
            &["spec.flinkConfiguration[kubernetes.cluster-id]: Forbidden: is set by the operator"],
        ),
        invalid(
            "flinkConfiguration/kubernetes.operator.job.restart.failed",
            json!("maybe"),
            &["spec.flinkConfiguration[kubernetes.operator.job.restart.failed]: Invalid value: \"maybe\": must be `t"],
        ),
        boundary("flinkConfiguration/parallelism.default", json!(32768), &[]).covers("flinkConfiguration"),
        boundary("flinkConfiguration/list", json!([1, true, "x"]), &[]),
        boundary(
            "flinkConfiguration/list",
            json!([[1]]),
            &["spec.flinkConfiguration[list]: Invalid value: null: must be text"],
        ),
    ]
}

fn monitoring() -> Vec<Case> {
    let s3 = "monitoringConfiguration/s3MonitoringConfiguration";
    let group = "monitoringConfiguration/cloudWatchMonitoringConfiguration/logGroupName";
    let stream = "monitoringConfiguration/cloudWatchMonitoringConfiguration";
    let stream_field = "monitoringConfiguration/cloudWatchMonitoringConfiguration/logStreamNamePrefix";
    let key = "monitoringConfiguration/s3MonitoringConfiguration/encryptionKeyArn";
    let uri = "monitoringConfiguration/s3MonitoringConfiguration/logUri";
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/0a1b";
    vec![
        valid("monitoringConfiguration/image", json!("fluentd:1")),
        invalid("monitoringConfiguration/image", json!(1), &["spec.monitoringConfiguration.image: Invalid value: "]),
        boundary("monitoringConfiguration/image", json!(""), &["spec.monitoringConfiguration.image: Invalid value: "]),
        valid(uri, json!("s3://bucket/logs")),
        invalid(uri, json!("https://bucket/logs"), &["spec.monitoringConfiguration.s3MonitoringConfiguration.logUri:"]),
        boundary(uri, json!("bucket"), &[]),
        boundary(uri, json!(""), &["spec.monitoringConfiguration.s3MonitoringConfiguration.logUri: Required value: a"]),
        valid(s3, json!({"logUri": "b/l", "encryptionKeyArn": arn})).covers(key),
        invalid(
            s3,
            json!({"logUri": "b/l", "encryptionKeyArn": "0a1b"}),
            &["spec.monitoringConfiguration.s3MonitoringConfiguration.encryptionKeyArn: Invalid value: \"0a1b\": must"],
        )
        .covers(key),
        boundary(
            s3,
            json!({"logUri": "b/l", "encryptionKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/"}),
            &["spec.monitoringConfiguration.s3MonitoringConfiguration.encryptionKeyArn: Invalid value: "],
        )
        .covers(key),
        valid(group, json!("/aws/emr-flink/team-a")),
        invalid(group, json!("a b"), &["spec.monitoringConfiguration.cloudWatchMonitoringConfiguration.logGroupName:"]),
        boundary(group, json!("g".repeat(512)), &[]),
        boundary(
            group,
            json!("g".repeat(513)),
            &["spec.monitoringConfiguration.cloudWatchMonitoringConfiguration.logGroupName: Invalid value: \"ggg"],
        ),
        valid(stream, json!({"logGroupName": "g", "logStreamNamePrefix": "p"})).covers(stream_field),
        invalid(
            stream,
            json!({"logGroupName": "g", "logStreamNamePrefix": "a:b"}),
            &["spec.monitoringConfiguration.cloudWatchMonitoringConfiguration.logStreamNamePrefix: Invalid value: "],
        )
        .covers(stream_field),
        boundary(stream, json!({"logGroupName": "g", "logStreamNamePrefix": ""}), &[]).covers(stream_field),
    ]
}
