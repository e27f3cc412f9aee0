//! The pod that a component runs in, as far as the templates and the resource say it.
//!
//! What Flink writes over it is in [`super::container`]; for the pods that Flink itself asks for it writes it itself.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkConfigBuilder.applyPodTemplate` and `PodTemplateUtils`; Kubernetes'
//! restricted Pod Security Standard.

mod edit;

pub use edit::{edit_list, edit_main, name, put, put_by, set_absent, slot};
use kobel_model::deployment::{Amounts, Mode};
use serde_json::{Map, Value, json};

use super::container::{self, Component};
use super::start::Start;
use super::{emr, fetcher, sidecar};
use crate::configuration::Configuration;

/// Whether the elements of arrays are merged that have the same name.
const MERGE_BY_NAME: &str = "kubernetes.operator.pod-template.merge-arrays-by-name";

/// Which elements of two arrays are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayMerge {
    /// Those at the same place.
    ByIndex,
    /// Those of the same name, where every element of both arrays has one.
    ByName,
}

/// Which elements of two arrays are merged in the templates of this start.
pub fn array_merge(configuration: &Configuration) -> ArrayMerge {
    let is_set = |value: &str| value.trim().eq_ignore_ascii_case("true");
    if configuration.get(MERGE_BY_NAME).is_some_and(is_set) { ArrayMerge::ByName } else { ArrayMerge::ByIndex }
}

/// `specific` over `common`. Null is as good as nothing. Where both have an element at one place of an array and it is
/// no object, that of `common` stays, as it does in the operator of Apache.
pub fn merged(common: &Value, specific: &Value, merge: ArrayMerge) -> Value {
    match (common, specific) {
        (common, Value::Null) => common.clone(),
        (Value::Object(common), Value::Object(specific)) => Value::Object(merged_objects(common, specific, merge)),
        (Value::Array(common), Value::Array(specific)) => Value::Array(merged_arrays(common, specific, merge)),
        (Value::Object(_), _) => common.clone(),
        _ => specific.clone(),
    }
}

fn merged_objects(common: &Map<String, Value>, specific: &Map<String, Value>, merge: ArrayMerge) -> Map<String, Value> {
    let mut result = common.clone();
    for (key, over) in specific {
        let value = merged(common.get(key).unwrap_or(&Value::Null), over, merge);
        result.insert(key.clone(), value);
    }
    result
}

fn merged_arrays(common: &[Value], specific: &[Value], merge: ArrayMerge) -> Vec<Value> {
    let has_names = |array: &[Value]| array.iter().all(|element| name(element).is_some());
    if merge == ArrayMerge::ByName && has_names(common) && has_names(specific) {
        let over = common.iter().map(|below| {
            let over = specific.iter().find(|over| name(over) == name(below));
            over.map_or_else(|| below.clone(), |over| merged(below, over, merge))
        });
        let is_new = |over: &&Value| common.iter().all(|below| name(below) != name(over));
        return over.chain(specific.iter().filter(is_new).cloned()).collect();
    }
    let over = common.iter().enumerate().map(|(place, below)| match specific.get(place) {
        Some(over) if below.is_object() => merged(below, over, merge),
        _ => below.clone(),
    });
    over.chain(specific.iter().skip(common.len()).cloned()).collect()
}

/// The common template of the resource with `specific` over it. The main container is there, at its place or else at
/// the end; what no pod of Flink takes from a template is gone.
pub fn pod(start: &Start<'_>, specific: Option<&Value>, merge: ArrayMerge) -> Value {
    let nothing = Value::Null;
    let common = start.deployment.cluster.pod_template.as_ref().unwrap_or(&nothing);
    let merged = merged(common, specific.unwrap_or(&nothing), merge);
    let mut pod = json!({});
    for part in ["metadata", "spec"] {
        if let Some(value) = merged.get(part).filter(|value| value.is_object()) {
            *slot(&mut pod, &[part]) = value.clone();
        }
    }
    edit_main(&mut pod, |_| ());
    pod
}

/// The user and group `flink` of the official images.
const FLINK_USER: u32 = 9999;

