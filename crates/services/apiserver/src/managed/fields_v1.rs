//! `fieldsV1`: how sets of field paths are written into `metadata.managedFields`.
//!
//! Written keys are in the order of steps, so that equal sets are equal texts.
//!
//! # Source
//! `structured-merge-diff`, `fieldpath/serialize.go` and `serialize-pe.go`.

use serde_json::{Map, Value};

use super::set::{Node, Scalar, Set, Step};

/// The key that says that the path which ends here is in the set.
const SELF: &str = ".";

/// Writes a set.
pub(crate) fn encode(set: &Set) -> Value {
    Value::Object(contents(set, Map::new()))
}

fn contents(set: &Set, mut out: Map<String, Value>) -> Map<String, Value> {
    for (step, node) in set.nodes() {
        let mut below = Map::new();
        if node.member && !node.below.is_empty() {
            below.insert(SELF.to_owned(), Value::Object(Map::new()));
        }
        out.insert(encode_step(step), Value::Object(contents(&node.below, below)));
    }
    out
}

fn encode_step(step: &Step) -> String {
    match step {
        Step::Field(name) => format!("f:{name}"),
        Step::Key(keys) => {
            let keys: Map<String, Value> = keys.iter().map(|(name, value)| (name.clone(), value.to_value())).collect();
            format!("k:{}", Value::Object(keys))
        }
        Step::Value(value) => format!("v:{}", value.to_value()),
        Step::Index(index) => format!("i:{index}"),
    }
}

/// Reads a set; nothing if a key cannot be read. Steps of a kind that is not known are left out.
pub(crate) fn decode(value: &Value) -> Option<Set> {
    let mut set = Set::default();
    for (key, below) in value.as_object()? {
        if key == SELF {
            continue;
        }
        let Some(step) = decode_step(key)? else { continue };
        let is_leaf = below.as_object().is_none_or(Map::is_empty);
        let member = is_leaf || below.get(SELF).is_some();
        let below = if is_leaf { Set::default() } else { decode(below)? };
        set.put(step, Node { member, below });
    }
    Some(set)
}

/// `None` is a key that cannot be read, `Some(None)` a step of a kind that is not known.
fn decode_step(key: &str) -> Option<Option<Step>> {
    let (kind, text) = key.split_once(':')?;
    let step = match kind {
        "f" => Step::Field(text.to_owned()),
        "v" => Step::Value(Scalar::of(&serde_json::from_str(text).ok()?)?),
        "i" => Step::Index(text.parse().ok()?),
        "k" => {
            let keys: Map<String, Value> = serde_json::from_str(text).ok()?;
            let keys: Option<Vec<_>> =
                keys.iter().map(|(name, value)| Some((name.clone(), Scalar::of(value)?))).collect();
            let mut keys = keys?;
            keys.sort();
            Step::Key(keys)
        }
        _ => return Some(None),
    };
    Some(Some(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_it_was() {
        let texts = [
            r#"{}"#,
            r#"{"f:spec":{".":{},"f:a":{}}}"#,
            r#"{"f:spec":{"f:env":{"k:{\"name\":\"x\"}":{".":{},"f:name":{}}}}}"#,
            r#"{"f:tags":{".":{},"v:2":{},"v:\"s\"":{}}}"#,
            r#"{"f:l":{"i:3":{}}}"#,
        ];
        for text in texts {
            let set = decode(&serde_json::from_str(text).unwrap()).unwrap();
            let again = encode(&set);
            assert_eq!(again.to_string(), text);
        }
    }

    #[test]
    fn keys_are_written_in_order() {
        let given = r#"{"f:b":{},"v:\"t\"":{},"k:{\"z\":1,\"a\":2}":{},"f:a":{},".":{}}"#;
        let set = decode(&serde_json::from_str(given).unwrap()).unwrap();
        assert_eq!(encode(&set).to_string(), r#"{"f:a":{},"f:b":{},"k:{\"a\":2,\"z\":1}":{},"v:\"t\"":{}}"#);
    }

    #[test]
    fn unknown_steps_are_left_out_and_broken_ones_refused() {
        assert_eq!(decode(&serde_json::json!({"q:x": {}})), Some(Set::default()));
        for broken in ["f", "k:[]", "i:x", "v:{}"] {
            assert_eq!(decode(&serde_json::json!({broken: {}})), None, "{broken}");
        }
    }
}
