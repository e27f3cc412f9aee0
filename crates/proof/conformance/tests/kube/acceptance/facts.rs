//! What each documented manifest is there to show: lines that must be among what is made of it, or with a `!` before
//! them the beginnings of lines that must not.

use kobel_conformance::acceptance::Way;
use kobel_model::deployment::{FlinkVersion, Mode};

const NATIVE: Way = Way { mode: Mode::Native, line: FlinkVersion::V1_20 };
const NEWEST: Way = Way { mode: Mode::Native, line: FlinkVersion::V2_3 };
const STANDALONE: Way = Way { mode: Mode::Standalone, line: FlinkVersion::V1_20 };
/// The line of the older releases of EMR.
const V1_17: Way = Way { mode: Mode::Native, line: FlinkVersion::V1_17 };
/// The line of the blueprints.
const V1_18: Way = Way { mode: Mode::Native, line: FlinkVersion::V1_18 };

/// What stands for a longer text in facts.
const SHORT: [(&str, &str); 8] = [
    ("<manager>", "Deployment orders: spec.template.spec"),
    ("<workers>", "Deployment orders-taskmanager: spec.template.spec"),
    ("<template>", "taskmanager-pod-template.yaml: spec"),
    ("<labels>", "Deployment orders: spec.template.metadata.labels"),
    ("<main>", "containers[flink-main-container]"),
    ("<claim>", "ephemeral.volumeClaimTemplate.spec"),
    ("<account>", "emr-containers-sa-flink-jobmanager-111122223333-4bemryealqgoqt85qfb9lx"),
    ("<worker-account>", "emr-containers-sa-flink-taskmanager-111122223333-4bemryealqgoqt85qfb9lx"),
];

