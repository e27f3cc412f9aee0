//! The log agent beside Flink in every pod, where logs go to S3 or to CloudWatch (`monitoringConfiguration`).
//!
//! Both containers mount the directory that Flink logs to. It is that of the images of EMR, whose entry point writes
//! what the process prints there too; every other image is told of it by `FLINK_LOG_DIR`. Where the resource or a
//! template names another directory, or has something mounted there, that is what the agent reads.
//!
//! The agent is this program. An image that the resource names for it (`monitoringConfiguration.image`) is one of this
//! program with something added: it is started in the same way, so an image of another agent does not run.
//!
//! # How it lives
//! It is an init container that Kubernetes restarts by itself (a *sidecar*, since Kubernetes 1.29). So it runs before
//! Flink's first line and after its last, and its own end is nobody else's: Flink takes a pod for lost as soon as one
//! of its ordinary containers has ended (`KubernetesPod.isTerminated`). Lines of Flink before 1.20 send the pods that
//! they ask for through a client that does not know such containers, and could drop what makes it one: there, and only
//! in these pods, it is an ordinary container.
//!
//! # Invariants
//! * Arguments hold no secret: credentials come from the account of the pod.
//! * Of the variables of the main container the agent has those that begin with `AWS_` and no other: the region, and
//!   the endpoints and keys of a store that is not that of AWS.
//!
//! # Source
//! Amazon EMR on EKS 7.13 Development Guide (monitoring configuration; limits, but no requests, of the agent); Apache
//! Flink 1.20, `config.sh`, `KubernetesConfigOptions.FLINK_LOG_DIR`, `KubernetesPod`; Kubernetes, sidecar containers.

use kobel_model::deployment::{FlinkVersion, Mode, Monitoring};
use serde_json::{Value, json};

use super::container::{Component, offer};
use super::start::{MAIN_CONTAINER, Start};
use super::template::{edit_list, edit_main, name, slot};

/// The container.
pub const CONTAINER: &str = "kobel-logship";
/// The volume with the logs.
pub const VOLUME: &str = "flink-logs";
/// The directory of the logs, unless another one is named.
const DIRECTORY: &str = "/var/log/flink/user";
/// The variable that tells Flink of it.
const VARIABLE: &str = "FLINK_LOG_DIR";
/// What the names of variables begin with that say how AWS is reached.
const AWS: &str = "AWS_";
/// The key that names another.
const KEY: &str = "kubernetes.flink.log.dir";
/// The oldest line whose client knows of containers that are restarted by themselves.
const SIDECARS_SINCE: FlinkVersion = FlinkVersion::V1_20;

