//! Every problem of a value, in the words of the Kubernetes API server.

use serde_json::{Map, Number, Value};

use super::node::{Bound, Format, Schema, TypeName};
use super::path::Path;
use super::{embedded, lists};
use crate::problem::{Problem, ProblemKind};

/// The greatest number that is whole for certain when it is written with a fraction: 2^53 - 1.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

impl Schema {
    /// Returns every problem of the value: first of types and bounds, then of embedded objects, then of lists.
    pub fn validate(&self, value: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        check(self, Path::Root, value, &mut problems);
        embedded::check(self, Path::Root, value, &mut problems);
        lists::check(self, Path::Root, value, &mut problems);
        problems
    }
}

/// Checks the value at `path` and everything below it.
fn check(schema: &Schema, path: Path<'_>, value: &Value, problems: &mut Vec<Problem>) {
    problems.extend(type_problem(schema, path, value));
    match value {
        Value::String(text) => {
            problems.extend(length_problem(schema, path, text));
            if schema.format == Some(Format::DateTime) && !is_date_time(text) {
                problems.push(wrong_type(path, Format::DateTime.word(), text));
            }
        }
        Value::Number(number) => check_number(schema, path, number, problems),
        Value::Array(entries) => check_entries(schema, path, entries, problems),
        Value::Null | Value::Bool(_) | Value::Object(_) => {}
    }
    problems.extend(choice_problem(schema, path, value));
    if let Value::Object(members) = value {
        check_members(schema, path, members, problems);
    }
}

/// Checks the type; what is said of a wrong one depends on the format, as the API server has it.
fn type_problem(schema: &Schema, path: Path<'_>, value: &Value) -> Option<Problem> {
    let expected = schema.kind?;
    if value.is_null() {
        return (!schema.nullable).then(|| wrong_type(path, expected.word(), "null"));
    }
    let (found, found_format) = type_words(value);
    let accepted = accepts(expected, value);
    if let Some(format) = schema.format {
        if value.is_string() || value.is_array() {
            if !matches!(expected, TypeName::Integer | TypeName::Number) {
                // Whether a text has the format is checked apart; a list passes, as it does there.
                return None;
            }
        } else if !accepted && found_format != format.word() {
            // The API server names a type that has no format by an empty text; its name says more.
            let shown = if found_format.is_empty() { found } else { found_format };
            return Some(wrong_type(path, format.word(), shown));
        }
    }
    (!accepted).then(|| wrong_type(path, expected.word(), found))
}

/// The words for the type and the format of a value that is not null.
fn type_words(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if number.is_i64() => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    }
}

/// Whether a value that is not null has the type.
fn accepts(expected: TypeName, value: &Value) -> bool {
    match expected {
        TypeName::Object => value.is_object(),
        TypeName::Array => value.is_array(),
        TypeName::String => value.is_string(),
        TypeName::Boolean => value.is_boolean(),
        TypeName::Number => value.is_number(),
        TypeName::Integer => is_whole(value),
        TypeName::IntOrString => value.is_string() || is_whole(value),
    }
}

/// Whether the value is a whole number, also one written as `1.0`.
fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() <= WHOLE_MAX)
}

/// Checks how many characters a text has.
fn length_problem(schema: &Schema, path: Path<'_>, text: &str) -> Option<Problem> {
    let size = schema.text_size;
    if size.min.is_none() && size.max.is_none() {
        return None;
    }
    let length = text.chars().count() as u64;
    if let Some(max) = size.max.filter(|max| length > *max) {
        let unit = if max == 1 { "byte" } else { "bytes" };
        return Some(Problem {
            path: path.into(),
            kind: ProblemKind::TooLong,
            value: None,
            detail: format!("may not be more than {max} {unit}"),
        });
    }
    let min = size.min.filter(|min| length < *min)?;
    Some(Problem::invalid(path, text, format!("{path} in body should be at least {min} chars long")))
}