/// A manifest, a way to run it, and what it is there to show.
pub(crate) type Facts = (&'static str, Way, &'static [&'static str]);

/// A fact with nothing cut short.
pub(crate) fn whole(fact: &str) -> String {
    SHORT.iter().fold(fact.to_owned(), |fact, (short, long)| fact.replace(short, long))
}

/// Everything that is said.
pub(crate) fn all() -> impl Iterator<Item = &'static Facts> {
    [APACHE, SESSIONS, ROBUST, TEMPLATES, PROGRAMS, END_TO_END, EMR, EMR_PROGRAMS, EMR_STATE, EMR_NODES, EMR_LOGS]
        .into_iter()
        .flatten()
}

/// The plain ones.
const APACHE: &[Facts] = &[
    (
        "apache/examples/basic.yaml",
        NATIVE,
        &[
            "Deployment orders: spec.replicas = 1",
            r#"Deployment orders: metadata.ownerReferences[orders].kind = "FlinkDeployment""#,
            r#"<manager>.serviceAccountName = "flink""#,
            r#"<manager>.<main>.image = "flink:1.20""#,
            r#"<manager>.<main>.args = ["bash","-c","kubernetes-jobmanager.sh kubernetes-application"]"#,
            r#"<manager>.<main>.startupProbe.httpGet.path = "/config""#,
            r#"<manager>.<main>.resources.requests.memory = "2048Mi""#,
            r#"<manager>.<main>.resources.limits.cpu = "1.0""#,
            "<manager>.securityContext.runAsNonRoot = true",
            "flink-conf.yaml | pipeline.jars: local:///opt/flink/examples/streaming/StateMachineExample.jar",
            "flink-conf.yaml | parallelism.default: 2",
            "flink-conf.yaml | taskmanager.numberOfTaskSlots: 2",
            "flink-conf.yaml | kubernetes.cluster-id: orders",
            r#"Service orders: spec.clusterIP = "None""#,
            r#"Service orders-rest: spec.type = "ClusterIP""#,
            "!Ingress",
            "!Deployment orders-taskmanager",
        ],
    ),
    (
        "apache/examples/basic.yaml",
        NEWEST,
        &[
            "config.yaml | taskmanager.numberOfTaskSlots: '2'",
            "config.yaml | '$internal.pipeline.job-id': '0a0b0c0d0e0f00000000000000000001'",
            "!flink-conf.yaml",
        ],
    ),
    (
        "apache/examples/basic.yaml",
        STANDALONE,
        &[
            r#"<manager>.<main>.args = ["standalone-job"]"#,
            // Two slots are one task manager.
            "Deployment orders-taskmanager: spec.replicas = 1",
            r#"<workers>.<main>.args = ["taskmanager","-D","taskmanager.resource-id=$(_POD_NAME)"]"#,
            "flink-conf.yaml | pipeline.classpaths: file:///opt/flink/examples/streaming/StateMachineExample.jar",
            "flink-conf.yaml | execution.target: remote",
            "!ConfigMap pod-template-orders",
        ],
    ),
    (
        "apache/examples/basic-ingress.yaml",
        NATIVE,
        &[
            r#"Ingress orders: spec.rules[0].host = "orders.team.flink.example.com""#,
            r#"Ingress orders: spec.rules[0].http.paths[0].backend.service.name = "orders-rest""#,
            "Ingress orders: spec.rules[0].http.paths[0].backend.service.port.number = 8081",
            "!Ingress orders: spec.ingressClassName",
        ],
    ),
    (
        "apache/examples/advanced-ingress.yaml",
        STANDALONE,
        &[
            r#"Ingress orders: spec.ingressClassName = "nginx""#,
            r#"Ingress orders: spec.rules[0].http.paths[0].path = "/team/orders(/|$)(.*)""#,
            r#"Ingress orders: metadata.annotations.nginx.ingress.kubernetes.io/rewrite-target = "/$2""#,
            "!Ingress orders: spec.rules[0].host",
        ],
    ),
    (
        "apache/examples/custom-logging.yaml",
        NATIVE,
        &[
            "log4j-console.properties | rootLogger.level = DEBUG",
            "log4j-console.properties | appender.file.fileName = ${sys:log.file}",
            // Nothing of what stands there unless the resource says it.
            "!log4j-console.properties | monitorInterval",
        ],
    ),
];

/// Session clusters.
const SESSIONS: &[Facts] = &[
    (
        "apache/examples/basic-session-deployment-only.yaml",
        NATIVE,
        &[
            r#"<manager>.<main>.args = ["bash","-c","kubernetes-jobmanager.sh kubernetes-session"]"#,
            "flink-conf.yaml | execution.target: kubernetes-session",
            "!flink-conf.yaml | $internal.pipeline.job-id",
            "!flink-conf.yaml | parallelism.default",
        ],
    ),
    (
        "apache/examples/basic-session-deployment-only.yaml",
        STANDALONE,
        &[r#"<manager>.<main>.args = ["jobmanager"]"#, "Deployment orders-taskmanager: spec.replicas = 1"],
    ),
    (
        "apache/examples/basic-session-deployment-and-job.yaml",
        NATIVE,
        &["flink-conf.yaml | execution.target: kubernetes-session", "!flink-conf.yaml | pipeline.jars"],
    ),
    (
        "apache/e2e/multi-sessionjob.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | execution.target: kubernetes-session",
            r#"<manager>.<main>.resources.requests.cpu = "0.5""#,
            r#"<manager>.<main>.resources.limits.cpu = "1.0""#,
        ],
    ),
    (
        "apache/e2e/sessionjob-cr.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | execution.target: kubernetes-session",
            "flink-conf.yaml | high-availability.type: kubernetes",
            "flink-conf.yaml | high-availability.storageDir: file:///opt/flink/volume/flink-ha",
            "flink-conf.yaml | high-availability.cluster-id: orders",
            r#"Ingress orders: spec.ingressClassName = "nginx""#,
            r#"<manager>.volumes[flink-volume].persistentVolumeClaim.claimName = "session-cluster-ha""#,
        ],
    ),
];

