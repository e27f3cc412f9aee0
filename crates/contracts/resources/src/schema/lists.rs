//! Lists whose entries must differ: sets, and maps in the form of lists.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::node::{ListType, Schema};
use super::path::Path;
use crate::problem::{Problem, ProblemKind};

/// Collects the problems of all sets and map lists at and below `path`.
pub(super) fn check(schema: &Schema, path: Path<'_>, value: &Value, problems: &mut Vec<Problem>) {
    match value {
        Value::Array(entries) => {
            match &schema.list_type {
                ListType::Atomic => {}
                ListType::Set => differ(path, entries.iter().cloned(), problems),
                ListType::Map(keys) => check_map(path, entries, keys, problems),
            }
            if let Some(items) = schema.items() {
                for (index, value) in entries.iter().enumerate() {
                    check(items, Path::Entry(&path, index), value, problems);
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if let Some(inner) = schema.properties.get(name) {
                    check(inner, Path::Field(&path, name), member, problems);
                } else if let Some(inner) = &schema.additional {
                    check(inner, Path::Key(&path, name), member, problems);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Checks a list whose entries are told apart by the values of `keys`.
fn check_map(path: Path<'_>, entries: &[Value], keys: &[String], problems: &mut Vec<Problem>) {
    for (index, value) in entries.iter().enumerate() {
        if !value.is_object() && !value.is_null() {
            let detail = "must be an object for an array of list-type map";
            problems.push(Problem::invalid(Path::Entry(&path, index), value.clone(), detail));
            return;
        }
    }
    let keys_of = |value: &Value| {
        let given = keys.iter().filter_map(|key| Some((key.clone(), value.get(key)?.clone())));
        Value::Object(given.collect::<Map<String, Value>>())
    };
    differ(path, entries.iter().map(keys_of), problems);
}

/// Names every value that stands a second time; a third one is not named again.
fn differ(path: Path<'_>, values: impl Iterator<Item = Value>, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, value) in values.enumerate() {
        let times = seen.entry(value.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            problems.push(Problem::new(ProblemKind::Duplicate, Path::Entry(&path, index), value, ""));
        }
    }
}
