//! The columns of Kubernetes' own kinds, and how their cells are computed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age::since;
use crate::kind::{Column, Kind};
use crate::object;

/// What Kubernetes says of `metadata.name`.
pub const NAME_DOC: &str = "Name must be unique within a namespace. Is required when creating resources, although some \
    resources may allow a client to request the generation of an appropriate name automatically. Name is primarily \
    intended for creation idempotence and configuration definition. Cannot be updated. More info: \
    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
/// What Kubernetes says of `metadata.creationTimestamp`.
pub const CREATION_DOC: &str = "CreationTimestamp is a timestamp representing the server time when this object was \
    created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set \
    this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for \
    lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

const CONFIG_DATA_DOC: &str = "Data contains the configuration data. Each key must consist of alphanumeric characters, \
    '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must \
    not overlap with the keys in the BinaryData field, this is enforced during validation process.";
const SECRET_TYPE_DOC: &str = "Used to facilitate programmatic handling of secret data. More info: \
    https://kubernetes.io/docs/concepts/configuration/secret/#secret-types";
const SECRET_DATA_DOC: &str = "Data contains the secret data. Each key must consist of alphanumeric characters, '-', \
    '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary \
    (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4";
const ROLE_REF_DOC: &str = "RoleRef can reference a Role in the current namespace or a ClusterRole in the global \
    namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.";
const CLUSTER_ROLE_REF_DOC: &str = "RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef \
    cannot be resolved, the Authorizer must return an error.";
const HOLDER_DOC: &str = "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader \
    Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.";
const SUBOBJECT_DOC: &str = "If referring to a piece of an object instead of an entire object, this string should \
    contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the \
    object reference is to a container within a pod, this would take on a value like: \"spec.containers{name}\" (where \
    \"name\" refers to the name of the container that triggered the event) or if no container name is specified \
    \"spec.containers[2]\" (container with index 2 in this pod). This syntax is chosen only to have some well-defined \
    way of referencing a part of an object.";

fn column(name: &str, description: &str, priority: i32) -> Column {
    let (kind, format, json_path) = ("string".to_owned(), String::new(), String::new());
    Column { name: name.to_owned(), kind, format, description: description.to_owned(), priority, json_path }
}

fn name(priority: i32) -> Column {
    Column { format: "name".to_owned(), ..column("Name", NAME_DOC, priority) }
}

fn age() -> Column {
    column("Age", CREATION_DOC, 0)
}

/// The columns of one of Kubernetes' own kinds, the name included.
pub fn columns(kind: &Kind) -> Vec<Column> {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "configmaps") => vec![name(0), column("Data", CONFIG_DATA_DOC, 0), age()],
        ("", "secrets") => {
            vec![name(0), column("Type", SECRET_TYPE_DOC, 0), column("Data", SECRET_DATA_DOC, 0), age()]
        }
        ("", "serviceaccounts") => vec![name(0), age()],
        ("", "namespaces") => vec![name(0), column("Status", "The status of the namespace", 0), age()],
        ("" | "events.k8s.io", "events") => event_columns(),
        (_, "rolebindings") => binding_columns(ROLE_REF_DOC, "roleBinding"),
        (_, "clusterrolebindings") => binding_columns(CLUSTER_ROLE_REF_DOC, "clusterRoleBinding"),
        ("coordination.k8s.io", "leases") => vec![name(0), column("Holder", HOLDER_DOC, 0), age()],
        _ => vec![name(0), Column { kind: "date".to_owned(), ..column("Created At", CREATION_DOC, 0) }],
    }
}

fn event_columns() -> Vec<Column> {
    vec![
        column("Last Seen", "The time at which the most recent occurrence of this event was recorded.", 0),
        column("Type", "Type of this event (Normal, Warning), new types could be added in the future", 0),
        column(
            "Reason",
            "This should be a short, machine understandable string that gives the reason for the transition into the \
             object's current status.",
            0,
        ),
        column("Object", "The object that this event is about.", 0),
        column("Subobject", SUBOBJECT_DOC, 1),
        column("Source", "The component reporting this event. Should be a short machine understandable string.", 1),
        column("Message", "A human-readable description of the status of this operation.", 0),
        column(
            "First Seen",
            "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)",
            1,
        ),
        column("Count", "The number of times this event has occurred.", 1),
        name(1),
    ]
}

fn binding_columns(role: &str, what: &str) -> Vec<Column> {
    let subjects = |title: &str| column(title, &format!("{title} in the {what}"), 1);
    vec![name(0), column("Role", role, 0), age(), subjects("Users"), subjects("Groups"), subjects("ServiceAccounts")]
}

/// The cells of one of Kubernetes' own kinds, in the order of [`columns`].
pub fn cells(kind: &Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    let name = json!(object::name(object));
    let created = object::meta(object, "creationTimestamp");
    let age = json!(since(created, now));
    let count = |field: &str| object.get(field).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "configmaps") => vec![name, json!(count("data") + count("binaryData")), age],
        ("", "secrets") => vec![name, json!(text(object, "type")), json!(count("data")), age],
        ("", "serviceaccounts") => vec![name, age],
        ("", "namespaces") => vec![name, json!(text(object, "status.phase")), age],
        ("" | "events.k8s.io", "events") => event_cells(object, now),
        (_, "rolebindings" | "clusterrolebindings") => {
            let role = format!("{}/{}", text(object, "roleRef.kind"), text(object, "roleRef.name"));
            let subjects = |kind: &str| json!(subjects(object, kind));
            vec![name, json!(role), age, subjects("User"), subjects("Group"), subjects("ServiceAccount")]
        }
        ("coordination.k8s.io", "leases") => vec![name, json!(text(object, "spec.holderIdentity")), age],
        _ => vec![name, json!(created)],
    }
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object::at(object, path).and_then(Value::as_str).unwrap_or_default()
}

fn first(choices: [&str; 2]) -> &str {
    choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default()
}

fn subjects(binding: &Value, kind: &str) -> String {
    let listed = binding.get("subjects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown = listed.iter().filter(|subject| text(subject, "kind") == kind).map(|subject| {
        let name = text(subject, "name");
        if kind == "ServiceAccount" { format!("{}/{name}", text(subject, "namespace")) } else { name.to_owned() }
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn event_cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let seen_first = since(first([text(event, "firstTimestamp"), text(event, "eventTime")]), now);
    let has_series = event.get("series").is_some_and(Value::is_object);
    let seen_last = match text(event, "lastTimestamp") {
        _ if has_series => since(text(event, "series.lastObservedTime"), now),
        "" => seen_first.clone(),
        time => since(time, now),
    };
    let number = |path: &str| object::at(event, path).and_then(Value::as_i64).unwrap_or_default();
    let count = if has_series { number("series.count") } else { number("count").max(1) };
    let kind = text(event, "involvedObject.kind").to_lowercase();
    let target = match text(event, "involvedObject.name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let component = first([text(event, "source.component"), text(event, "reportingComponent")]);
    let source = match first([text(event, "source.host"), text(event, "reportingInstance")]) {
        "" => component.to_owned(),
        instance => format!("{component}, {instance}"),
    };
    vec![
        json!(seen_last),
        json!(text(event, "type")),
        json!(text(event, "reason")),
        json!(target),
        json!(text(event, "involvedObject.fieldPath")),
        json!(source),
        json!(text(event, "message").trim()),
        json!(seen_first),
        json!(count),
        json!(object::name(event)),
    ]
}