/// High availability, reactive mode, starts from a savepoint.
const ROBUST: &[Facts] = &[
    (
        "apache/examples/basic-checkpoint-ha.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | high-availability.type: kubernetes",
            "flink-conf.yaml | high-availability.storageDir: file:///flink-data/ha",
            "flink-conf.yaml | execution.checkpointing.dir: file:///flink-data/checkpoints",
            "flink-conf.yaml | execution.checkpointing.savepoint-dir: file:///flink-data/savepoints",
            // There must be a checkpoint to go on from.
            "flink-conf.yaml | execution.checkpointing.interval: 5 min",
            "flink-conf.yaml | job-result-store.storage-path: \
             file:///flink-data/ha/job-result-store/orders/f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            r#"<manager>.volumes[flink-volume].hostPath.path = "/tmp/flink""#,
            r#"<manager>.<main>.volumeMounts[/flink-data].name = "flink-volume""#,
            r#"<template>.volumes[flink-volume].hostPath.path = "/tmp/flink""#,
            r#"<template>.<main>.volumeMounts[/flink-data].name = "flink-volume""#,
            // Whoever leads is called by its own address.
            "!Service orders:",
        ],
    ),
    (
        "apache/examples/basic-reactive.yaml",
        STANDALONE,
        &[
            "flink-conf.yaml | scheduler-mode: REACTIVE",
            r#"<manager>.<main>.args = ["standalone-job","-D","jobmanager.rpc.address=$(_POD_IP_ADDRESS)"]"#,
            "Deployment orders-taskmanager: spec.replicas = 1",
            r#"<workers>.volumes[flink-volume].hostPath.path = "/tmp/flink""#,
        ],
    ),
    (
        "apache/examples/hpa/basic-hpa.yaml",
        STANDALONE,
        &["flink-conf.yaml | scheduler-mode: REACTIVE", "Deployment orders-taskmanager: spec.replicas = 1"],
    ),
    (
        "apache/examples/snapshot/job-from-savepoint.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | execution.state-recovery.path: \
             file:///flink-data/savepoints/savepoint-f1ab2c-0a1b2c3d4e5f",
            "flink-conf.yaml | execution.state-recovery.ignore-unclaimed-state: false",
        ],
    ),
    (
        "apache/examples/snapshot/job-from-savepoint.yaml",
        STANDALONE,
        &[concat!(
            r#"<manager>.<main>.args = ["standalone-job","--fromSavepoint","#,
            r#""file:///flink-data/savepoints/savepoint-f1ab2c-0a1b2c3d4e5f","#,
            r#""-D","jobmanager.rpc.address=$(_POD_IP_ADDRESS)"]"#
        )],
    ),
];

/// Templates of pods.
const TEMPLATES: &[Facts] = &[
    (
        "apache/examples/pod-template.yaml",
        NATIVE,
        &[
            "<manager>.initContainers = [artifacts-fetcher]",
            "<manager>.containers = [flink-main-container, log-agent]",
            // The second entry is not lost where a template has only the first.
            r#"<manager>.<main>.env[GREETING].value = "hello, job manager""#,
            r#"<manager>.<main>.env[NODE_NAME].valueFrom.fieldRef.fieldPath = "spec.nodeName""#,
            "!<manager>.<main>.env[NODE_NAME].value =",
            r#"<manager>.<main>.volumeMounts[/opt/flink/downloads].name = "downloads""#,
            "<manager>.containers[log-agent].securityContext.allowPrivilegeEscalation = false",
            "<template>.containers = [flink-main-container, log-agent]",
            r#"<template>.<main>.env[GREETING].value = "hello""#,
            // Only the job manager has been given one.
            "!<template>.initContainers",
        ],
    ),
    (
        "apache/examples/pod-template.yaml",
        STANDALONE,
        &["<workers>.containers = [flink-main-container, log-agent]", "!<workers>.initContainers"],
    ),
    (
        "apache/examples/flink-tls-example/basic-secure.yaml",
        NATIVE,
        &[
            r#"<manager>.<main>.env[STORE_PASSWORD].valueFrom.secretKeyRef.name = "store-password""#,
            r#"<template>.<main>.env[STORE_PASSWORD].valueFrom.secretKeyRef.key = "password""#,
            "!<manager>.<main>.env[STORE_PASSWORD].value =",
            r#"<manager>.<main>.volumeMounts[/opt/flink/tls-cert].name = "secure-cluster-cert-volume""#,
            r#"<manager>.volumes[secure-cluster-cert-volume].secret.secretName = "secure-cluster-cert""#,
            "flink-conf.yaml | security.ssl.enabled: true",
            "flink-conf.yaml | security.ssl.keystore: /opt/flink/tls-cert/keystore.jks",
        ],
    ),
    (
        "apache/examples/flink-tls-example/basic-secure-deployment-only.yaml",
        STANDALONE,
        &[
            r#"<manager>.<main>.args = ["jobmanager"]"#,
            r#"<workers>.<main>.env[STORE_PASSWORD].valueFrom.secretKeyRef.name = "store-password""#,
            r#"<workers>.<main>.volumeMounts[/opt/flink/tls-cert].name = "secure-cluster-cert-volume""#,
        ],
    ),
];

