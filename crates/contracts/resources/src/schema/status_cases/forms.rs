//! What may stand in a field of a status, and the values that are tried in it.
//!
//! The texts are those of the Kubernetes API server; `PATH` in them is where the field stands.

#![cfg(test)]

use serde_json::{Value, json};

use self::Sort::{Boundary, Invalid, Valid};

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Valid,
    Invalid,
    Boundary,
}

/// What may stand in a field, with an example where one is needed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Any text.
    Text(&'static str),
    /// Any text; it must stand there.
    NeededText(&'static str),
    /// A whole number of 64 bits.
    Long(i64),
    /// A whole number of 32 bits.
    Int(i32),
    /// One of a closed list of words.
    Word(&'static [&'static str]),
    /// An object with known fields.
    Object,
    /// An object with any keys, whose values are texts.
    Texts,
    /// A list of objects.
    List,
    /// An entry of a list of objects.
    Entry,
    /// A list of objects that are told apart by their `type`.
    KeyedList,
    /// An entry of a list of objects that are told apart by their `type`.
    KeyedEntry,
}

/// How a case ends; `PATH` in a problem is where the field stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// The value is stored as it is; a null is not stored.
    Stored,
    /// One unknown field, [`UNKNOWN`], is dropped and this is stored.
    Pruned(Value),
    /// The status is refused with these problems, in this order.
    Refused(Vec<String>),
}

/// One value of a form.
pub(super) type Trial = (Sort, Value, Ending);

/// The name of a field that no schema knows.
pub(super) const UNKNOWN: &str = "zz";

fn stored(sort: Sort, value: Value) -> Trial {
    (sort, value, Ending::Stored)
}

fn pruned(sort: Sort, value: Value, rest: Value) -> Trial {
    (sort, value, Ending::Pruned(rest))
}

fn refused<const N: usize>(sort: Sort, value: Value, problems: [String; N]) -> Trial {
    (sort, value, Ending::Refused(problems.into()))
}

/// The problem of a value of a wrong type.
fn typed(expected: &str, found: &str) -> String {
    format!("PATH: Invalid value: \"{found}\": PATH in body must be of type {expected}: \"{found}\"")
}

/// The problem of a whole number that 32 bits do not hold.
fn beyond_32_bits(number: i64) -> String {
    format!("PATH: Invalid value: {number}: Checked value must be of type integer with format int32 in PATH")
}

/// The values that are tried in a field of this form; the first one is valid.
pub(super) fn trials(form: Form) -> Vec<Trial> {
    match form {
        Form::Text(example) => {
            let mut all = trials_of_text(example);
            all.push(stored(Boundary, json!(null)));
            all
        }
        Form::NeededText(example) => {
            let mut all = trials_of_text(example);
            all.push(refused(Boundary, json!(null), ["PATH: Required value".to_owned()]));
            all
        }
        Form::Long(example) => trials_of_long(example),
        Form::Int(example) => trials_of_int(example),
        Form::Word(words) => trials_of_word(words),
        Form::Object => trials_of_object(),
        Form::Texts => trials_of_texts(),
        Form::List => trials_of_list(),
        Form::Entry => trials_of_entry(),
        Form::KeyedList => trials_of_keyed_list(),
        Form::KeyedEntry => trials_of_keyed_entry(),
    }
}

fn trials_of_text(example: &str) -> Vec<Trial> {
    vec![
        stored(Valid, json!(example)),
        refused(Invalid, json!(5), [typed("string", "integer")]),
        refused(Invalid, json!(1.5), [typed("string", "number")]),
        refused(Invalid, json!(true), [typed("string", "boolean")]),
        refused(Invalid, json!([]), [typed("string", "array")]),
        refused(Invalid, json!({}), [typed("string", "object")]),
        stored(Boundary, json!("")),
        stored(Boundary, json!("é".repeat(1000))),
    ]
}

fn trials_of_long(example: i64) -> Vec<Trial> {
    vec![
        stored(Valid, json!(example)),
        refused(Invalid, json!("1"), [typed("integer", "string")]),
        refused(Invalid, json!(1.5), [typed("int64", "float64")]),
        refused(Invalid, json!(true), [typed("int64", "boolean")]),
        stored(Boundary, json!(0)),
        stored(Boundary, json!(i64::MIN)),
        stored(Boundary, json!(i64::MAX)),
        refused(Boundary, json!(9_223_372_036_854_775_808_u64), [typed("int64", "float64")]),
        stored(Boundary, json!(null)),
    ]
}

