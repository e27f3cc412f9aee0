//! Bodies: JSON or YAML become one value; keys that stand twice are found; nothing nests deeper than allowed.
//!
//! # Invariants
//! No body makes the reader recurse deeper than [`DEPTH_MAX`]; of a key that stands twice the last value counts, as in
//! the API server.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep a body may nest.
pub const DEPTH_MAX: usize = 100;
/// The most faults that are told of one body.
const FAULTS_MAX: usize = 100;

/// A body that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What it says.
    pub value: Value,
    /// What is odd about it: ``duplicate field "spec.job"``.
    pub faults: Vec<String>,
}

/// Reads JSON; the failure is worded as Go words it where that is simple.
pub fn json(body: &[u8]) -> Result<Decoded, String> {
    let faults = RefCell::new(Vec::new());
    let node = Node { faults: &faults, path: String::new(), depth: 0 };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = node.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let value = value.map_err(|error| {
        if error.is_eof() {
            return "unexpected end of JSON input".to_owned();
        }
        error.to_string()
    })?;
    Ok(Decoded { value, faults: faults.into_inner() })
}

/// Reads YAML, of which JSON is a part.
pub fn yaml(body: &[u8]) -> Result<Decoded, String> {
    if body.trim_ascii_start().first() == Some(&b'{') {
        return json(body);
    }
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    // A few bytes of anchors and aliases can stand for more than the thread that reads them could ever build.
    let limits = serde_saphyr::budget! { max_aliases: 0, max_anchors: 0 };
    let options = serde_saphyr::options! {
        budget: limits,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
    };
    let faults = RefCell::new(Vec::new());
    let value = serde_saphyr::with_deserializer_from_str_with_options(text, options, |reader| {
        Node { faults: &faults, path: String::new(), depth: 0 }.deserialize(reader)
    });
    let value = value.map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    Ok(Decoded { value, faults: faults.into_inner() })
}

/// Reads one value that stands at a path.
struct Node<'a> {
    faults: &'a RefCell<Vec<String>>,
    path: String,
    depth: usize,
}

impl Node<'_> {
    fn child(&self, path: String) -> Node<'_> {
        Node { faults: self.faults, path, depth: self.depth + 1 }
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format!("exceeded max depth {DEPTH_MAX}")));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut list = Vec::new();
        while let Some(entry) = access.next_element_seed(self.child(format!("{}[{}]", self.path, list.len())))? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if map.contains_key(&key) {
                let mut faults = self.faults.borrow_mut();
                let fault = format!("duplicate field {path:?}");
                if faults.len() < FAULTS_MAX && !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
            let value = access.next_value_seed(self.child(path))?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_stand_twice_are_told_with_their_path_and_the_last_counts() {
        let read = json(br#"{"spec":{"s":1,"s":2,"s":3,"l":[{"a":1,"a":2}]},"data":{}}"#).unwrap();
        assert_eq!(read.value, json!({"spec": {"s": 3, "l": [{"a": 2}]}, "data": {}}));
        assert_eq!(read.faults, ["duplicate field \"spec.s\"", "duplicate field \"spec.l[0].a\""]);
    }

    #[test]
    fn a_body_that_nests_too_deep_is_refused() {
        for depth in [DEPTH_MAX + 1, 1_000_000] {
            let bomb = "[".repeat(depth) + &"]".repeat(depth);
            assert!(json(bomb.as_bytes()).is_err(), "{depth}");
        }
        let fits = "[".repeat(DEPTH_MAX - 1) + &"]".repeat(DEPTH_MAX - 1);
        assert!(json(fits.as_bytes()).is_ok());
    }

    #[test]
    fn yaml_is_read_as_json_is() {
        let read = yaml(b"spec:\n  n: 3\n  text: 'yes'\n  list: [a, null, 1.5]\n").unwrap();
        assert_eq!(read.value, json!({"spec": {"n": 3, "text": "yes", "list": ["a", null, 1.5]}}));
        assert!(yaml(b"a: [").is_err());
    }

    #[test]
    fn yaml_that_names_parts_of_itself_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..8 {
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
        }
        for body in [bomb.as_str(), "a: &x 1\nb: *x\n", "a: &x 1\n", "- &x [1]\n- *x\n"] {
            assert!(yaml(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        assert_eq!(json(b"{\"a\":1").unwrap_err(), "unexpected end of JSON input");
        assert_eq!(json(b"").unwrap_err(), "unexpected end of JSON input");
        assert!(json(b"{}x").is_err());
    }
}