/// What runs, and how it is scaled.
const PROGRAMS: &[Facts] = &[
    (
        "apache/examples/autoscaling/autoscaling.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | jobmanager.scheduler: adaptive",
            "flink-conf.yaml | pipeline.max-parallelism: 24",
            "flink-conf.yaml | $internal.application.main: org.apache.flink.streaming.examples.AutoscalingExample",
            r#"<manager>.volumes[flink-volume].persistentVolumeClaim.claimName = "scales-itself""#,
            r#"<manager>.<main>.resources.requests.memory = "1024Mi""#,
            // The operator reads it, and nobody else.
            "!flink-conf.yaml | job.autoscaler.",
        ],
    ),
    (
        "apache/examples/autoscaling/autoscaling-dynamic.yaml",
        STANDALONE,
        &[
            concat!(
                r#"<manager>.<main>.args = ["standalone-job","--job-classname","#,
                r#""org.apache.flink.streaming.examples.AutoscalingExample","--","10","60"]"#
            ),
            "!flink-conf.yaml | high-availability",
            "!flink-conf.yaml | jobmanager.scheduler",
        ],
    ),
    (
        "apache/examples/flink-beam-example/beam-example.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | $internal.application.main: org.apache.beam.examples.WordCount",
            "flink-conf.yaml | $internal.application.program-args: --runner=FlinkRunner;--output=/tmp/counts",
        ],
    ),
    (
        "apache/examples/flink-python-example/python-example.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | $internal.application.main: org.apache.flink.client.python.PythonDriver",
            "flink-conf.yaml | $internal.application.program-args: \
             -pyclientexec;/usr/local/bin/python3;-py;/opt/flink/usrlib/demo.py",
            "flink-conf.yaml | pipeline.jars: local:///opt/flink/opt/flink-python-1.20.0.jar",
        ],
    ),
    (
        "apache/examples/flink-sql-runner-example/sql-example.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | pipeline.jars: local:///opt/flink/usrlib/sql-runner.jar",
            "flink-conf.yaml | $internal.application.program-args: /opt/flink/usrlib/sql-scripts/simple.sql",
            "!flink-conf.yaml | $internal.application.main",
        ],
    ),
];

/// What the end-to-end tests of the Apache operator run.
const END_TO_END: &[Facts] = &[
    (
        "apache/e2e/autoscaler.yaml",
        STANDALONE,
        &[
            // An argument may have lines.
            concat!(
                r#"<manager>.<main>.args = ["standalone-job","--job-classname","#,
                r#""org.apache.flink.streaming.examples.LoadSimulationPipeline","-D","#,
                r#""jobmanager.rpc.address=$(_POD_IP_ADDRESS)","--","--maxLoadPerTask","#,
                r#""1;2;4;8;16;\n16;8;4;2;1\n8;4;16;1;2","--repeatsAfterMinutes","60"]"#
            ),
            // So the configuration is in the format that has lines in values, though Flink 1.20 is given the older one else.
            "config.yaml | jobmanager.scheduler: 'adaptive'",
            "!config.yaml | job.autoscaler",
            "!flink-conf.yaml",
        ],
    ),
    (
        "apache/e2e/autoscaler.yaml",
        NATIVE,
        &[concat!(
            r#"config.yaml | '$internal.application.program-args': "--maxLoadPerTask;"#,
            r#"'1;2;4;8;16;\n16;8;4;2;1\n8;4;16;1;2';--repeatsAfterMinutes;60""#
        )],
    ),
    (
        "apache/e2e/autoscaler.yaml",
        NEWEST,
        &[concat!(
            r#"config.yaml | '$internal.application.program-args': "--maxLoadPerTask;"#,
            r#"'1;2;4;8;16;\n16;8;4;2;1\n8;4;16;1;2';--repeatsAfterMinutes;60""#
        )],
    ),
    (
        "apache/e2e/bluegreen-ingress.yaml",
        NATIVE,
        // The pair has it.
        &["<manager>.initContainers = [artifacts-fetcher]", "!Ingress"],
    ),
    (
        "apache/e2e/bluegreen-laststate.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | high-availability.storageDir: file:///opt/flink/volume/flink-ha",
            "flink-conf.yaml | execution.checkpointing.interval: 30s",
        ],
    ),
    (
        "apache/e2e/bluegreen-stateless.yaml",
        NATIVE,
        &[
            r#"<manager>.<main>.resources.limits.ephemeral-storage = "2048Mi""#,
            r#"<manager>.<main>.volumeMounts[/opt/flink/usrlib].name = "flink-artifact""#,
            "!flink-conf.yaml | high-availability",
        ],
    ),
    (
        "apache/e2e/flinkdep-batch-cr.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | execution.runtime-mode: BATCH",
            r#"<manager>.<main>.resources.requests.memory = "1024Mi""#,
            r#"<manager>.<main>.resources.requests.cpu = "0.5""#,
            r#"<manager>.<main>.resources.limits.cpu = "1.0""#,
            "!flink-conf.yaml | kubernetes.operator.",
        ],
    ),
    (
        "apache/e2e/flinkdep-cr.yaml",
        NATIVE,
        &[
            "<manager>.initContainers = [artifacts-fetcher]",
            "<template>.initContainers = [artifacts-fetcher]",
            r#"<manager>.volumes[flink-volume].persistentVolumeClaim.claimName = "state-machine""#,
            r#"<manager>.<main>.resources.requests.ephemeral-storage = "2048Mi""#,
            r#"<manager>.<main>.resources.requests.memory = "1024Mi""#,
            r#"Ingress orders: spec.rules[0].http.paths[0].path = "/team/orders(/|$)(.*)""#,
            "flink-conf.yaml | high-availability.type: kubernetes",
        ],
    ),
];

