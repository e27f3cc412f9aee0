//! The annotation in which `kubectl` without server-side apply keeps what it applied last.
//!
//! Somebody who goes over from one to the other owns what stands there, unless it was changed since.
//!
//! # Source
//! `apimachinery`, `pkg/util/managedfields/internal/lastapplied.go`, `lastappliedmanager.go`, `lastappliedupdater.go`.

use kobel_resources::schema::Schema;
use serde_json::{Map, Value};

use super::set::Set;
use super::shape::Shape;
use super::walk::{compare, fields_of};

/// The only manager that writes the annotation.
pub(crate) const KUBECTL: &str = "kubectl";

/// The annotation.
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The fields that were applied last and have not changed since.
pub(crate) fn still_applied(live: &Value, schema: &Schema, api_version: &str) -> Set {
    let text = live.pointer("/metadata/annotations").and_then(|annotations| annotations.get(ANNOTATION));
    let last: Option<Value> = text.and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let Some(last) = last.filter(|last| last.get("apiVersion").and_then(Value::as_str) == Some(api_version)) else {
        return Set::default();
    };
    let shape = Shape::Object(schema);
    let found = compare(&last, live, shape);
    fields_of(&last, shape).difference(&found.changed()).difference(&found.removed)
}

/// Brings the annotation up to date, if the object has it.
pub(crate) fn refresh(object: &mut Value, applied: &Value) {
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    let Some(annotation) = annotations.and_then(|annotations| annotations.get_mut(ANNOTATION)) else { return };
    if annotation.as_str().is_none_or(str::is_empty) {
        return;
    }
    let mut applied = applied.clone();
    if let Some(annotations) = applied.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(ANNOTATION);
    }
    // Go's encoder writes keys in order, these characters as escapes, and a line feed at the end.
    let text = sorted(&applied).to_string();
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    *annotation = Value::String(format!("{text}\n"));
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries: Map<String, Value> =
                entries.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            Value::Object(entries)
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
