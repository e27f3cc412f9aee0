//! The shape of a JSON answer: which types stand at which path, and how two shapes differ.
//!
//! A path is `.key` for a field and `[]` for an element; a key that is data, such as an id, is `.*`. All elements of a
//! list are one shape together, but those that say their class are told apart by it. What one side has had no example
//! of, because a list is empty or an object is null, is not compared but reported as not seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Fields whose value is an object with data for keys.
const DATA_MAPS: [&str; 7] = [
    "accumulator-results",
    "extendedResources",
    "failureLabels",
    "jobs",
    "optimizer_properties",
    "serialized-user-task-accumulators",
    "user-config",
];

/// A field that some of the objects at its place have, and some have not.
const ABSENT: &str = "absent";

/// What JSON has no word for; Flink writes these as text where a number stands otherwise.
const NO_NUMBER: &str = "NaN";

/// Which types stand at which path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    types: BTreeMap<String, BTreeSet<String>>,
}

/// How two shapes differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Path and what differs there.
    pub(crate) differences: Vec<(String, String)>,
    /// Paths below which only one side had something to compare.
    pub(crate) unseen: Vec<String>,
}

impl Shape {
    /// The shape of a JSON value.
    pub(crate) fn of(value: &Value) -> Self {
        let mut reader = Reader::default();
        reader.read(value, "", "");
        reader.into_shape()
    }

    /// The shape of a list of metrics with their values: each metric is a field with its name.
    pub(crate) fn of_metrics(value: &Value) -> Self {
        let Some(metrics) = value.as_array() else { return Self::of(value) };
        let named = metrics.iter().map(|metric| (metric_name(metric), metric.clone())).collect();
        Self::of(&Value::Object(named))
    }

    /// The shape of something that is no JSON; a file may be empty on one side.
    pub(crate) fn of_text() -> Self {
        let mut shape = Self::default();
        shape.add("", "text");
        shape
    }

    /// Adds a type at a path.
    pub(crate) fn add(&mut self, path: &str, kind: &str) {
        self.types.entry(path.to_owned()).or_default().insert(kind.to_owned());
    }

    /// Says where this shape is not that of the model.
    pub(crate) fn compare(&self, model: &Self) -> Comparison {
        let mut found = Comparison::default();
        let mut settled: Vec<&str> = Vec::new();
        let paths: BTreeSet<&String> = self.types.keys().chain(model.types.keys()).collect();
        for path in paths {
            if settled.iter().any(|above| is_below(path, above)) {
                continue;
            }
            let what = match (self.types.get(path), model.types.get(path)) {
                (Some(ours), Some(theirs)) if is_null_and_whole(ours, theirs) => None,
                (Some(ours), Some(theirs)) if is_alike(ours, theirs) => continue,
                (Some(ours), Some(theirs)) => Some(format!("{} instead of {}", words(ours), words(theirs))),
                // An element or a key that is data can be missing because there is none now.
                _ if path.ends_with([']', '*']) => None,
                (Some(_), None) => Some("extra".to_owned()),
                _ => Some("missing".to_owned()),
            };
            settled.push(path);
            match what {
                Some(what) => found.differences.push((path.clone(), what)),
                None => found.unseen.push(path.clone()),
            }
        }
        found
    }
}