/// What EMR adds to a cluster: a role, a release, high availability.
const EMR: &[Facts] = &[
    (
        "emr/a01-application-ha-cloudwatch.yaml",
        NATIVE,
        &[
            "Deployment orders: spec.replicas = 2",
            "ServiceAccount <account>: metadata.annotations.eks.amazonaws.com/role-arn = \
             \"arn:aws:iam::111122223333:role/flink-job-role\"",
            r#"RoleBinding <account>: roleRef.name = "<account>""#,
            r#"<manager>.serviceAccountName = "<account>""#,
            "flink-conf.yaml | kubernetes.taskmanager.service-account: <worker-account>",
            r#"<manager>.<main>.image = "public.ecr.aws/emr-on-eks/flink/emr-6.13.0-flink:latest""#,
            "flink-conf.yaml | high-availability.type: kubernetes",
            "flink-conf.yaml | high-availability.storageDir: s3://example-bucket/jobmanager",
            "flink-conf.yaml | execution.checkpointing.dir: s3://example-bucket/checkpoints",
            "<manager>.initContainers = [kobel-logship]",
            concat!(
                r#"<manager>.initContainers[kobel-logship].args = ["logship","--directory=/var/log/flink/user","#,
                r#""--rotation-size=2147483648","--rotation-files=10","#,
                r#""--cloudwatch-group=/flink/applications"]"#
            ),
            "<template>.initContainers = [kobel-logship]",
            "Service orders-rest: spec.ports[rest].port = 8081",
        ],
    ),
    (
        "emr/a01-application-ha-cloudwatch.yaml",
        V1_17,
        &[
            "flink-conf.yaml | state.checkpoints.dir: s3://example-bucket/checkpoints",
            "!flink-conf.yaml | execution.checkpointing.dir",
            // The client of this line does not know containers that are started again by themselves.
            "<template>.containers = [flink-main-container, kobel-logship]",
            "!<template>.initContainers",
            "<manager>.initContainers = [kobel-logship]",
        ],
    ),
    (
        "emr/a01-application-ha-cloudwatch.yaml",
        NEWEST,
        &["config.yaml | application-result-store.storage-path: 's3://example-bucket/jobmanager/\
             application-result-store/orders/f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'"],
    ),
    (
        "emr/a02-session-cluster.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | execution.target: kubernetes-session",
            "Deployment orders: spec.replicas = 2",
            concat!(
                r#"<manager>.initContainers[kobel-logship].args = ["logship","--directory=/var/log/flink/user","#,
                r#""--rotation-size=2147483648","--rotation-files=10","#,
                r#""--s3=s3://example-bucket/logs","--cloudwatch-group=/flink/applications"]"#
            ),
        ],
    ),
    (
        "emr/a06-presto-checkpoints.yaml",
        NATIVE,
        &["flink-conf.yaml | execution.checkpointing.dir: s3p://example-bucket/flink-checkpoint/"],
    ),
    (
        "emr/a07-hadoop-s3.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | $internal.application.program-args: \
             --input;s3a://example-bucket/in.txt;--output;s3a://example-bucket/out",
            "flink-conf.yaml | fs.s3a.aws.credentials.provider: com.amazonaws.auth.WebIdentityTokenCredentialsProvider",
        ],
    ),
    (
        "emr/a08-job-ha.yaml",
        STANDALONE,
        &[
            "Deployment orders: spec.replicas = 2",
            r#"<manager>.<main>.args = ["standalone-job","-D","jobmanager.rpc.address=$(_POD_IP_ADDRESS)"]"#,
            "flink-conf.yaml | high-availability.cluster-id: orders",
            r#"<workers>.serviceAccountName = "<worker-account>""#,
        ],
    ),
    (
        "emr/a24-opt-in-region.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | fs.s3a.endpoint.region: ap-east-1",
            "flink-conf.yaml | fs.s3a.aws.credentials.provider: \
             software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
        ],
    ),
];

