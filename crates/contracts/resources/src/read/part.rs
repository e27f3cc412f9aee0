//! A part of a manifest together with its path.
//!
//! A null is as good as nothing. A value of another type reads as nothing too: the schema has spoken of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands where nothing stands.
static NOTHING: Value = Value::Null;

/// The largest number that a number with a fraction part of zero may be to be read as whole.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Part<'a> {
    /// A whole object.
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// A value that stands at `path`.
    pub(super) fn new(value: &'a Value, path: impl Into<String>) -> Self {
        Self { value, path: path.into() }
    }

    /// The value itself.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where its field `name` stands or would stand.
    pub(super) fn at(&self, name: &str) -> String {
        match (self.path.is_empty(), name.contains('.')) {
            (true, _) => name.to_owned(),
            (false, true) => format!("{}[{name}]", self.path),
            (false, false) => format!("{}.{name}", self.path),
        }
    }

    /// The field `name`, unless it is absent.
    pub(super) fn field(&self, name: &str) -> Option<Part<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Part { value, path: self.at(name) })
    }

    /// The field `name`; one that is absent has no fields.
    pub(super) fn field_or_nothing(&self, name: &str) -> Part<'a> {
        Part { value: self.value.get(name).unwrap_or(&NOTHING), path: self.at(name) }
    }

    /// Whether the field `name` is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    /// The text of the field `name`.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.value.get(name).and_then(Value::as_str)
    }

    /// The whole number of the field `name`.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.value.get(name).and_then(whole)
    }

    /// The boolean of the field `name`.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.value.get(name).and_then(Value::as_bool)
    }

    /// The entries of the list `name`.
    pub(super) fn items(&self, name: &str) -> Vec<Part<'a>> {
        let path = self.at(name);
        let entries = self.value.get(name).and_then(Value::as_array).into_iter().flatten();
        entries.enumerate().map(|(index, value)| Part { value, path: format!("{path}[{index}]") }).collect()
    }

    /// The fields of this object, by name.
    pub(super) fn members(&self) -> Vec<(&'a str, Part<'a>)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), Part { value, path: self.at(name) })).collect()
    }

    /// The texts and numbers of this object, by name.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let members = self.members().into_iter();
        members.filter_map(|(name, value)| Some((name.to_owned(), value.scalar()?))).collect()
    }

    /// A text or a number as it would be written.
    pub(super) fn scalar(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// Reads a whole number, also one that is written as `1.0`.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= WHOLE_MAX)?;
        format!("{number:.0}").parse().ok()
    })
}
