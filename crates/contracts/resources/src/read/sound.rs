//! The copy of a manifest that holds only what its schema accepts.

use serde_json::Value;

use super::findings::Findings;
use crate::problem::after;
use crate::schema::Schema;

/// Makes the copy: unknown fields are dropped with a warning, refused values are taken out with their problem.
pub(super) fn sound(object: &Value, schema: &Schema) -> (Value, Findings) {
    let mut copy = object.clone();
    let unknown = schema.prune(&mut copy);
    schema.fill_defaults(&mut copy);
    let problems = schema.validate(&copy);
    for problem in &problems {
        take_out(&mut copy, &problem.path);
    }
    let warnings = unknown.into_iter().map(|path| format!("unknown field \"{path}\"")).collect();
    (copy, Findings::new(problems, warnings))
}

/// Takes out what stands at `path`; an entry of a list becomes null, so that no other entry moves.
fn take_out(value: &mut Value, path: &str) {
    match value {
        Value::Object(members) => {
            let path = path.strip_prefix('.').unwrap_or(path);
            let matching = members.keys().filter_map(|key| Some((key.clone(), after(path, key)?)));
            // A key may hold points itself, so the longest one that fits is meant.
            let Some((key, rest)) = matching.max_by_key(|(key, _)| key.len()) else {
                return;
            };
            if rest.is_empty() {
                members.remove(&key);
            } else if let Some(inner) = members.get_mut(&key) {
                take_out(inner, rest);
            }
        }
        Value::Array(entries) => {
            let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) else {
                return;
            };
            let Some(entry) = index.parse().ok().and_then(|index: usize| entries.get_mut(index)) else {
                return;
            };
            if rest.is_empty() {
                *entry = Value::Null;
            } else {
                take_out(entry, rest);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_path_names_is_taken_out() {
        for (path, expected) in [
            ("a.b", json!({"a": {"b.c": 2, "d": [1, {"e": 3}]}})),
            ("a.b.c", json!({"a": {"b": 1, "d": [1, {"e": 3}]}})),
            ("a[b.c]", json!({"a": {"b": 1, "d": [1, {"e": 3}]}})),
            ("a.d[0]", json!({"a": {"b": 1, "b.c": 2, "d": [null, {"e": 3}]}})),
            ("a.d[1].e", json!({"a": {"b": 1, "b.c": 2, "d": [1, {}]}})),
            ("a.d[7].e", json!({"a": {"b": 1, "b.c": 2, "d": [1, {"e": 3}]}})),
            ("x.y", json!({"a": {"b": 1, "b.c": 2, "d": [1, {"e": 3}]}})),
            ("a", json!({})),
        ] {
            let mut value = json!({"a": {"b": 1, "b.c": 2, "d": [1, {"e": 3}]}});
            take_out(&mut value, path);
            assert_eq!(value, expected, "for `{path}`");
        }
    }
}