/// What runs there.
const EMR_PROGRAMS: &[Facts] = &[
    (
        "emr/a04-pyflink-from-s3.yaml",
        NATIVE,
        &[
            "Deployment orders: spec.replicas = 1",
            "<manager>.initContainers = [kobel-fetch]",
            concat!(
                r#"<manager>.initContainers[kobel-fetch].args = ["fetch","#,
                r#""s3://example-bucket/scripts/pyflink-script.py","/opt/flink/usrlib/pyflink-script.py"]"#
            ),
            r#"<manager>.<main>.volumeMounts[/opt/flink/usrlib/pyflink-script.py].subPath = "pyflink-script.py""#,
            "flink-conf.yaml | $internal.application.program-args: -py;/opt/flink/usrlib/pyflink-script.py",
            "!<template>.initContainers",
            "!flink-conf.yaml | high-availability",
        ],
    ),
    ("emr/a04-pyflink-from-s3.yaml", STANDALONE, &["<workers>.initContainers = [kobel-fetch]"]),
    (
        "emr/a05-pyflink-custom-image.yaml",
        NATIVE,
        &[
            r#"<manager>.<main>.image = "registry.example.com/pyflink:1""#,
            r#"<manager>.serviceAccountName = "flink""#,
            "flink-conf.yaml | $internal.application.program-args: \
             -pyclientexec;/usr/local/bin/python3;-py;/opt/flink/usrlib/pyflink-script.py",
            r#"<labels>.emr-containers.amazonaws.com/component = "flink.jobmanager""#,
            "!ServiceAccount",
            "!<manager>.initContainers",
        ],
    ),
    (
        "emr/a22-glue-sql.yaml",
        NATIVE,
        &["flink-conf.yaml | aws.glue.enabled: true", "<manager>.initContainers = [kobel-fetch]"],
    ),
    (
        "emr/a23-hudi-sql.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | hudi.enabled: true",
            "<manager>.initContainers = [fetch-script, fetch-jar]",
            "<template>.initContainers = [fetch-script, fetch-jar]",
            r#"<manager>.<main>.volumeMounts[/opt/flink/usrlib].name = "artifacts""#,
            r#"<manager>.<main>.volumeMounts[/opt/flink/scripts].name = "scripts""#,
            // The images of a release know as whom they run.
            "!<manager>.securityContext.runAsUser",
        ],
    ),
    (
        "emr/demo-cdc-pipeline.yaml",
        NATIVE,
        &[
            r#"<manager>.<main>.envFrom[0].secretRef.name = "cdc-credentials""#,
            r#"<manager>.volumes[cdc-script].configMap.name = "cdc-script""#,
            r#"<manager>.<main>.resources.limits.memory = "16384Mi""#,
            r#"Deployment orders: spec.template.metadata.annotations.karpenter.sh/do-not-disrupt = "true""#,
            r#"taskmanager-pod-template.yaml: metadata.annotations.karpenter.sh/do-not-disrupt = "true""#,
            "flink-conf.yaml | jobmanager.execution.failover-strategy: full",
        ],
    ),
    // Forty slots at four a task manager.
    ("emr/demo-cdc-pipeline.yaml", STANDALONE, &["Deployment orders-taskmanager: spec.replicas = 10"]),
];

