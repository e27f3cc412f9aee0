//! Every object of a deployment, in both modes, for both lines and with high availability on and off; and the values
//! that the tests of this folder start from.

use std::collections::BTreeMap;

use expect_test::{ExpectFile, expect_file};
use kobel_model::deployment::{
    Amounts, Artifact, ArtifactKind, Cluster, Deployment, FlinkConfiguration, FlinkVersion, HighAvailability, Identity,
    Job, JobManager, JobState, Nonces, Scheme, TaskManager, UpgradeMode,
};

use serde_json::json;

use super::*;
use crate::launch::JobStart;

pub(super) const JOB_ID: &str = "0a0b0c0d0e0f00000000000000000001";
pub(super) const UID: &str = "5f1c2a3b-0000-4000-8000-000000000001";
const MANAGER_UID: &str = "5f1c2a3b-0000-4000-8000-000000000002";

/// A deployment, and what makes a start of it.
pub(super) struct Case {
    pub(super) deployment: Deployment,
    pub(super) defaults: BTreeMap<String, String>,
    pub(super) restore: Option<&'static str>,
}

impl Case {
    /// A job in native mode on Flink 1.20, without anything that could be left out.
    pub(super) fn application() -> Self {
        let amounts = |mebibytes: u64| Amounts {
            memory: mebibytes << 20,
            memory_limit: None,
            cpu_millis: 1000,
            cpu_limit_millis: None,
            others: Vec::new(),
        };
        let uri = "local:///opt/flink/usrlib/flights.jar".to_owned();
        let job = Job {
            artifact: Some(Artifact { kind: ArtifactKind::Jar, scheme: Scheme::Local, uri }),
            entry_class: Some("com.example.Flights".to_owned()),
            args: vec!["--gate".to_owned(), "B 12".to_owned()],
            parallelism: 3,
            state: JobState::Running,
            upgrade_mode: UpgradeMode::Stateless,
            allow_non_restored_state: false,
            initial_savepoint_path: None,
            nonces: Nonces::default(),
        };
        let job_manager =
            JobManager { amounts: amounts(1600), replicas: 1, pod_template: None, node_selector: BTreeMap::new() };
        let task_manager = TaskManager {
            amounts: amounts(1728),
            replicas: None,
            slots: 2,
            pod_template: None,
            node_selector: BTreeMap::new(),
        };
        let cluster = Cluster {
            flink_version: FlinkVersion::V1_20,
            release_label: None,
            mode: Mode::Native,
            image: Some("flink:1.20".to_owned()),
            image_pull_policy: None,
            service_account: Some("flink".to_owned()),
            execution_role_arn: None,
            ingress: None,
            pod_template: None,
            job_manager,
            task_manager,
            log_configuration: BTreeMap::new(),
            job: Some(job),
            restart_nonce: None,
            flink_configuration: FlinkConfiguration::default(),
            high_availability: HighAvailability::Off,
            monitoring: None,
        };
        let identity = Identity { namespace: "team".to_owned(), name: "flights".to_owned() };
        Self { deployment: Deployment { identity, cluster }, defaults: BTreeMap::new(), restore: None }
    }

    /// A session cluster in native mode on Flink 1.20.
    pub(super) fn session() -> Self {
        Self::application().with(|cluster| cluster.job = None)
    }

    /// The same with a change.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Cluster)) -> Self {
        change(&mut self.deployment.cluster);
        self
    }

    /// The same with further values of the Flink configuration.
    pub(super) fn configured(self, values: &[(&str, &str)]) -> Self {
        self.with(|cluster| {
            let mut all = cluster.flink_configuration.values().clone();
            all.extend(values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
            cluster.flink_configuration = FlinkConfiguration::new(all);
        })
    }

    /// The same with high availability in Kubernetes.
    pub(super) fn highly_available(self) -> Self {
        let storage_dir = "s3://bucket/ha".to_owned();
        let values = [("high-availability.type", "kubernetes"), ("high-availability.storageDir", storage_dir.as_str())];
        self.configured(&values).with(|cluster| {
            cluster.high_availability = HighAvailability::On { storage_dir: Some(storage_dir.clone()) };
            cluster.job_manager.replicas = 2;
        })
    }

    /// The start of it.
    pub(super) fn start(&self) -> Start<'_> {
        let restore = self.restore;
        Start {
            deployment: &self.deployment,
            job: self.deployment.cluster.job.as_ref().map(|_| JobStart { job_id: JOB_ID, restore }),
            generation: 7,
            uid: UID,
            defaults: &self.defaults,
            fresh: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            kobel_image: "kobel:0.1.0",
        }
    }
}

/// A configuration of these values alone.
pub(super) fn told(values: &[(&str, &str)]) -> Configuration {
    let mut configuration = Configuration::default();
    for (key, value) in values {
        configuration.force(key, *value);
    }
    configuration
}