/// The pod of a component with everything that does not come from Flink: the templates, the nodes it may run on, what
/// it is given besides memory and CPU, and the containers and marks of ours.
pub fn of(start: &Start<'_>, configuration: &Configuration, component: Component) -> Value {
    let cluster = &start.deployment.cluster;
    let (specific, amounts, nodes) = match component {
        Component::JobManager => {
            let manager = &cluster.job_manager;
            (&manager.pod_template, &manager.amounts, &manager.node_selector)
        }
        Component::TaskManager => {
            let tasks = &cluster.task_manager;
            (&tasks.pod_template, &tasks.amounts, &tasks.node_selector)
        }
    };
    let mut pod = pod(start, specific.as_ref(), array_merge(configuration));
    for (label, value) in nodes {
        *slot(&mut pod, &["spec", "nodeSelector", label]) = Value::from(value.as_str());
    }
    edit_main(&mut pod, |container| other_resources(container, amounts));
    sidecar::add(&mut pod, start, component);
    // A task manager of native mode is given the program by its job manager.
    if component == Component::JobManager || cluster.mode == Mode::Standalone {
        fetcher::add(&mut pod, start);
    }
    emr::adorn(&mut pod, start, component);
    secure(&mut pod, user(start));
    pod
}

/// What the main container is given besides memory and CPU, in the spelling of the resource.
fn other_resources(container: &mut Value, amounts: &Amounts) {
    for other in &amounts.others {
        for (part, amount) in [("requests", &other.request), ("limits", &other.limit)] {
            if let Some(amount) = amount {
                *slot(container, &["resources", part, &other.name]) = Value::from(amount.as_str());
            }
        }
    }
}

/// The template of the pods that Flink asks for itself; absent if Flink asks for none.
pub fn task_manager(start: &Start<'_>, configuration: &Configuration) -> Option<Value> {
    if start.deployment.cluster.mode == Mode::Standalone {
        return None;
    }
    let mut pod = of(start, configuration, Component::TaskManager);
    leave_volumes_to_flink(&mut pod, configuration);
    let mut whole = json!({ "apiVersion": "v1", "kind": "Pod" });
    for part in ["metadata", "spec"] {
        if let Some(value) = pod.get(part) {
            *slot(&mut whole, &[part]) = value.clone();
        }
    }
    Some(whole)
}

/// Takes out the volumes of Secrets that Flink adds: two of one name make no pod.
fn leave_volumes_to_flink(pod: &mut Value, configuration: &Configuration) {
    let secrets = container::secrets(pod, configuration);
    let added: Vec<String> = secrets.keys().map(|secret| container::secret_volume(secret)).collect();
    if !added.is_empty() && pod.pointer("/spec/volumes").is_some() {
        let is_added = |entry: &Value| name(entry).is_some_and(|name| added.iter().any(|added| added == name));
        edit_list(slot(pod, &["spec", "volumes"]), |volumes| volumes.retain(|entry| !is_added(entry)));
    }
}

/// As whom the containers run; absent where only the image knows: those of EMR have a user of their own.
fn user(start: &Start<'_>) -> Option<u32> {
    start.deployment.cluster.release_label.is_none().then_some(FLINK_USER)
}

/// Makes the pod one that the restricted Pod Security Standard admits, as far as its template does not say otherwise.
pub fn secure(pod: &mut Value, user: Option<u32>) {
    // Whether an image that names its user by a word runs as root is not known before it runs, and a pod that says that it
    // does not would not start. Those of EMR name theirs so, and by which number is not public: a template may say both.
    if let Some(user) = user {
        set_absent(pod, &["spec", "securityContext", "runAsNonRoot"], json!(true));
        // The images begin as root, or name their user: neither is known not to be root.
        for key in ["runAsUser", "runAsGroup", "fsGroup"] {
            set_absent(pod, &["spec", "securityContext", key], json!(user));
        }
    }
    set_absent(pod, &["spec", "securityContext", "seccompProfile"], json!({ "type": "RuntimeDefault" }));
    for kind in ["initContainers", "containers"] {
        let Some(containers) = pod.pointer_mut(&format!("/spec/{kind}")).and_then(Value::as_array_mut) else {
            continue;
        };
        for container in containers {
            set_absent(container, &["securityContext", "allowPrivilegeEscalation"], json!(false));
            set_absent(container, &["securityContext", "capabilities", "drop"], json!(["ALL"]));
        }
    }
}

#[cfg(test)]
mod tests;
