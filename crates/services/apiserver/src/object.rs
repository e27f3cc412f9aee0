//! Reading and writing the metadata of API objects, which are JSON values.
//!
//! Reads never fail: what is absent or of another type reads as absent. Schema and metadata validation refuse wrong
//! types before an object is stored.

use serde_json::{Map, Value};

/// The word that Go has for the JSON type of a value.
pub fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A text below `metadata`; empty if it is absent.
pub fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// The object's name.
pub fn name(object: &Value) -> &str {
    meta(object, "name")
}

/// The object's namespace, empty if it has none.
pub fn namespace(object: &Value) -> &str {
    meta(object, "namespace")
}

/// The object's unique id.
pub fn uid(object: &Value) -> &str {
    meta(object, "uid")
}

/// The object's generation, 0 if it has none.
pub fn generation(object: &Value) -> i64 {
    object.get("metadata").and_then(|meta| meta.get("generation")).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether the object is being deleted.
pub fn is_deleting(object: &Value) -> bool {
    !meta(object, "deletionTimestamp").is_empty()
}

/// The object's finalizers.
pub fn finalizers(object: &Value) -> Vec<&str> {
    let listed = object.get("metadata").and_then(|meta| meta.get("finalizers")).and_then(Value::as_array);
    listed.map(|listed| listed.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The object's labels or annotations.
pub fn text_map<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = object.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// The unique ids of the object's owners.
pub fn owner_uids(object: &Value) -> Vec<&str> {
    let owners = object.get("metadata").and_then(|meta| meta.get("ownerReferences")).and_then(Value::as_array);
    owners.map(|owners| owners.iter().filter_map(|owner| owner.get("uid")?.as_str()).collect()).unwrap_or_default()
}

/// The metadata to write to; it is made if it is absent. A non-object is replaced.
pub fn meta_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let map = object.as_object_mut().expect("made an object above");
    let meta = map.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if !meta.is_object() {
        *meta = Value::Object(Map::new());
    }
    meta.as_object_mut().expect("made an object above")
}

/// Follows a CRD's JSON path of plain names (`.status.jobStatus.state`).
pub fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(object, |value, step| value.get(step))
}
