//! How deep a JSON value nests, counted without recursion: it is asked before anything that recurses sees the value.

use serde_json::Value;

/// How many lists and maps are inside one another at most: 0 for a plain value, 1 for `[]`.
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut waiting = vec![(value, 1)];
    while let Some((value, level)) = waiting.pop() {
        match value {
            Value::Array(list) => waiting.extend(list.iter().map(|entry| (entry, level + 1))),
            Value::Object(map) => waiting.extend(map.values().map(|entry| (entry, level + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => continue,
        }
        deepest = deepest.max(level);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_maps_count_and_plain_values_do_not() {
        for (value, expected) in [
            (json!(null), 0),
            (json!("text"), 0),
            (json!([]), 1),
            (json!({"a": 1}), 1),
            (json!({"a": [1, {"b": {}}], "c": 2}), 4),
        ] {
            assert_eq!(depth(&value), expected, "{value}");
        }
    }
}