fn trials_of_int(example: i32) -> Vec<Trial> {
    vec![
        stored(Valid, json!(example)),
        refused(Invalid, json!("1"), [typed("integer", "string")]),
        refused(Invalid, json!(1.5), [typed("int32", "float64")]),
        refused(Invalid, json!(true), [typed("int32", "boolean")]),
        stored(Boundary, json!(0)),
        stored(Boundary, json!(i32::MIN)),
        stored(Boundary, json!(i32::MAX)),
        refused(Boundary, json!(-2_147_483_649_i64), [beyond_32_bits(-2_147_483_649)]),
        refused(Boundary, json!(2_147_483_648_i64), [beyond_32_bits(2_147_483_648)]),
        stored(Boundary, json!(null)),
    ]
}

fn trials_of_word(words: &[&str]) -> Vec<Trial> {
    let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let unsupported =
        |value: &Value| format!("PATH: Unsupported value: {value}: supported values: {}", listed.join(", "));
    let mut all: Vec<Trial> = words.iter().map(|word| stored(Valid, json!(word))).collect();
    let other = json!("SOMETHING_ELSE");
    all.push(refused(Invalid, other.clone(), [unsupported(&other)]));
    all.push(refused(Invalid, json!(5), [typed("string", "integer"), unsupported(&json!(5))]));
    let ends = [words.first(), words.last()];
    for word in ends.into_iter().flatten() {
        for near in [word.to_lowercase(), format!("{word} ")] {
            let near = json!(near);
            all.push(refused(Boundary, near.clone(), [unsupported(&near)]));
        }
    }
    all.push(refused(Boundary, json!(""), [unsupported(&json!(""))]));
    all.push(stored(Boundary, json!(null)));
    all
}

fn trials_of_object() -> Vec<Trial> {
    vec![
        stored(Valid, json!({})),
        refused(Invalid, json!("x"), [typed("object", "string")]),
        refused(Invalid, json!([]), [typed("object", "array")]),
        stored(Boundary, json!(null)),
        pruned(Boundary, json!({UNKNOWN: 1}), json!({})),
    ]
}

fn trials_of_texts() -> Vec<Trial> {
    vec![
        stored(Valid, json!({"flink-version": "2.2.1", "total.cpu": "2.0"})),
        refused(Invalid, json!("x"), [typed("object", "string")]),
        refused(Invalid, json!([]), [typed("object", "array")]),
        refused(Invalid, json!({"total.cpu": 2}), [typed("string", "integer").replace("PATH", "PATH.total.cpu")]),
        stored(Boundary, json!({})),
        stored(Boundary, json!(null)),
    ]
}

fn trials_of_list() -> Vec<Trial> {
    vec![
        stored(Valid, json!([{}])),
        stored(Valid, json!([{}, {}])),
        refused(Invalid, json!("x"), [typed("array", "string")]),
        refused(Invalid, json!({}), [typed("array", "object")]),
        stored(Boundary, json!([])),
        stored(Boundary, json!(null)),
    ]
}

fn trials_of_entry() -> Vec<Trial> {
    vec![
        stored(Valid, json!({})),
        refused(Invalid, json!("x"), [typed("object", "string")]),
        refused(Invalid, json!([]), [typed("object", "array")]),
        // A null in a list is not dropped: the other entries would move.
        refused(Boundary, json!(null), [typed("object", "null")]),
        pruned(Boundary, json!({UNKNOWN: 1}), json!({})),
    ]
}

fn trials_of_keyed_list() -> Vec<Trial> {
    let twice = json!([{"type": "Running", "status": "True"}, {"type": "Running", "status": "False"}]);
    vec![
        stored(Valid, json!([{"type": "Running"}])),
        stored(Valid, json!([{"type": "Running"}, {"type": "running"}])),
        refused(Invalid, json!("x"), [typed("array", "string")]),
        refused(Invalid, json!({}), [typed("array", "object")]),
        stored(Boundary, json!([])),
        stored(Boundary, json!(null)),
        refused(Boundary, twice, ["PATH[1]: Duplicate value: {\"type\":\"Running\"}".to_owned()]),
    ]
}

fn trials_of_keyed_entry() -> Vec<Trial> {
    let no_object =
        |value: &str| format!("PATH: Invalid value: {value}: must be an object for an array of list-type map");
    vec![
        stored(Valid, json!({"type": "Running"})),
        refused(Invalid, json!("x"), [typed("object", "string"), no_object("\"x\"")]),
        refused(Invalid, json!([]), [typed("object", "array"), no_object("[]")]),
        refused(Boundary, json!(null), [typed("object", "null")]),
        refused(Boundary, json!({}), ["PATH.type: Required value".to_owned()]),
        pruned(Boundary, json!({"type": "Running", UNKNOWN: 1}), json!({"type": "Running"})),
    ]
}
