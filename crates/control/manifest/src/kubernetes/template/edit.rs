//! How a pod, or any other object, is changed.
//!
//! All of it is total: what stands where an object or a list has to stand is replaced by one.

use serde_json::{Value, json};

use crate::kubernetes::MAIN_CONTAINER;

/// The value at `path`. What is not there yet is made: null, in objects.
pub fn slot<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Value {
    path.iter().fold(value, |value, key| {
        if !value.is_object() {
            *value = json!({});
        }
        // In an object this makes what is absent.
        &mut value[*key]
    })
}

/// Sets what stands at `path` unless something does.
pub fn set_absent(value: &mut Value, path: &[&str], new: Value) {
    let slot = slot(value, path);
    if slot.is_null() {
        *slot = new;
    }
}

/// Puts `entry` into the list at `path`, in place of the one with the same `name`, or else at its end.
pub fn put(value: &mut Value, path: &[&str], entry: Value) {
    put_by("name", value, path, entry);
}

/// The same for a list whose entries are told apart by `key`.
pub fn put_by(key: &str, value: &mut Value, path: &[&str], entry: Value) {
    edit_list(slot(value, path), |entries| {
        let same = entries.iter_mut().find(|other| other.get(key).is_some() && other.get(key) == entry.get(key));
        match same {
            Some(same) => *same = entry,
            None => entries.push(entry),
        }
    });
}

/// Changes the list that stands in `slot`.
pub fn edit_list(slot: &mut Value, change: impl FnOnce(&mut Vec<Value>)) {
    let mut entries = match slot.take() {
        Value::Array(entries) => entries,
        _ => Vec::new(),
    };
    change(&mut entries);
    *slot = Value::Array(entries);
}

/// Changes the main container, which is put at the end of the containers if it is not there.
pub fn edit_main(pod: &mut Value, change: impl FnOnce(&mut Value)) {
    edit_list(slot(pod, &["spec", "containers"]), |containers| {
        if let Some(main) = containers.iter_mut().find(|container| name(container) == Some(MAIN_CONTAINER)) {
            change(main);
        } else {
            let mut main = json!({ "name": MAIN_CONTAINER });
            change(&mut main);
            containers.push(main);
        }
    });
}

/// The name of an element of a list.
pub fn name(element: &Value) -> Option<&str> {
    element.get("name").and_then(Value::as_str)
}