/// Adds the agent, if logs go anywhere.
pub fn add(pod: &mut Value, start: &Start<'_>, component: Component) {
    let monitoring = start.deployment.cluster.monitoring.as_ref();
    let Some(monitoring) = monitoring.filter(|to| to.s3.is_some() || to.cloud_watch.is_some()) else {
        return;
    };
    let directory = directory(pod, start);
    offer(pod, json!({ "name": VOLUME, "emptyDir": {} }), &directory);
    let pod_name = json!({ "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } });
    let (mut mounts, mut variables) = (Vec::new(), vec![json!({ "name": "POD_NAME", "valueFrom": pod_name })]);
    edit_main(pod, |main| {
        mounts = mounts_of(main, &directory);
        variables.extend(variables_of(main));
        edit_list(slot(main, &["env"]), |entries| {
            if entries.iter().all(|entry| name(entry) != Some(VARIABLE)) {
                entries.push(json!({ "name": VARIABLE, "value": directory }));
            }
        });
    });
    let mut agent = json!({
        "name": CONTAINER,
        "image": monitoring.image.as_deref().unwrap_or(start.kobel_image),
        "command": ["kobel"],
        "args": arguments(monitoring, &directory),
        "env": variables,
        "resources": { "limits": limits(monitoring) },
        "securityContext": { "readOnlyRootFilesystem": true },
        "volumeMounts": mounts,
    });
    let kind = if is_restarted_by_itself(start, component) {
        *slot(&mut agent, &["restartPolicy"]) = json!("Always");
        "initContainers"
    } else {
        "containers"
    };
    edit_list(slot(pod, &["spec", kind]), |containers| {
        if containers.iter().all(|container| name(container) != Some(CONTAINER)) {
            containers.push(agent);
        }
    });
}

/// Whether everyone who handles the pod knows of containers that are restarted by themselves.
fn is_restarted_by_itself(start: &Start<'_>, component: Component) -> bool {
    let cluster = &start.deployment.cluster;
    let is_asked_for_by_flink = component == Component::TaskManager && cluster.mode == Mode::Native;
    !is_asked_for_by_flink || cluster.flink_version >= SIDECARS_SINCE
}

/// The directory that Flink logs to: as the resource says, else the template, else the operator.
fn directory(pod: &Value, start: &Start<'_>) -> String {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let mains = containers.filter(|container| name(container) == Some(MAIN_CONTAINER));
    let mut entries = mains.filter_map(|main| main.get("env")?.as_array()).flatten();
    let of_template = || entries.find(|entry| name(entry) == Some(VARIABLE))?.get("value")?.as_str();
    let own = start.deployment.cluster.flink_configuration.get(KEY);
    let named = own.or_else(of_template).or_else(|| start.defaults.get(KEY).map(String::as_str));
    let named = named.map(|path| path.trim().trim_end_matches('/'));
    named.filter(|path| path.starts_with('/')).unwrap_or(DIRECTORY).to_owned()
}

/// What the main container has mounted at `directory` or below it.
fn mounts_of(main: &Value, directory: &str) -> Vec<Value> {
    let is_there = |mount: &&Value| {
        let rest = mount.get("mountPath").and_then(Value::as_str).and_then(|at| at.strip_prefix(directory));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mounts = main.get("volumeMounts").and_then(Value::as_array).into_iter().flatten();
    mounts.filter(is_there).cloned().collect()
}

/// What the main container has of variables that say how AWS is reached.
fn variables_of(main: &Value) -> Vec<Value> {
    let entries = main.get("env").and_then(Value::as_array).into_iter().flatten();
    entries.filter(|entry| name(entry).is_some_and(|name| name.starts_with(AWS))).cloned().collect()
}

/// What the agent is started with. Each value stands behind its `=`, so that none is taken for a flag.
fn arguments(monitoring: &Monitoring, directory: &str) -> Vec<String> {
    let rotation = monitoring.rotation;
    let (s3, cloud_watch) = (monitoring.s3.as_ref(), monitoring.cloud_watch.as_ref());
    let group = cloud_watch.map(|sink| sink.log_group_name.clone());
    let prefix = cloud_watch.map(|sink| sink.log_stream_name_prefix.clone()).filter(|prefix| !prefix.is_empty());
    let flags = [
        ("directory", Some(directory.to_owned())),
        ("rotation-size", Some(rotation.size.to_string())),
        ("rotation-files", Some(rotation.files.to_string())),
        ("s3", s3.map(|sink| address(&sink.log_uri))),
        ("s3-encryption-key", s3.and_then(|sink| sink.encryption_key_arn.clone())),
        ("cloudwatch-group", group),
        ("cloudwatch-prefix", prefix),
    ];
    // Kubernetes would take `$(NAME)` in a value for a variable.
    let flags = flags.into_iter().filter_map(|(flag, value)| Some(format!("--{flag}={}", value?.replace('$', "$$"))));
    std::iter::once("logship".to_owned()).chain(flags).collect()
}

/// The address of a bucket, which may stand without its scheme.
fn address(log_uri: &str) -> String {
    if log_uri.contains("://") { log_uri.to_owned() } else { format!("s3://{log_uri}") }
}

/// What the agent may use.
fn limits(monitoring: &Monitoring) -> Value {
    let side_car = monitoring.side_car;
    let mut limits = json!({ "memory": format!("{}Mi", side_car.memory.div_ceil(1 << 20)) });
    if let Some(millis) = side_car.cpu_millis {
        *slot(&mut limits, &["cpu"]) = json!(format!("{millis}m"));
    }
    limits
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::{CloudWatchSink, LogRotation, S3Sink, SideCarLimits};

    use super::super::tests::Case;
    use super::*;

    fn to_s3() -> Monitoring {
        let s3 = S3Sink { log_uri: "bucket/logs".to_owned(), encryption_key_arn: None };
        Monitoring {
            image: None,
            s3: Some(s3),
            cloud_watch: None,
            side_car: SideCarLimits::default(),
            rotation: LogRotation::default(),
        }
    }

    fn monitored(options: &[(&str, &str)], monitoring: Monitoring) -> Case {
        Case::session().configured(options).with(|cluster| cluster.monitoring = Some(monitoring))
    }

    fn added(case: &Case, component: Component, template: &Value) -> Value {
        let mut pod = template.clone();
        add(&mut pod, &case.start(), component);
        pod
    }

    #[test]
    fn a_pod_has_an_agent_only_where_logs_go_somewhere() {
        let nowhere = Monitoring { s3: None, ..to_s3() };
        for case in [Case::session(), monitored(&[], nowhere)] {
            assert_eq!(added(&case, Component::JobManager, &json!({})), json!({}));
        }
    }

    #[test]
    fn both_containers_mount_the_directory_that_flink_logs_to() {
        let pod = added(&monitored(&[], to_s3()), Component::JobManager, &json!({}));
        let mount = json!([{ "name": VOLUME, "mountPath": "/var/log/flink/user" }]);
        let (main, agent) = (&pod["spec"]["containers"][0], &pod["spec"]["initContainers"][0]);
        assert_eq!(pod["spec"]["volumes"], json!([{ "name": VOLUME, "emptyDir": {} }]));
        assert_eq!((&main["volumeMounts"], &agent["volumeMounts"]), (&mount, &mount));
        assert_eq!(main["env"], json!([{ "name": VARIABLE, "value": "/var/log/flink/user" }]));
        assert_eq!(agent["name"], CONTAINER);
        assert_eq!(agent["image"], "kobel:0.1.0");
        assert_eq!(agent["restartPolicy"], "Always");
        assert_eq!(agent["resources"], json!({ "limits": { "memory": "512Mi" } }));
        assert_eq!(
            agent["args"],
            json!([
                "logship",
                "--directory=/var/log/flink/user",
                "--rotation-size=2147483648",
                "--rotation-files=10",
                "--s3=s3://bucket/logs",
            ])
        );
    }

    #[test]
    fn every_setting_reaches_the_agent() {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/0a";
        let group = CloudWatchSink { log_group_name: "-$(X)".to_owned(), log_stream_name_prefix: "team".to_owned() };
        let monitoring = Monitoring {
            image: Some("mine:2".to_owned()),
            s3: Some(S3Sink { log_uri: "s3a://b/c".to_owned(), encryption_key_arn: Some(key.to_owned()) }),
            cloud_watch: Some(group),
            side_car: SideCarLimits { cpu_millis: Some(500), memory: 250 << 20 },
            rotation: LogRotation { size: 2048, files: 3 },
        };
        let pod = added(&monitored(&[], monitoring), Component::TaskManager, &json!({}));
        let agent = &pod["spec"]["initContainers"][0];
        assert_eq!(agent["image"], "mine:2");
        assert_eq!(agent["resources"], json!({ "limits": { "memory": "250Mi", "cpu": "500m" } }));
        let arguments: Vec<&str> = agent["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let encryption = format!("--s3-encryption-key={key}");
        for argument in [
            "--rotation-size=2048",
            "--rotation-files=3",
            "--s3=s3a://b/c",
            &encryption,
            "--cloudwatch-group=-$$(X)",
            "--cloudwatch-prefix=team",
        ] {
            assert!(arguments.contains(&argument), "{argument} in {arguments:?}");
        }
    }

    #[test]
    fn the_end_of_the_agent_is_not_that_of_the_pod_wherever_flink_would_take_it_for_that() {
        for (line, mode, component, kind) in [
            (FlinkVersion::V1_20, Mode::Native, Component::TaskManager, "initContainers"),
            (FlinkVersion::V2_3, Mode::Native, Component::TaskManager, "initContainers"),
            (FlinkVersion::V1_19, Mode::Native, Component::JobManager, "initContainers"),
            (FlinkVersion::V1_19, Mode::Standalone, Component::TaskManager, "initContainers"),
            (FlinkVersion::V1_19, Mode::Native, Component::TaskManager, "containers"),
        ] {
            let case = monitored(&[], to_s3()).with(|cluster| {
                (cluster.flink_version, cluster.mode) = (line, mode);
            });
            let pod = added(&case, component, &json!({}));
            let mut containers = pod["spec"][kind].as_array().unwrap().iter();
            let agent = containers.find(|container| name(container) == Some(CONTAINER)).unwrap();
            assert_eq!(agent.get("restartPolicy").is_some(), kind == "initContainers", "{line} {mode:?} {component:?}");
        }
    }

    #[test]
    fn the_agent_reads_where_flink_logs_to_whoever_says_where_that_is() {
        let variable = |path: &str| json!({ "env": [{ "name": VARIABLE, "value": path }] });
        let volume = |at: &str| json!({ "volumeMounts": [{ "name": "mine", "mountPath": at, "subPath": "a" }] });
        for (options, main, directory, volume) in [
            (vec![(KEY, "/logs/")], json!({}), "/logs", VOLUME),
            (vec![(KEY, "/logs")], variable("/other"), "/logs", VOLUME),
            (vec![], variable("/other"), "/other", VOLUME),
            (vec![(KEY, "relative")], json!({}), DIRECTORY, VOLUME),
            (vec![], volume(DIRECTORY), DIRECTORY, "mine"),
        ] {
            let mut main = main;
            *slot(&mut main, &["name"]) = json!(MAIN_CONTAINER);
            let template = json!({ "spec": { "containers": [main] } });
            let pod = added(&monitored(&options, to_s3()), Component::JobManager, &template);
            let agent = &pod["spec"]["initContainers"][0];
            assert_eq!(agent["args"][1], format!("--directory={directory}"), "{template}");
            assert_eq!(agent["volumeMounts"], pod["spec"]["containers"][0]["volumeMounts"], "{template}");
            assert_eq!(agent["volumeMounts"][0]["name"], volume, "{template}");
        }
    }

    #[test]
    fn the_agent_reaches_aws_as_the_main_container_does() {
        let region = json!({ "name": "AWS_REGION", "value": "eu-west-1" });
        let secret = json!({ "name": "AWS_SECRET_ACCESS_KEY", "valueFrom": { "secretKeyRef": { "name": "a" } } });
        let own = json!({ "name": "DB_PASSWORD", "value": "x" });
        let main = json!({ "name": MAIN_CONTAINER, "env": [region, own, secret] });
        let template = json!({ "spec": { "containers": [main] } });
        let pod = added(&monitored(&[], to_s3()), Component::TaskManager, &template);
        let variables = pod["spec"]["initContainers"][0]["env"].as_array().unwrap();
        assert_eq!(variables[0]["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
        assert_eq!(variables[1..], [region, secret]);
    }

    #[test]
    fn containers_of_the_template_stay() {
        let own = json!({ "spec": { "initContainers": [{ "name": "first" }], "containers": [{ "name": "other" }] } });
        let pod = added(&monitored(&[], to_s3()), Component::JobManager, &own);
        let names = |kind: &str| -> Vec<String> {
            let containers = pod["spec"][kind].as_array().unwrap().iter();
            containers.filter_map(name).map(str::to_owned).collect()
        };
        assert_eq!(names("initContainers"), ["first", CONTAINER]);
        assert_eq!(names("containers"), ["other", MAIN_CONTAINER]);
        assert_eq!(added(&monitored(&[], to_s3()), Component::JobManager, &pod), pod, "nothing is added twice");
    }
}
