//! The option catalogue: one entry for each key, read once from `catalogue.toml`.
//!
//! The file is part of the binary and a test reads it, so reading it cannot fail in the field.

use std::sync::OnceLock;

use serde::Deserialize;

use super::secret::redact;
use super::value::Value;
use crate::error::{Error, Result};
use crate::quantity::{DURATION_FORMS, MEMORY_FORMS, parse_duration, parse_memory};

/// The kind of values an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// Free text.
    String,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// A length of time, see [`DURATION_FORMS`].
    Duration,
    /// A number of bytes, see [`MEMORY_FORMS`].
    Memory,
    /// One of a list of values, in any case.
    Enum,
}

/// An engine that an option can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Kobel's own engine.
    Native,
    /// Apache Flink.
    Flink,
}

/// One option: everything that is known about it, and the source of its reference page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionEntry {
    /// The key, in Flink's words for Flink's options, `kobel.…` for ours.
    pub key: String,
    /// The kind of its values.
    #[serde(rename = "type")]
    pub kind: ValueKind,
    /// The values of an enumeration; empty for every other kind.
    #[serde(default)]
    pub values: Vec<String>,
    /// The default as a user would write it; absent if the option is off unless set.
    pub default: Option<String>,
    /// The least value allowed, for numbers, durations and sizes.
    pub min: Option<String>,
    /// The greatest value allowed, for numbers, durations and sizes.
    pub max: Option<String>,
    /// The user documentation.
    pub description: String,
    /// The version of Kobel that first knew it.
    pub since: String,
    /// The engines it acts on.
    pub honoured_by: Vec<Engine>,
    /// The only values with which the native engine honours it; empty if it honours every value.
    #[serde(default)]
    pub native_values: Vec<String>,
    /// Older spellings of the key.
    #[serde(default)]
    pub deprecated: Vec<String>,
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    option: Vec<OptionEntry>,
}

/// Every option that is known, in order of key.
pub fn catalogue() -> &'static [OptionEntry] {
    static CATALOGUE: OnceLock<Vec<OptionEntry>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let file: CatalogueFile =
            toml::from_str(include_str!("catalogue.toml")).expect("a test reads this very text from the binary");
        let mut entries = file.option;
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries
    })
}

/// Finds an option by its key or by a deprecated spelling of it.
pub fn entry(key: &str) -> Option<&'static OptionEntry> {
    let all = catalogue();
    match all.binary_search_by(|entry| entry.key.as_str().cmp(key)) {
        Ok(place) => all.get(place),
        Err(_) => all.iter().find(|entry| entry.deprecated.iter().any(|old| old == key)),
    }
}

/// Every key that may be suggested to a person.
pub(super) fn spellings() -> impl Iterator<Item = &'static str> {
    catalogue().iter().map(|entry| entry.key.as_str())
}

impl OptionEntry {
    /// Reads `text` as a value of this option.
    ///
    /// # Errors
    /// `Invalid` if it has another form or is out of bounds; the message names key, value and what is allowed.
    pub fn parse(&self, text: &str) -> Result<Value> {
        let value = self.read(text).filter(|value| self.is_within_bounds(value));
        value.ok_or_else(|| {
            let shown = redact(&self.key, text);
            Error::invalid(format!("cannot set `{}` to `{shown}`: expected {}", self.key, self.allowed()))
        })
    }

    /// The default as a value; `None` if there is none.
    pub fn default_value(&self) -> Option<Value> {
        self.default.as_deref().and_then(|text| self.read(text))
    }

    /// Whether the native engine does what `value` says.
    pub fn native_honours(&self, value: &Value) -> bool {
        let listed = || self.native_values.iter().any(|text| self.read(text).as_ref() == Some(value));
        self.honoured_by.contains(&Engine::Native) && (self.native_values.is_empty() || listed())
    }

    /// What may be set, as a phrase: `a whole number from 1 to 32768`.
    pub fn allowed(&self) -> String {
        let form = match self.kind {
            ValueKind::String => "text".to_owned(),
            ValueKind::Bool => "`true` or `false`".to_owned(),
            ValueKind::Int => "a whole number".to_owned(),
            ValueKind::Double => "a number".to_owned(),
            ValueKind::Duration => format!("a duration ({DURATION_FORMS})"),
            ValueKind::Memory => format!("a memory size ({MEMORY_FORMS})"),
            ValueKind::Enum => format!("one of `{}`", self.values.join("`, `")),
        };
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => format!("{form} from {min} to {max}"),
            (Some(min), None) => format!("{form} of at least {min}"),
            (None, Some(max)) => format!("{form} of at most {max}"),
            (None, None) => form,
        }
    }

    /// Reads a value without regard to bounds.
    fn read(&self, text: &str) -> Option<Value> {
        match self.kind {
            ValueKind::String => Some(Value::Text(text.to_owned())),
            ValueKind::Bool if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
            ValueKind::Bool if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
            ValueKind::Bool => None,
            ValueKind::Int => text.parse().ok().map(Value::Int),
            ValueKind::Double => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double),
            ValueKind::Duration => parse_duration(text).ok().map(Value::Duration),
            ValueKind::Memory => parse_memory(text).ok().map(Value::Memory),
            ValueKind::Enum => {
                let known = self.values.iter().find(|value| value.eq_ignore_ascii_case(text));
                known.map(|value| Value::Text(value.clone()))
            }
        }
    }

    fn is_within_bounds(&self, value: &Value) -> bool {
        let bound = |text: &Option<String>| text.as_deref().and_then(|text| self.read(text));
        let reaches_min = bound(&self.min).is_none_or(|min| !is_less(value, &min));
        let keeps_max = bound(&self.max).is_none_or(|max| !is_less(&max, value));
        reaches_min && keeps_max
    }
}

/// Whether `a` is less than `b`; values of different or unordered kinds are not.
fn is_less(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a < b,
        (Value::Double(a), Value::Double(b)) => a < b,
        (Value::Duration(a), Value::Duration(b)) => a < b,
        (Value::Memory(a), Value::Memory(b)) => a < b,
        _ => false,
    }
}