/// The main container of a pod, or of the pods of a Deployment.
pub(super) fn main_container(object: &Value) -> &Value {
    let spec = object.pointer("/spec/template/spec").or_else(|| object.get("spec")).unwrap();
    let containers = spec["containers"].as_array().unwrap();
    containers.iter().find(|container| container["name"] == MAIN_CONTAINER).unwrap()
}

/// What is applied for a case, in order.
fn objects(case: &Case) -> Vec<Value> {
    let start = case.start();
    let configuration = configuration::effective(&start);
    let mut objects = owned_by_resource(&start, &configuration);
    objects.extend(owned_by_manager(&start, &configuration, MANAGER_UID));
    objects
}

/// Every value of every object on a line of its own, behind the object and the path to it.
fn lines(case: &Case) -> Vec<String> {
    let mut lines = Vec::new();
    for object in objects(case) {
        let title = format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        append(&title, &object, &mut lines);
    }
    lines
}

fn append(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(key, value)| append(&format!("{path} / {key}"), value, lines));
        }
        Value::Array(elements) if !elements.is_empty() => {
            elements.iter().enumerate().for_each(|(place, value)| append(&format!("{path} / {place}"), value, lines));
        }
        Value::String(text) if text.contains('\n') => lines.extend(text.lines().map(|line| format!("{path} | {line}"))),
        _ => lines.push(format!("{path} = {value}")),
    }
}

/// What is otherwise in `case` than in `than`.
fn differences(case: &Case, than: &Case) -> String {
    let (new, old) = (lines(case), lines(than));
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}\n"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}\n"));
    gone.chain(come).collect()
}

fn on_newest(case: Case) -> Case {
    case.with(|cluster| cluster.flink_version = FlinkVersion::V2_3)
}

fn standalone(case: Case) -> Case {
    case.with(|cluster| cluster.mode = Mode::Standalone)
}