/// State, and how soon it is there again.
const EMR_STATE: &[Facts] = &[
    (
        "emr/a10-task-local-recovery.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | state.backend: hasmap",
            "flink-conf.yaml | state.backend.local-recovery: true",
            "!<template>.volumes[local-recovery]",
        ],
    ),
    (
        "emr/a11-ebs-local-recovery.yaml",
        NATIVE,
        &[
            r#"<template>.volumes[local-recovery].<claim>.storageClassName = "ebs-sc""#,
            r#"<template>.volumes[local-recovery].<claim>.accessModes = ["ReadWriteOnce"]"#,
            r#"<template>.volumes[local-recovery].<claim>.resources.requests.storage = "10240Mi""#,
            r#"<template>.<main>.volumeMounts[/opt/flink/local-recovery].name = "local-recovery""#,
            "<template>.securityContext.fsGroup = 9999",
            "flink-conf.yaml | process.taskmanager.working-dir: /opt/flink/local-recovery",
            r#"<manager>.serviceAccountName = "emr-containers-sa-flink""#,
            // A job manager keeps nothing there.
            "!<manager>.volumes[local-recovery]",
            "!ServiceAccount",
        ],
    ),
    (
        "emr/a11-ebs-local-recovery.yaml",
        STANDALONE,
        &[
            r#"<workers>.volumes[local-recovery].<claim>.storageClassName = "ebs-sc""#,
            r#"<workers>.<main>.volumeMounts[/opt/flink/local-recovery].name = "local-recovery""#,
            "!<manager>.volumes[local-recovery]",
        ],
    ),
    (
        "emr/a12-changelog.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | state.backend.changelog.enabled: true",
            "flink-conf.yaml | state.backend.changelog.storage: filesystem",
            "flink-conf.yaml | dstl.dfs.base-path: s3://example-bucket/changelog",
        ],
    ),
    (
        "emr/a13-fine-grained-recovery.yaml",
        STANDALONE,
        &[
            "flink-conf.yaml | jobmanager.execution.failover-strategy: region",
            "flink-conf.yaml | restart-strategy: exponential-delay",
            "Deployment orders-taskmanager: spec.replicas = 2",
        ],
    ),
];

