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

use super::configuration::program::ARGUMENTS;
use super::configuration::structured;
use super::container::{self, SECRETS};
use super::start::Start;
use super::template;
use crate::configuration::Configuration;
use crate::logging::{LOG4J, LOGBACK};
use crate::yaml::Format;

/// The key of the template of a task manager's pod, which is the name of its file.
pub const TEMPLATE: &str = "taskmanager-pod-template.yaml";
/// The oldest line that is always given YAML. Those before were given the other file by whoever deployed them, and
/// images and programs may look for it.
const YAML_SINCE: FlinkVersion = FlinkVersion::V2_0;
/// The oldest line that reads YAML: it is given it where the older format cannot say what is configured.
const YAML_READ_SINCE: FlinkVersion = FlinkVersion::V1_19;
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
    let told = told(start, configuration);
    let format = format(cluster.flink_version, &told);
    let own = &cluster.log_configuration;
    let log4j = own.get(LOG4J).cloned().unwrap_or_else(|| log4j(cluster));
    let mut files = BTreeMap::from([(format.file_name(), format.print(&told)), (LOG4J, log4j)]);
    files.extend(own.get(LOGBACK).map(|text| (LOGBACK, text.clone())));
    files
}

/// The key of what cannot be told to the cluster, since no file that its line reads says it exactly; none if all can.
pub fn untold(start: &Start<'_>, configuration: &Configuration) -> Option<String> {
    let told = told(start, configuration);
    let format = format(start.deployment.cluster.flink_version, &told);
    // In standalone mode the program is given its arguments by the image.
    let is_read = |key: &str| start.deployment.cluster.mode == Mode::Native || key != ARGUMENTS;
    told.into_iter().find(|(key, value)| is_read(key) && !format.says(key, value)).map(|(key, _)| key)
}

/// The format in which a line is told this.
fn format(line: FlinkVersion, told: &BTreeMap<String, String>) -> Format {
    let is_flat = || told.iter().all(|(key, value)| Format::Flat.says(key, value));
    if line < YAML_READ_SINCE || (line < YAML_SINCE && is_flat()) { Format::Flat } else { Format::Standard }
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

/// What a cluster is told. Flink mounts what it is told to, also where a template has something in its place already.
fn told(start: &Start<'_>, configuration: &Configuration) -> BTreeMap<String, String> {
    let mut all = configuration.clone();
    if let Some(template) = template::task_manager(start, configuration) {
        let secrets = container::secrets(&template, configuration);
        if secrets.len() < structured::map(configuration, SECRETS).len() {
            all.remove_below(&format!("{SECRETS}."));
            all.remove(SECRETS);
            if !secrets.is_empty() {
                all.force(SECRETS, structured::print_map(&secrets));
            }
        }
    }
    let is_told = |key: &str| !OF_CLIENT.contains(&key) && !OF_OPERATOR.iter().any(|prefix| key.starts_with(prefix));
    all.into_values().into_iter().filter(|(key, _)| is_told(key)).collect()
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
    fn what_the_older_format_cannot_say_is_told_in_the_newer_one_or_not_at_all() {
        let with = |line, value: &'static str| {
            let case = Case::application().set(&[("a", value)]);
            case.with(|cluster| cluster.flink_version = line)
        };
        let untold = |case: &Case| untold(&case.start(), &case.effective());
        for (value, written) in [("two\nlines", "a: \"two\\nlines\"\n"), ("p#ss", "a: 'p#ss'\n")] {
            for line in [FlinkVersion::V1_19, FlinkVersion::V1_20, FlinkVersion::V2_0] {
                let case = with(line, value);
                let text = file(&case, "config.yaml").unwrap();
                assert!(text.contains(written), "for {line}: {text}");
                assert_eq!((file(&case, "flink-conf.yaml"), untold(&case)), (None, None), "for {line}");
            }
            let case = with(FlinkVersion::V1_18, value);
            assert_eq!(untold(&case).as_deref(), Some("a"), "for `{value}`");
        }
        assert_eq!(untold(&with(FlinkVersion::V1_18, " a block\n")), None);
    }

    #[test]
    fn an_argument_that_the_format_cannot_say_is_not_told_unless_the_image_is_given_it() {
        let case = Case::application().with_job(|job| job.args = vec!["#1".to_owned()]);
        let case = case.with(|cluster| cluster.flink_version = FlinkVersion::V1_18);
        assert_eq!(untold(&case.start(), &case.effective()).as_deref(), Some(ARGUMENTS));
        let case = case.with(|cluster| cluster.mode = Mode::Standalone);
        assert_eq!(untold(&case.start(), &case.effective()), None);
    }

    #[test]
    fn a_cluster_is_not_told_to_mount_what_the_template_mounts_already() {
        let main = json!({"name": "flink-main-container", "volumeMounts": [{"name": "own", "mountPath": "/opt/aws/"}]});
        let template = json!({"spec": {"containers": [main], "volumes": [{"name": "own", "emptyDir": {}}]}});
        let values = [("kubernetes.secrets", "aws:/opt/aws,gcp:/opt/gcp"), ("kubernetes.secrets.azure", "/opt/azure")];
        let case = Case::application().set(&values).with(|cluster| cluster.task_manager.pod_template = Some(template));
        let text = file(&case, "flink-conf.yaml").unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("kubernetes.secrets")).collect();
        assert_eq!(lines, ["kubernetes.secrets: azure:/opt/azure,gcp:/opt/gcp"]);
        // The job manager, whose template has nothing there, is given all of them.
        let manager = crate::kubernetes::job_manager::object(&case.start(), &case.effective());
        assert!(manager.to_string().contains("\"mountPath\":\"/opt/aws\""), "{manager}");
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