/// Every combination, with what it is.
fn all() -> Vec<(String, Case)> {
    type Kinds = [(&'static str, fn() -> Case); 2];
    type Changes<const COUNT: usize> = [(&'static str, fn(Case) -> Case); COUNT];
    let kinds: Kinds = [("application", Case::application), ("session", Case::session)];
    let same: fn(Case) -> Case = |case| case;
    let modes: Changes<3> =
        [("native", same), ("native, highly available", Case::highly_available), ("standalone", standalone)];
    let lines: Changes<2> = [("1.20", same), ("2.3", on_newest)];
    let mut all = Vec::new();
    for (kind, make) in kinds {
        for (mode, of_mode) in modes {
            for (line, of_line) in lines {
                all.push((format!("{kind}, {mode}, {line}"), of_line(of_mode(make()))));
            }
        }
    }
    all
}

#[test]
fn an_application_in_native_mode() {
    let text: String = lines(&Case::application()).iter().map(|line| format!("{line}\n")).collect();
    expect_file!["goldens/application.txt"].assert_eq(&text);
}

#[test]
fn what_differs_from_an_application_in_native_mode_on_flink_1_20() {
    let shown = |case: Case, expected: ExpectFile| expected.assert_eq(&differences(&case, &Case::application()));
    shown(on_newest(Case::application()), expect_file!["goldens/application-newest.txt"]);
    shown(Case::application().highly_available(), expect_file!["goldens/application-available.txt"]);
    shown(on_newest(Case::application().highly_available()), expect_file!["goldens/application-available-newest.txt"]);
    shown(standalone(Case::application()), expect_file!["goldens/application-standalone.txt"]);
    shown(on_newest(standalone(Case::application())), expect_file!["goldens/application-standalone-newest.txt"]);
}

#[test]
fn what_differs_between_a_session_cluster_and_an_application() {
    let shown = |of: fn(Case) -> Case, expected: ExpectFile| {
        expected.assert_eq(&differences(&of(Case::session()), &of(Case::application())));
    };
    shown(|case| case, expect_file!["goldens/session.txt"]);
    shown(on_newest, expect_file!["goldens/session-newest.txt"]);
    shown(Case::highly_available, expect_file!["goldens/session-available.txt"]);
    shown(|case| on_newest(case.highly_available()), expect_file!["goldens/session-available-newest.txt"]);
    shown(standalone, expect_file!["goldens/session-standalone.txt"]);
    shown(|case| on_newest(standalone(case)), expect_file!["goldens/session-standalone-newest.txt"]);
}

#[test]
fn the_same_kinds_are_made_as_flink_makes() {
    for (what, case) in all() {
        let titles: Vec<String> = objects(&case)
            .iter()
            .map(|object| {
                format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
            })
            .collect();
        let has = |title: &str| titles.iter().any(|other| other == title);
        let is_standalone = case.deployment.cluster.mode == Mode::Standalone;
        assert!(has("Deployment flights") && has("Service flights-rest"), "{what}: {titles:?}");
        assert!(has("ConfigMap flink-config-flights"), "{what}: {titles:?}");
        assert_eq!(has("Deployment flights-taskmanager"), is_standalone, "{what}: {titles:?}");
        let is_called_by_name = is_standalone || !case.deployment.cluster.high_availability.is_on();
        assert_eq!(has("Service flights"), is_called_by_name, "{what}: {titles:?}");
        assert_eq!(has("ConfigMap pod-template-flights"), !is_standalone, "{what}: {titles:?}");
    }
}

#[test]
fn every_object_has_its_namespace_its_labels_and_one_owner() {
    for (what, case) in all() {
        let start = case.start();
        let configuration = configuration::effective(&start);
        let own = owned_by_resource(&start, &configuration);
        let last = own.last().unwrap();
        assert_eq!((&last["kind"], &last["metadata"]["name"]), (&json!("Deployment"), &json!("flights")), "{what}");
        let others = owned_by_manager(&start, &configuration, MANAGER_UID);
        let owners = own.iter().map(|object| (object, UID)).chain(others.iter().map(|object| (object, MANAGER_UID)));
        for (object, uid) in owners {
            let metadata = &object["metadata"];
            assert_eq!(metadata["namespace"], "team", "{what}: {metadata}");
            assert_eq!(metadata["labels"]["app"], "flights", "{what}: {metadata}");
            assert_eq!(metadata["labels"]["type"], start.kind(), "{what}: {metadata}");
            let owners = metadata["ownerReferences"].as_array().unwrap();
            assert_eq!(owners.iter().map(|owner| &owner["uid"]).collect::<Vec<_>>(), [uid], "{what}: {metadata}");
        }
    }
}

#[test]
fn what_one_object_names_another_has() {
    for (what, case) in all() {
        let objects = objects(&case);
        let of_kind = |kind: &'static str| objects.iter().filter(move |object| object["kind"] == kind);
        let maps: Vec<&Value> = of_kind("ConfigMap").map(|object| &object["metadata"]["name"]).collect();
        for deployment in of_kind("Deployment") {
            let template = &deployment["spec"]["template"];
            let labels = template["metadata"]["labels"].as_object().unwrap();
            for (label, value) in deployment["spec"]["selector"]["matchLabels"].as_object().unwrap() {
                assert_eq!(labels.get(label), Some(value), "{what}");
            }
            let volumes = template["spec"]["volumes"].as_array().unwrap();
            let mounted = main_container(deployment)["volumeMounts"].as_array().unwrap();
            for mount in mounted {
                assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{what}: {mount}");
            }
            for map in volumes.iter().filter_map(|volume| volume.pointer("/configMap/name")) {
                assert!(maps.contains(&map), "{what}: {map}");
            }
        }
        let manager = of_kind("Deployment").find(|object| object["metadata"]["name"] == "flights").unwrap();
        let ports = main_container(manager)["ports"].as_array().unwrap();
        for service in of_kind("Service") {
            for port in service["spec"]["ports"].as_array().unwrap() {
                let target = port.get("targetPort").unwrap_or(&port["port"]);
                let found = ports.iter().any(|own| own["containerPort"] == *target || own["name"] == *target);
                assert!(found, "{what}: {port}");
            }
        }
    }
}

#[test]
fn each_line_reads_its_own_file() {
    for (what, case) in all() {
        let objects = objects(&case);
        let map = objects.iter().find(|object| object["metadata"]["name"] == "flink-config-flights").unwrap();
        let has = |file: &str| map["data"].get(file).is_some();
        let is_newest = case.deployment.cluster.flink_version == FlinkVersion::V2_3;
        assert_eq!((has("config.yaml"), has("flink-conf.yaml")), (is_newest, !is_newest), "{what}");
        assert!(has("log4j-console.properties"), "{what}");
    }
}

#[test]
fn a_template_of_task_managers_is_mounted_where_flink_looks_for_it() {
    let template = json!({ "spec": { "tolerations": [{ "key": "spot", "operator": "Exists" }] } });
    let case = Case::application().with(|cluster| cluster.task_manager.pod_template = Some(template));
    let objects = objects(&case);
    let map = objects.iter().find(|object| object["metadata"]["name"] == "pod-template-flights").unwrap();
    let text = map["data"]["taskmanager-pod-template.yaml"].as_str().unwrap();
    let pod: Value = serde_json::from_str(text).unwrap();
    assert_eq!(pod["spec"]["tolerations"][0]["key"], "spot");
    let manager = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let mounted = main_container(manager)["volumeMounts"].as_array().unwrap();
    let expected = json!({ "name": "pod-template-volume", "mountPath": "/opt/flink/pod-template" });
    assert!(mounted.contains(&expected), "{mounted:?}");
}
