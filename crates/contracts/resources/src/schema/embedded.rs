//! Whole Kubernetes objects inside an object: they say what they are.

use serde_json::{Map, Value};

use super::node::Schema;
use super::path::Path;
use crate::problem::Problem;

/// Collects the problems of all embedded objects at and below `path`.
pub(super) fn check(schema: &Schema, path: Path<'_>, value: &Value, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(members) => {
            if schema.embedded {
                for name in ["apiVersion", "kind"] {
                    check_name(Path::Field(&path, name), members, name, problems);
                }
            }
            for (name, member) in members {
                if let Some(inner) = schema.property(name) {
                    check(inner, Path::Field(&path, name), member, problems);
                }
            }
        }
        Value::Array(entries) => {
            if let Some(items) = schema.items() {
                for (index, value) in entries.iter().enumerate() {
                    check(items, Path::Entry(&path, index), value, problems);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Checks that the field `name` is there and says something.
fn check_name(path: Path<'_>, members: &Map<String, Value>, name: &str, problems: &mut Vec<Problem>) {
    match members.get(name) {
        None => problems.push(Problem::required(path, "")),
        Some(Value::String(text)) if text.is_empty() => {
            problems.push(Problem::invalid(path, "", "must not be empty"));
        }
        Some(Value::String(_)) => {}
        Some(other) => problems.push(Problem::invalid(path, other.clone(), "must be a string")),
    }
}