/// Checks a number against its format and its bounds.
fn check_number(schema: &Schema, path: Path<'_>, number: &Number, problems: &mut Vec<Problem>) {
    let value = number.as_f64().unwrap_or(f64::NAN);
    if schema.kind == Some(TypeName::Integer)
        && schema.format == Some(Format::Int32)
        && value.fract() == 0.0
        && value.abs() <= WHOLE_MAX
        && !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value)
    {
        let detail = format!("Checked value must be of type integer with format int32 in {path}");
        problems.push(Problem::invalid(path, number.clone(), detail));
    }
    if let Some(bound) = schema.minimum {
        let (limit, words, kept) = match bound {
            Bound::Inclusive(limit) => (limit, "greater than or equal to", value >= limit),
            Bound::Exclusive(limit) => (limit, "greater than", value > limit),
        };
        if !kept {
            problems.push(Problem::invalid(path, number.clone(), format!("{path} in body should be {words} {limit}")));
        }
    }
    if let Some(bound) = schema.maximum {
        let (limit, words, kept) = match bound {
            Bound::Inclusive(limit) => (limit, "less than or equal to", value <= limit),
            Bound::Exclusive(limit) => (limit, "less than", value < limit),
        };
        if !kept {
            problems.push(Problem::invalid(path, number.clone(), format!("{path} in body should be {words} {limit}")));
        }
    }
}

/// Checks the entries of a list, then how many there are.
fn check_entries(schema: &Schema, path: Path<'_>, entries: &[Value], problems: &mut Vec<Problem>) {
    if let Some(items) = schema.items() {
        for (index, value) in entries.iter().enumerate() {
            check(items, Path::Entry(&path, index), value, problems);
        }
    }
    let count = entries.len() as u64;
    if let Some(min) = schema.list_size.min.filter(|min| count < *min) {
        problems.push(Problem::invalid(path, count, format!("{path} in body should have at least {min} items")));
    }
    if let Some(max) = schema.list_size.max.filter(|max| count > *max) {
        problems.push(too_many(path, count, max));
    }
}

/// Checks that the value is one of a closed list.
fn choice_problem(schema: &Schema, path: Path<'_>, value: &Value) -> Option<Problem> {
    if schema.allowed.is_empty() || schema.allowed.contains(value) {
        return None;
    }
    let words: Vec<String> =
        schema.allowed.iter().map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(Problem::not_supported(path, value.clone(), &words))
}

/// Checks the fields of an object: how many, the free ones, the named ones, the required ones.
fn check_members(schema: &Schema, path: Path<'_>, members: &Map<String, Value>, problems: &mut Vec<Problem>) {
    let count = members.len() as u64;
    if let Some(min) = schema.object_size.min.filter(|min| count < *min) {
        problems.push(Problem::invalid(path, count, format!("{path} in body should have at least {min} properties")));
    }
    if let Some(max) = schema.object_size.max.filter(|max| count > *max) {
        problems.push(too_many(path, count, max));
    }
    if let Some(additional) = &schema.additional {
        for (name, member) in members {
            if !schema.properties.contains_key(name) {
                check(additional, Path::Field(&path, name), member, problems);
            }
        }
    }
    let known = |(name, member)| schema.properties.get_key_value(name).map(|(name, inner)| (name, inner, member));
    let mut named: Vec<(&String, &Schema, &Value)> = members.iter().filter_map(known).collect();
    named.sort_unstable_by_key(|(name, ..)| *name);
    for (name, inner, member) in named {
        check(inner, Path::Field(&path, name), member, problems);
    }
    for name in &schema.required {
        if !members.contains_key(name) {
            problems.push(Problem::required(Path::Field(&path, name), ""));
        }
    }
}

/// A problem of kind [`ProblemKind::TypeInvalid`].
fn wrong_type(path: Path<'_>, expected: &str, found: &str) -> Problem {
    let shown = Value::from(found);
    let detail = format!("{path} in body must be of type {expected}: {shown}");
    Problem::new(ProblemKind::TypeInvalid, path, shown, detail)
}

/// A problem of kind [`ProblemKind::TooMany`].
fn too_many(path: Path<'_>, count: u64, max: u64) -> Problem {
    let unit = if max == 1 { "item" } else { "items" };
    Problem::new(ProblemKind::TooMany, path, count, format!("must have at most {max} {unit}"))
}

/// Whether the text is a date and a time of RFC 3339.
fn is_date_time(text: &str) -> bool {
    // The parser of timestamps also takes a blank between date and time, and names of zones.
    text.as_bytes().get(10).is_some_and(|letter| letter.eq_ignore_ascii_case(&b'T'))
        && !text.contains('[')
        && text.parse::<jiff::Timestamp>().is_ok()
}
