//! Changes of lists. A merge patch replaces a list as a whole, so a script says what comes into it or goes out of it,
//! and what it becomes of that is found out when the patch is made.

use serde_json::{Map, Value, json};

/// What stands in a patch where a value comes into a list.
const COMES: &str = "$comes";
/// What stands in a patch where a value goes out of a list.
const GOES: &str = "$goes";

/// What stands in a patch in the place of a list into which a value comes.
pub(super) fn with(value: Value) -> Value {
    json!({ COMES: value })
}

/// What stands in a patch in the place of a list out of which a value goes.
pub(super) fn without(value: Value) -> Value {
    json!({ GOES: value })
}

/// A patch with its lists as a whole, for an object that is `now` there.
pub(super) fn whole(patch: &Value, now: Option<&Value>) -> Value {
    let Some(fields) = patch.as_object() else { return patch.clone() };
    let mut list = now.and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(value) = fields.get(COMES) {
        if !list.contains(value) {
            list.push(value.clone());
        }
        return Value::Array(list);
    }
    if let Some(value) = fields.get(GOES) {
        list.retain(|listed| listed != value);
        return Value::Array(list);
    }
    let inner = fields.iter().map(|(name, inner)| (name.clone(), whole(inner, now.and_then(|now| now.get(name)))));
    Value::Object(inner.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_becomes_what_it_was_with_a_value_and_without() {
        let now = json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"a": 1}});
        let patched = |change: Value| whole(&json!({"metadata": {"finalizers": change}}), Some(&now));
        for (change, expected) in [
            (with(json!("c")), json!(["a", "b", "c"])),
            (with(json!("a")), json!(["a", "b"])),
            (without(json!("a")), json!(["b"])),
            (without(json!("c")), json!(["a", "b"])),
            (json!(["c"]), json!(["c"])),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(patched(change.clone()), json!({"metadata": {"finalizers": expected}}), "{change}");
        }
        assert_eq!(whole(&json!({"x": with(json!(1)), "y": {"z": 2}}), Some(&now)), json!({"x": [1], "y": {"z": 2}}));
        assert_eq!(whole(&json!({"x": without(json!(1))}), None), json!({"x": []}));
    }
}
