//! Values that are secret are not shown: of options in a configuration, and of the copies that others keep of it.

use kobel_model::settings::{is_secret, redact};
use serde_json::Value;

/// The annotation in which kubectl keeps a whole manifest.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Fields that keep a whole spec as a text.
const RECORDS: [&str; 2] = ["lastReconciledSpec", "lastStableSpec"];

/// Hides the values of options that hold secrets, also in the copies that the status and annotations keep.
pub(crate) fn hide_options(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if name == "flinkConfiguration" {
                    hide_values("", inner);
                } else if name == LAST_APPLIED {
                    *inner = "<hidden>".into();
                } else if RECORDS.contains(&name.as_str()) {
                    hide_recorded(inner);
                } else {
                    hide_options(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_options),
        _ => {}
    }
}

/// Hides what is a secret in a configuration, whose keys may be nested.
fn hide_values(key: &str, value: &mut Value) {
    if let Value::Object(fields) = value {
        for (name, inner) in fields {
            hide_values(&if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, inner);
        }
    } else if is_secret(key) && !value.is_null() {
        *value = redact(key, "").into();
    }
}

/// Hides what is a secret in a spec that is kept as a text.
fn hide_recorded(record: &mut Value) {
    let Some(text) = record.as_str() else { return };
    match serde_json::from_str::<Value>(text) {
        Ok(mut spec) => {
            hide_options(&mut spec);
            *record = spec.to_string().into();
        }
        // What cannot be read may hold anything.
        Err(_) if !text.is_empty() => *record = "<hidden>".into(),
        Err(_) => {}
    }
}