/// Nodes that go, and clusters that scale.
const EMR_NODES: &[Facts] = &[
    (
        "emr/a14-spot-decommission.yaml",
        NATIVE,
        &[
            r#"<manager>.nodeSelector.eks.amazonaws.com/capacityType = "ON_DEMAND""#,
            r#"<template>.nodeSelector.eks.amazonaws.com/capacityType = "SPOT""#,
            "flink-conf.yaml | cluster.taskmanager.graceful-decommission.enabled: true",
            "flink-conf.yaml | execution.checkpointing.interval: 240s",
            r#"<manager>.<main>.image = "flink:1.20""#,
            "Deployment orders: spec.replicas = 1",
        ],
    ),
    (
        "emr/a14-spot-decommission-in-full.yaml",
        STANDALONE,
        &[
            r#"<manager>.nodeSelector.eks.amazonaws.com/capacityType = "ON_DEMAND""#,
            r#"<workers>.nodeSelector.eks.amazonaws.com/capacityType = "SPOT""#,
            "flink-conf.yaml | jobmanager.scheduler: adaptive",
            "flink-conf.yaml | high-availability.storageDir: s3://example-bucket/jobmanager",
            "Deployment orders: spec.replicas = 2",
        ],
    ),
    (
        "emr/a15-autoscaler.yaml",
        NATIVE,
        &["flink-conf.yaml | pipeline.max-parallelism: 720", "!flink-conf.yaml | kubernetes.operator."],
    ),
    (
        "emr/a16-restart-time-tracking.yaml",
        NATIVE,
        &[
            "flink-conf.yaml | jobmanager.scheduler: adaptive",
            "flink-conf.yaml | pipeline.max-parallelism: 12",
            r#"<manager>.<main>.resources.limits.cpu = "0.5""#,
            r#"<manager>.<main>.resources.limits.memory = "1024Mi""#,
            "Deployment orders: spec.replicas = 1",
            // A directory alone does not switch it on.
            "!flink-conf.yaml | high-availability",
            "!flink-conf.yaml | job.autoscaler.",
        ],
    ),
    (
        "emr/a17-autotuning.yaml",
        NATIVE,
        &[
            "Deployment orders: spec.replicas = 1",
            "flink-conf.yaml | high-availability.type: kubernetes",
            "flink-conf.yaml | metrics.job.status.enable: TOTAL_TIME",
            "!flink-conf.yaml | kubernetes.operator.",
        ],
    ),
    (
        "emr/demo-autoscaler.yaml",
        NATIVE,
        &[
            "<manager>.initContainers = [kobel-fetch, kobel-logship]",
            "<template>.initContainers = [kobel-logship]",
            r#"<template>.volumes[local-recovery].<claim>.storageClassName = "ebs-sc""#,
            "flink-conf.yaml | execution.checkpointing.local-backup.enabled: true",
            "flink-conf.yaml | execution.state-recovery.from-local: true",
            "Deployment orders: spec.replicas = 1",
        ],
    ),
    (
        "emr/doeks-compute-optimized.yaml",
        STANDALONE,
        &[
            r#"<workers>.nodeSelector.kubernetes.io/arch = "amd64""#,
            r#"<workers>.tolerations[0].key = "flink""#,
            "Deployment orders-taskmanager: spec.replicas = 2",
            "flink-conf.yaml | parallelism.default: 4",
            r#"<workers>.volumes[local-recovery].<claim>.resources.requests.storage = "8192Mi""#,
        ],
    ),
    (
        "emr/doeks-graviton-memory-optimized.yaml",
        V1_18,
        &[
            r#"<manager>.nodeSelector.kubernetes.io/arch = "arm64""#,
            r#"<template>.nodeSelector.NodeGroupType = "FlinkGravitonMemoryOptimized""#,
            "flink-conf.yaml | state.backend.local-recovery: true",
        ],
    ),
];

/// Where logs go.
const EMR_LOGS: &[Facts] = &[
    (
        "emr/a18-log-archiving.yaml",
        NATIVE,
        &[
            r#"<manager>.<main>.image = "registry.example.com/flink:1""#,
            r#"<manager>.<main>.imagePullPolicy = "Always""#,
            r#"<manager>.<main>.env[FLINK_LOG_DIR].value = "/var/log/flink/user""#,
            r#"<manager>.initContainers[kobel-logship].restartPolicy = "Always""#,
            r#"<manager>.initContainers[kobel-logship].resources.limits.cpu = "500m""#,
            r#"<manager>.initContainers[kobel-logship].resources.limits.memory = "250Mi""#,
            concat!(
                r#"<manager>.initContainers[kobel-logship].args = ["logship","--directory=/var/log/flink/user","#,
                r#""--rotation-size=2147483648","--rotation-files=10","#,
                r#""--s3=s3://example-bucket/logs","--cloudwatch-group=/flink/applications","#,
                r#""--cloudwatch-prefix=application"]"#
            ),
            r#"<manager>.initContainers[kobel-logship].volumeMounts[/var/log/flink/user].name = "flink-logs""#,
            r#"<template>.<main>.volumeMounts[/var/log/flink/user].name = "flink-logs""#,
            "log4j-console.properties | appender.file.policies.size.size = 2147483648",
        ],
    ),
    (
        "emr/a20-custom-images.yaml",
        NATIVE,
        &[
            r#"<manager>.initContainers[kobel-logship].image = "registry.example.com/fluentd:1""#,
            // No release brings images with a user of their own.
            "<manager>.securityContext.runAsUser = 9999",
            r#"<manager>.serviceAccountName = "<account>""#,
            "Deployment orders: spec.replicas = 2",
        ],
    ),
    (
        "emr/a26-log-block-with-key.yaml",
        NATIVE,
        &[concat!(
            r#"<manager>.initContainers[kobel-logship].args = ["logship","--directory=/var/log/flink/user","#,
            r#""--rotation-size=2147483648","--rotation-files=10","#,
            r#""--s3=s3://example-bucket/logs","#,
            r#""--s3-encryption-key=arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab","#,
            r#""--cloudwatch-group=/flink/applications","--cloudwatch-prefix=application"]"#
        )],
    ),
];
