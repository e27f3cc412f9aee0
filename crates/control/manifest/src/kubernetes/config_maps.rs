//! What the pods read: the configuration with that of the log, and the template of the pods that Flink asks for itself.
//!
//! A configuration stands here as it was written, also what is secret in it: so does Flink's own client put it.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkConfMountDecorator`; Apache Flink 1.20 and 2.2,
//! `PodTemplateMountDecorator`, `log4j-console.properties`.

use std::collections::BTreeMap;

use kobel_model::deployment::{Cluster, FlinkVersion, Mode};
use serde_json::{Value, json};

use super::start::Start;
use super::template;
use crate::configuration::Configuration;
use crate::logging::{LOG4J, LOGBACK};
use crate::yaml::Format;

/// The key of the template of a task manager's pod, which is the name of its file.
pub const TEMPLATE: &str = "taskmanager-pod-template.yaml";
/// The oldest line that is given YAML. Those since 1.19 would read it, but images that they come in may not.
const YAML_SINCE: FlinkVersion = FlinkVersion::V2_0;
/// What keys begin with that only an operator reads.
const OF_OPERATOR: [&str; 3] = ["job.autoscaler.", "kobel.", "kubernetes.operator."];
/// Keys that mean something only where a cluster is deployed from, or would bind a pod to the wrong address.
const OF_CLIENT: [&str; 6] = [
    "$internal.deployment.config-dir",
    "jobmanager.bind-host",
    "kubernetes.config.file",
    "rest.bind-address",
    "taskmanager.bind-host",
    "taskmanager.host",
];
/// How large a file of the log grows, unless the spec says it.
const ROTATION_SIZE: &str = "100MB";
/// How many files of the log are kept, unless the spec says it; Flink's scripts set the variable from `env.log.max`.
const FILES: &str = "${env:MAX_LOG_FILE_NUMBER:-10}";
/// Loggers whose level is not the one of the root.
const LOGGERS: [(&str, &str, &str); 6] = [
    ("akka", "akka", "INFO"),
    ("hadoop", "org.apache.hadoop", "INFO"),
    ("kafka", "org.apache.kafka", "INFO"),
    ("netty", "org.jboss.netty.channel.DefaultChannelPipeline", "OFF"),
    ("pekko", "org.apache.pekko", "INFO"),
    ("zookeeper", "org.apache.zookeeper", "INFO"),
];

/// The name of the object with the configuration.
pub fn configuration_name(start: &Start<'_>) -> String {
    format!("flink-config-{}", start.name())
}

/// The name of the object with the template of a task manager's pod.
pub fn template_name(start: &Start<'_>) -> String {
    format!("pod-template-{}", start.name())
}

/// The files of the configuration, by name.
pub fn files(start: &Start<'_>, configuration: &Configuration) -> BTreeMap<&'static str, String> {
    let cluster = &start.deployment.cluster;
    let format = if cluster.flink_version < YAML_SINCE { Format::Flat } else { Format::Standard };
    let own = &cluster.log_configuration;
    let log4j = own.get(LOG4J).cloned().unwrap_or_else(|| log4j(cluster));
    let mut files = BTreeMap::from([(format.file_name(), format.print(&of_cluster(configuration))), (LOG4J, log4j)]);
    files.extend(own.get(LOGBACK).map(|text| (LOGBACK, text.clone())));
    files
}

/// The objects; the Deployment of the job manager has this uid.
pub fn objects(start: &Start<'_>, configuration: &Configuration, manager_uid: &str) -> Vec<Value> {
    let object = |name: String, data: BTreeMap<&'static str, String>| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": start.namespace(),
                "labels": start.labels(),
                "ownerReferences": [start.manager_owner(manager_uid)],
            },
            "data": data,
        })
    };
    let mut objects = vec![object(configuration_name(start), files(start, configuration))];
    // Nobody asks for pods by themselves in standalone mode.
    let is_native = start.deployment.cluster.mode == Mode::Native;
    let template = is_native.then(|| template::task_manager(start, configuration)).flatten();
    objects.extend(template.map(|pod| {
        // JSON is YAML, and Flink reads either.
        object(template_name(start), BTreeMap::from([(TEMPLATE, format!("{pod:#}\n"))]))
    }));
    objects
}