/// The name of a metric without the number of the subtask.
pub(crate) fn metric_name(metric: &Value) -> String {
    let id = metric["id"].as_str().unwrap_or_default();
    match id.split_once('.') {
        Some((subtask, rest)) if !subtask.is_empty() && subtask.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("N.{rest}")
        }
        _ => id.to_owned(),
    }
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// Whether one side is null where the other has an object or a list: then there is nothing to compare.
fn is_null_and_whole(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> bool {
    let is_null = |types: &BTreeSet<String>| types.iter().all(|kind| kind == "null");
    let is_whole = |types: &BTreeSet<String>| types.contains("object") || types.contains("array");
    is_null(ours) && is_whole(theirs) || is_null(theirs) && is_whole(ours)
}

/// Whether each of our types is one of theirs, and we have the field at all if they do.
fn is_alike(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> bool {
    let is_there = |types: &BTreeSet<String>| types.iter().any(|kind| kind != ABSENT);
    let is_theirs = |kind: &String| match kind.as_str() {
        _ if theirs.contains(kind) => true,
        NO_NUMBER => theirs.contains("double") || theirs.contains("string"),
        "double" | "string" => theirs.contains(NO_NUMBER),
        _ => false,
    };
    ours.iter().all(is_theirs) && (is_there(ours) || !is_there(theirs))
}

fn words(types: &BTreeSet<String>) -> String {
    types.iter().map(String::as_str).collect::<Vec<_>>().join(" or ")
}

fn is_id(key: &str) -> bool {
    key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Walks through a value and counts how often each object and each of its fields is met.
#[derive(Default)]
struct Reader {
    shape: Shape,
    objects: BTreeMap<String, usize>,
    fields: BTreeMap<(String, String), usize>,
}

impl Reader {
    fn read(&mut self, value: &Value, path: &str, key: &str) {
        match value {
            Value::Null => self.shape.add(path, "null"),
            Value::Bool(_) => self.shape.add(path, "boolean"),
            Value::Number(number) => self.shape.add(path, if number.is_f64() { "double" } else { "integer" }),
            Value::String(text) => {
                let is_word = ["NaN", "Infinity", "-Infinity"].contains(&text.as_str());
                self.shape.add(path, if is_word { NO_NUMBER } else { "string" });
            }
            Value::Array(elements) => {
                // How many errors an answer has tells of what kind it is.
                let is_error = path == ".errors";
                let kind = if is_error { format!("array of {}", elements.len()) } else { "array".to_owned() };
                self.shape.add(path, &kind);
                for element in elements {
                    self.read(element, &format!("{path}[{}]", class(element)), "");
                }
            }
            Value::Object(fields) => {
                self.shape.add(path, "object");
                *self.objects.entry(path.to_owned()).or_default() += 1;
                for (name, field) in fields {
                    if DATA_MAPS.contains(&key) || is_id(name) {
                        self.read(field, &format!("{path}.*"), name);
                    } else {
                        self.read_field(field, path, name);
                    }
                }
            }
        }
    }

    fn read_field(&mut self, field: &Value, path: &str, name: &str) {
        let at = format!("{path}.{name}");
        self.read(field, &at, name);
        *self.fields.entry((path.to_owned(), at)).or_default() += 1;
    }

    fn into_shape(mut self) -> Shape {
        for ((object, field), count) in &self.fields {
            if self.objects.get(object).is_some_and(|all| all > count) {
                self.shape.add(field, ABSENT);
            }
        }
        self.shape
    }
}

/// What tells an element of a list from others of the same list that have other fields.
fn class(element: &Value) -> String {
    let class = element["className"].as_str().unwrap_or_default();
    let suffix = if element["is_savepoint"] == true && !class.is_empty() { "-savepoint" } else { "" };
    format!("{class}{suffix}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compared(ours: &Value, theirs: &Value) -> Comparison {
        Shape::of(ours).compare(&Shape::of(theirs))
    }

    #[test]
    fn a_difference_is_named_once_and_by_its_path() {
        for (ours, theirs, expected) in [
            (json!({"a": 1}), json!({"a": 1, "b": {"c": 1}}), vec![(".b", "missing")]),
            (json!({"a": 1, "b": {"c": 1}}), json!({"a": 1}), vec![(".b", "extra")]),
            (json!({"a": 1}), json!({"a": "1"}), vec![(".a", "integer instead of string")]),
            (json!({"a": 1}), json!({"a": 1.0}), vec![(".a", "integer instead of double")]),
            (json!({"a": 1}), json!({"a": null}), vec![(".a", "integer instead of null")]),
            (json!({}), json!({"a": null}), vec![(".a", "missing")]),
            (json!([{"a": 1}, {}]), json!([{"a": 1}]), vec![("[].a", "absent or integer instead of integer")]),
            (json!([{"b": 1}]), json!([{"b": 1}, {"a": 1, "b": 1}]), vec![("[].a", "missing")]),
            (
                json!({"errors": ["x"]}),
                json!({"errors": ["x", "y"]}),
                vec![(".errors", "array of 1 instead of array of 2")],
            ),
            (json!({"a": {"x": 1}}), json!({"a": {"y": 1}}), vec![(".a.x", "extra"), (".a.y", "missing")]),
        ] {
            let found = compared(&ours, &theirs).differences;
            let found: Vec<(&str, &str)> = found.iter().map(|(path, what)| (path.as_str(), what.as_str())).collect();
            assert_eq!(found, expected, "{ours} against {theirs}");
        }
    }

    #[test]
    fn what_means_the_same_does_not_differ() {
        for (ours, theirs) in [
            (json!({"a": "NaN"}), json!({"a": 1.5})),
            (json!({"a": 1.5}), json!({"a": "NaN"})),
            (json!([{"a": 1}]), json!([{"a": 1}, {}])),
            (json!({"user-config": {"x": "1"}}), json!({"user-config": {"y": "1"}})),
        ] {
            assert_eq!(compared(&ours, &theirs), Comparison::default(), "{ours} against {theirs}");
        }
    }

    #[test]
    fn what_one_side_has_no_example_of_is_not_compared() {
        let id = "0123456789abcdef0123456789abcdef";
        for (ours, theirs, path) in [
            (json!({"a": []}), json!({"a": [{"b": 1}]}), ".a[]"),
            (json!({"a": [{"b": 1}]}), json!({"a": []}), ".a[]"),
            (json!({"a": null}), json!({"a": {"b": 1}}), ".a"),
            (json!({"a": {}}), json!({"a": {id: {"b": 1}}}), ".a.*"),
            (json!([]), json!([{"className": "failed", "x": 1}]), "[failed]"),
        ] {
            let found = compared(&ours, &theirs);
            assert_eq!((found.differences, found.unseen), (vec![], vec![path.to_owned()]), "{ours} against {theirs}");
        }
    }

    #[test]
    fn metrics_are_compared_by_their_names() {
        let metrics = |value: Value| Shape::of_metrics(&value);
        let ours = metrics(json!([{"id": "0.numRecordsIn", "value": "1"}]));
        let theirs = metrics(json!([{"id": "1.numRecordsIn", "value": "NaN"}, {"id": "uptime", "value": "7"}]));
        assert_eq!(ours.compare(&theirs).differences, [(".uptime".to_owned(), "missing".to_owned())]);
    }
}
