//! Why pods do not come up, as their status tells: for a person.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `AbstractFlinkDeploymentObserver.checkFailedCreate`, `checkContainerErrors`.

use serde_json::Value;

/// Reasons for which a container waits that do not pass by themselves soon.
const STUCK: [&str; 6] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "RunContainerError",
    "CreateContainerConfigError",
];

/// What keeps the pods of a job manager from running, if something is told.
pub(super) fn of(manager: &Value, pods: &[Value]) -> Option<String> {
    refused(manager).or_else(|| pods.iter().find_map(stuck)).or_else(|| pods.iter().find_map(unscheduled))
}

/// Why no pod may be made.
fn refused(manager: &Value) -> Option<String> {
    let failure = condition(manager, "ReplicaFailure")?;
    (text(failure, "/status") == "True").then(|| format!("{}: {}", text(failure, "/reason"), text(failure, "/message")))
}

/// Why a container of a pod does not run.
fn stuck(pod: &Value) -> Option<String> {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let statuses = statuses.iter().filter_map(|place| pod.pointer(place)?.as_array()).flatten();
    let name = text(pod, "/metadata/name");
    let why = |status: &Value| {
        let reason = text(status, "/state/waiting/reason");
        let killed = text(status, "/lastState/terminated/reason");
        let container = text(status, "/name");
        if !STUCK.contains(&reason) {
            return None;
        }
        let last = text(status, "/lastState/terminated/message");
        let said = [text(status, "/state/waiting/message"), killed, last].into_iter().filter(|text| !text.is_empty());
        Some(format!("pod `{name}`, container `{container}`: {reason}: {}", said.collect::<Vec<_>>().join("; ")))
    };
    statuses.into_iter().find_map(why)
}

/// Why a pod has no node.
fn unscheduled(pod: &Value) -> Option<String> {
    let scheduled = condition(pod, "PodScheduled")?;
    let name = text(pod, "/metadata/name");
    (text(scheduled, "/status") == "False")
        .then(|| format!("pod `{name}` has no node: {}: {}", text(scheduled, "/reason"), text(scheduled, "/message")))
}

/// What is told under a condition of an object.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| text(condition, "/type") == kind)
}

fn text<'a>(object: &'a Value, place: &str) -> &'a str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_keeps_a_pod_from_running_is_told() {
        let waiting = |reason: &str| {
            json!({"metadata": {"name": "orders-1"}, "status": {"containerStatuses": [
                {"name": "flink-main-container", "state": {"waiting": {"reason": reason, "message": "no such image"}}}]}})
        };
        let pending = json!({"metadata": {"name": "orders-1"}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]}});
        let failed = json!({"status": {"conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]}});
        let fine = json!({"status": {}});
        for (manager, pods, expected) in [
            (&failed, vec![waiting("ImagePullBackOff")], Some("FailedCreate: exceeded quota")),
            (
                &fine,
                vec![waiting("ImagePullBackOff")],
                Some("pod `orders-1`, container `flink-main-container`: ImagePullBackOff: no such image"),
            ),
            (&fine, vec![waiting("ContainerCreating")], None),
            (&fine, vec![pending], Some("pod `orders-1` has no node: Unschedulable: 0/3 nodes")),
            (&fine, vec![], None),
        ] {
            assert_eq!(of(manager, &pods).as_deref(), expected, "{pods:?}");
        }
    }
}
