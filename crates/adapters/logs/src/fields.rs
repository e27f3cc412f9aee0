//! What an event or a span says beside its level and place: a message, and named values.

use std::error::Error;
use std::fmt;

use kobel_model::chain;
use serde_json::{Number, Value};
use tracing::field::{Field, Visit};

/// The message of an event and its values, each name once and in the order of the first mention.
#[derive(Debug, Default)]
pub struct Fields {
    /// The text of the event; empty for a span.
    pub message: String,
    /// Names and values: strings, numbers and truth values.
    pub values: Vec<(&'static str, Value)>,
}

impl Fields {
    /// Adds the values of an enclosing span whose names are not taken.
    pub fn inherit(&mut self, outer: &Self) {
        for (name, value) in &outer.values {
            if self.values.iter().all(|(own, _)| own != name) {
                self.values.push((*name, value.clone()));
            }
        }
    }

    /// Takes over values that were recorded later.
    pub fn update(&mut self, later: Self) {
        for (name, value) in later.values {
            self.set(name, value);
        }
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("message", other) => self.message = other.to_string(),
            (name, value) => self.set(name, value),
        }
    }

    fn set(&mut self, name: &'static str, value: Value) {
        match self.values.iter_mut().find(|(own, _)| *own == name) {
            Some((_, known)) => *known = value,
            None => self.values.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        let number = Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number);
        self.put(field, number);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::String(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, Value::String(chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }
}