/// What a cluster is told.
fn of_cluster(configuration: &Configuration) -> BTreeMap<String, String> {
    let is_told = |key: &str| !OF_CLIENT.contains(&key) && !OF_OPERATOR.iter().any(|prefix| key.starts_with(prefix));
    let told = configuration.values().iter().filter(|(key, _)| is_told(key));
    told.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The configuration of Log4j 2: everything goes to standard output, and to a file that the Web UI shows.
fn log4j(cluster: &Cluster) -> String {
    let rotation = cluster.monitoring.as_ref().map(|monitoring| monitoring.rotation);
    let size = rotation.map_or_else(|| ROTATION_SIZE.to_owned(), |rotation| rotation.size.to_string());
    let files = rotation.map_or_else(|| FILES.to_owned(), |rotation| rotation.files.to_string());
    let pattern = "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n";
    let loggers: String = LOGGERS
        .iter()
        .map(|(id, name, level)| format!("logger.{id}.name = {name}\nlogger.{id}.level = {level}\n"))
        .collect();
    format!(
        "\
monitorInterval = 30
rootLogger.level = ${{env:ROOT_LOG_LEVEL:-INFO}}
rootLogger.appenderRef.console.ref = Console
rootLogger.appenderRef.file.ref = File
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = {pattern}
appender.file.name = File
appender.file.type = RollingFile
appender.file.append = true
appender.file.fileName = ${{sys:log.file}}
appender.file.filePattern = ${{sys:log.file}}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = {pattern}
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = {size}
appender.file.policies.startup.type = OnStartupTriggeringPolicy
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = {files}
{loggers}"
    )
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::{LogRotation, Monitoring, SideCarLimits};

    use super::*;
    use crate::kubernetes::configuration::tests::{Case, texts};

    fn made(case: &Case) -> Vec<Value> {
        objects(&case.start(), &case.effective(), "m-1")
    }

    /// A file of the first object.
    fn file(case: &Case, name: &str) -> Option<String> {
        files(&case.start(), &case.effective()).remove(name)
    }

    #[test]
    fn the_configuration_belongs_to_the_job_manager_and_is_found_by_its_labels() {
        let objects = made(&Case::application());
        let metadata = objects.first().and_then(|object| object.get("metadata")).cloned();
        let expected = json!({
            "name": "flink-config-flights",
            "namespace": "team",
            "labels": {"app": "flights", "type": "flink-native-kubernetes"},
            "ownerReferences": [{
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": "flights",
                "uid": "m-1",
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        });
        assert_eq!(metadata, Some(expected));
    }

    #[test]
    fn a_line_is_given_the_file_that_it_reads() {
        for (line, name, other, expected) in [
            (FlinkVersion::V1_20, "flink-conf.yaml", "config.yaml", "a: 1\na.b: [x]\n"),
            (FlinkVersion::V2_0, "config.yaml", "flink-conf.yaml", "a: '1'\na.b: '[x]'\n"),
        ] {
            let case = Case::session().set(&[("a", "1"), ("a.b", "[x]")]).with(|cluster| cluster.flink_version = line);
            let text = file(&case, name).unwrap();
            assert!(text.contains(expected), "for {line}: {text}");
            assert_eq!(file(&case, other), None, "for {line}");
        }
    }

    #[test]
    fn a_cluster_is_not_told_what_others_read() {
        let not_told = [
            ("kubernetes.operator.job.restart.failed", "hunter2"),
            ("job.autoscaler.enabled", "hunter2"),
            ("kobel.engine", "hunter2"),
            ("kubernetes.config.file", "hunter2"),
            ("$internal.deployment.config-dir", "hunter2"),
            ("rest.bind-address", "hunter2"),
            ("jobmanager.bind-host", "hunter2"),
            ("taskmanager.bind-host", "hunter2"),
            ("taskmanager.host", "hunter2"),
            ("s3.secret-key", "told"),
        ];
        let text = file(&Case::application().set(&not_told), "flink-conf.yaml").unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("s3.secret-key: told\n"), "{text}");
        assert!(text.contains("kubernetes.cluster-id: flights\n"), "{text}");
    }

    #[test]
    fn the_log_goes_to_standard_output_and_to_a_file_that_is_rotated() {
        let text = file(&Case::application(), LOG4J).unwrap();
        for line in [
            "appender.console.type = CONSOLE\n",
            "appender.file.fileName = ${sys:log.file}\n",
            "rootLogger.level = ${env:ROOT_LOG_LEVEL:-INFO}\n",
            "appender.file.strategy.max = ${env:MAX_LOG_FILE_NUMBER:-10}\n",
            "logger.netty.level = OFF\n",
        ] {
            assert!(text.contains(line), "`{line}` in {text}");
        }
        let monitored = Case::application().with(|cluster| {
            cluster.monitoring = Some(Monitoring {
                image: None,
                s3: None,
                cloud_watch: None,
                side_car: SideCarLimits::default(),
                rotation: LogRotation { size: 4096, files: 3 },
            });
        });
        let text = file(&monitored, LOG4J).unwrap();
        assert!(text.contains("size.size = 4096\n") && text.contains("strategy.max = 3\n"), "{text}");
    }

    #[test]
    fn the_log_configuration_of_the_resource_stands_in_place_of_ours() {
        let own = texts(&[(LOG4J, "mine"), (LOGBACK, "<mine/>")]);
        let case = Case::application().with(|cluster| cluster.log_configuration = own);
        assert_eq!(file(&case, LOG4J).as_deref(), Some("mine"));
        assert_eq!(file(&case, LOGBACK).as_deref(), Some("<mine/>"));
        assert_eq!(file(&Case::application(), LOGBACK), None);
    }

    #[test]
    fn the_template_of_task_managers_is_there_if_they_are_asked_for_and_have_one() {
        let template = json!({"spec": {"containers": [{"name": "sidecar", "image": "side:1"}]}});
        let case = Case::application().with(|cluster| cluster.pod_template = Some(template));
        let objects = made(&case);
        let object = objects.get(1).unwrap();
        assert_eq!(object.pointer("/metadata/name"), Some(&Value::from("pod-template-flights")));
        let text = object.pointer("/data/taskmanager-pod-template.yaml").and_then(Value::as_str).unwrap();
        let pod: Value = serde_json::from_str(text).unwrap();
        assert_eq!(pod.get("kind"), Some(&Value::from("Pod")));
        assert!(text.contains("side:1"), "{text}");
        assert_eq!(made(&case.with(|cluster| cluster.mode = Mode::Standalone)).len(), 1);
    }
}
