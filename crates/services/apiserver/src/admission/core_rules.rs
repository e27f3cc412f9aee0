//! What Namespaces, Secrets, ConfigMaps and Events need besides their schemas.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kobel_resources::{Problem, ProblemKind};
use serde_json::{Map, Value, json};

use super::names;
use crate::kind::Kind;
use crate::object;
use crate::status::{Answer, Status};

/// The most bytes that all values of a Secret or ConfigMap have together.
const CONTENT_MAX: usize = 1_048_576;
/// What is said of a change to a Secret or ConfigMap that must not change.
const IMMUTABLE: &str = "field is immutable when `immutable` is set";
/// The label of a namespace that tells its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Fills in what a core kind's object has although nobody wrote it.
pub fn prepare(kind: &Kind, object: &mut Value, previous: Option<&Value>) -> Answer<()> {
    match core_kind(kind) {
        "Namespace" => prepare_namespace(object, previous),
        "Secret" => {
            merge_string_data(object);
            let missing = object.get("type").and_then(Value::as_str).is_none_or(str::is_empty);
            if missing {
                let before = previous.and_then(|previous| previous.get("type")).cloned();
                object["type"] = before.unwrap_or_else(|| json!("Opaque"));
            }
            check_base64(kind, object, "data")?;
        }
        "ConfigMap" => check_base64(kind, object, "binaryData")?,
        _ => {}
    }
    Ok(())
}

/// The kind's name if it is of the core group, else nothing.
fn core_kind(kind: &Kind) -> &str {
    if kind.group.is_empty() { &kind.kind } else { "" }
}

fn prepare_namespace(object: &mut Value, previous: Option<&Value>) {
    let name = object::name(object).to_owned();
    let labels = object::meta_mut(object).entry("labels").or_insert_with(|| json!({}));
    labels[NAME_LABEL] = Value::String(name);
    let kept = |field: &str, initial: Value| {
        let before = previous.and_then(|previous| previous.get(field)).cloned();
        before.unwrap_or(initial)
    };
    object["spec"] = kept("spec", json!({"finalizers": ["kubernetes"]}));
    object["status"] = kept("status", json!({"phase": "Active"}));
}

fn merge_string_data(object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    let Some(Value::Object(texts)) = map.shift_remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    for (key, text) in texts {
        if let Value::String(text) = text {
            data[key] = Value::String(STANDARD.encode(text));
        }
    }
}

fn check_base64(kind: &Kind, object: &Value, field: &str) -> Answer<()> {
    for (_, value) in entries(object, field) {
        if let Err(fault) = STANDARD.decode(value) {
            let at = match fault {
                base64::DecodeError::InvalidByte(at, _) => at,
                _ => value.len(),
            };
            let (name, version) = (&kind.kind, &kind.version);
            let why = format!("illegal base64 data at input byte {at}");
            let message = format!("{name} in version \"{version}\" cannot be handled as a {name}: {why}");
            return Err(Status::bad_request(message));
        }
    }
    Ok(())
}

/// The texts of a map of the object.
fn entries<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = object.get(field).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// Checks what the schema of a core kind cannot say.
pub fn check(kind: &Kind, object: &Value, previous: Option<&Value>) -> Vec<Problem> {
    match core_kind(kind) {
        "ConfigMap" => {
            let mut problems = check_keys(object, "data");
            for (key, _) in entries(object, "data") {
                if object.get("binaryData").is_some_and(|binary| binary.get(key).is_some()) {
                    let detail = "duplicate of key present in binaryData";
                    problems.push(Problem::invalid(format!("data[{key}]"), key, detail));
                }
            }
            problems.extend(check_keys(object, "binaryData"));
            problems.extend(check_size(object, "[]"));
            problems.extend(check_immutable(object, previous, &["data", "binaryData"]));
            problems
        }
        "Secret" => {
            let mut problems = check_secret_change(object, previous);
            problems.extend(check_keys(object, "data"));
            problems.extend(check_size(object, "data"));
            problems.extend(check_secret_content(object));
            problems
        }
        "Event" => check_event(object),
        _ => Vec::new(),
    }
}

fn check_keys(object: &Value, field: &str) -> Vec<Problem> {
    let faults =
        entries(object, field).flat_map(|(key, _)| names::config_key(key).into_iter().map(move |why| (key, why)));
    faults.map(|(key, why)| Problem::invalid(format!("{field}[{key}]"), key, why)).collect()
}

fn check_size(object: &Value, path: &str) -> Option<Problem> {
    let is_text = object.get("kind").and_then(Value::as_str) == Some("ConfigMap");
    let decoded = |value: &str| STANDARD.decode(value).map_or(value.len(), |bytes| bytes.len());
    let texts: usize =
        entries(object, "data").map(|(_, value)| if is_text { value.len() } else { decoded(value) }).sum();
    let bytes: usize = entries(object, "binaryData").map(|(_, value)| decoded(value)).sum();
    let detail = format!("may not be more than {CONTENT_MAX} bytes");
    (texts + bytes > CONTENT_MAX).then(|| Problem {
        path: path.to_owned(),
        kind: ProblemKind::TooLong,
        value: None,
        detail,
    })
}

fn check_immutable(object: &Value, previous: Option<&Value>, fields: &[&str]) -> Vec<Problem> {
    let Some(previous) = previous.filter(|previous| previous.get("immutable") == Some(&Value::Bool(true))) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if object.get("immutable") != Some(&Value::Bool(true)) {
        problems.push(Problem::forbidden("immutable", IMMUTABLE));
    }
    let changed = fields.iter().filter(|field| object.get(**field) != previous.get(**field));
    problems.extend(changed.map(|field| Problem::forbidden(*field, IMMUTABLE)));
    problems
}

fn check_secret_change(object: &Value, previous: Option<&Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(previous) = previous
        && object.get("type") != previous.get("type")
    {
        let given = object.get("type").cloned().unwrap_or_default();
        problems.push(Problem::invalid("type", given, "field is immutable"));
    }
    problems.extend(check_immutable(object, previous, &["data"]));
    problems
}

/// Checks that a Secret of a known type has the keys of its type; values are never shown.
fn check_secret_content(object: &Value) -> Vec<Problem> {
    let has = |key: &str| object.get("data").is_some_and(|data| data.get(key).is_some());
    let wanted: &[&str] = match object.get("type").and_then(Value::as_str).unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => &["username", "password"],
        _ => &[],
    };
    let missing = wanted.iter().filter(|key| !has(key));
    missing.map(|key| Problem::required(format!("data[{key}]"), "")).collect()
}

fn check_event(object: &Value) -> Vec<Problem> {
    let about = object.get("involvedObject").and_then(|about| about.get("namespace"));
    let given = about.and_then(Value::as_str).unwrap_or_default();
    // An event about an object without a namespace stands in `default`.
    let own = object::namespace(object);
    if given == own || (given.is_empty() && own == "default") {
        return Vec::new();
    }
    vec![Problem::invalid("involvedObject.namespace", given, "does not match event.namespace")]
}
