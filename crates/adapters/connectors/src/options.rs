//! Options of tables: the catalogue as data, and the one place where their text gets a meaning.
//!
//! Checking and reading go through the same parsers, so what [`Options::of`] accepts can be read.

pub mod catalogue;

use std::num::{IntErrorKind, ParseIntError};
use std::time::Duration;

use kobel_model::Error;
use kobel_model::quantity::{parse_duration, parse_memory};
use kobel_sql::catalog::{OptionProblem, TableSpec};

/// Result of reading an option.
pub type Checked<T> = std::result::Result<T, OptionProblem>;

/// What the text of an option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Whole,
    /// A number from 0 to 1.
    Rate,
    /// A duration such as `10 s`.
    Duration,
    /// A number of bytes such as `64 mb`.
    Memory,
    /// One ASCII character.
    Character,
    /// One ASCII character, or a Java escape of it such as `\t`.
    Delimiter,
    /// One of some words.
    Choice(&'static [&'static str]),
}

/// What is done about an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It does what Flink documents.
    Honoured,
    /// It is accepted and cannot change the result.
    WithoutEffect,
    /// It is refused unless it has its default.
    Refused,
}

/// An option of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// Key; `#` stands for the name of a column.
    pub key: &'static str,
    /// Meaning of its text.
    pub kind: OptionKind,
    /// Value if it is not set.
    pub default: Option<&'static str>,
    /// Whether it must be set.
    pub required: bool,
    /// Whether it does anything.
    pub support: Support,
    /// For documentation.
    pub description: &'static str,
}

impl OptionSpec {
    /// An option without default that is honoured.
    pub const fn new(key: &'static str, kind: OptionKind, description: &'static str) -> Self {
        Self { key, kind, default: None, required: false, support: Support::Honoured, description }
    }

    /// Sets the default.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Makes it required.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Accepts it without doing anything.
    pub const fn without_effect(mut self) -> Self {
        self.support = Support::WithoutEffect;
        self
    }

    /// Refuses it.
    pub const fn refused(mut self) -> Self {
        self.support = Support::Refused;
        self
    }

    /// Whether `key` is this option; `fields.a.b.min` is `fields.#.min` of column `a.b`.
    fn is(&self, key: &str) -> bool {
        match self.key.split_once('#') {
            None => self.key == key,
            Some((before, after)) => {
                key.len() > before.len() + after.len() && key.starts_with(before) && key.ends_with(after)
            }
        }
    }
}

/// The options of a table, known and well-formed.
pub struct Options<'a> {
    table: &'a TableSpec,
    known: Vec<&'static OptionSpec>,
}

impl<'a> Options<'a> {
    /// Checks the options of `table` against the sections of the catalogue that apply to it.
    ///
    /// # Errors
    /// The first unknown, refused, malformed or missing option.
    pub fn of(table: &'a TableSpec, sections: &[&'static [OptionSpec]]) -> Checked<Self> {
        let known: Vec<&OptionSpec> = sections.iter().flat_map(|section| section.iter()).collect();
        let options = Self { table, known };
        for (key, value) in &table.options {
            let spec = options.spec(key).ok_or_else(|| options.unknown(key))?;
            check_kind(spec, key, value)?;
            if spec.support == Support::Refused && !is_default(spec, value) {
                return Err(OptionProblem {
                    key: Some(key.clone()),
                    concerns_value: false,
                    message: format!("option `{key}` is not supported by the native engine"),
                    hint: Some(refusal_hint(key).to_owned()),
                });
            }
        }
        let missing = options.known.iter().find(|spec| spec.required && !table.options.contains_key(spec.key));
        match missing {
            None => Ok(options),
            Some(spec) => Err(OptionProblem {
                key: None,
                concerns_value: false,
                message: format!("required option `{}` is missing", spec.key),
                hint: Some(format!("`{}` is the {}", spec.key, spec.description)),
            }),
        }
    }

    /// The table.
    pub fn table(&self) -> &'a TableSpec {
        self.table
    }

    /// Whether the option was written.
    pub fn is_set(&self, key: &str) -> bool {
        self.table.options.contains_key(key)
    }

    /// The text of an option or of its default.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        let written = self.table.options.get(key).map(String::as_str);
        written.or_else(|| self.spec(key).and_then(|spec| spec.default))
    }

    /// A boolean; `false` if it has neither value nor default.
    ///
    /// # Errors
    /// If the text is no boolean.
    pub fn boolean(&self, key: &str) -> Checked<bool> {
        self.read(key, boolean).map(|value| value.unwrap_or(false))
    }

    /// A whole number.
    ///
    /// # Errors
    /// If the text is no whole number.
    pub fn whole(&self, key: &str) -> Checked<Option<i64>> {
        self.read(key, whole)
    }

    /// A number from 0 to 1; 0 if it has neither value nor default.
    ///
    /// # Errors
    /// If the text is no such number.
    pub fn rate(&self, key: &str) -> Checked<f64> {
        self.read(key, rate).map(|value| value.unwrap_or(0.0))
    }

    /// A duration; zero if it has neither value nor default.
    ///
    /// # Errors
    /// If the text is no duration.
    pub fn duration(&self, key: &str) -> Checked<Duration> {
        self.read(key, duration).map(|value| value.unwrap_or_default())
    }

    /// A number of bytes; zero if it has neither value nor default.
    ///
    /// # Errors
    /// If the text is no memory size.
    pub fn memory(&self, key: &str) -> Checked<u64> {
        self.read(key, memory).map(|value| value.unwrap_or(0))
    }

    /// A character.
    ///
    /// # Errors
    /// If the text is not one ASCII character.
    pub fn character(&self, key: &str) -> Checked<Option<u8>> {
        self.read(key, character)
    }

    /// A character that may be escaped.
    ///
    /// # Errors
    /// If the text is not one ASCII character.
    pub fn delimiter(&self, key: &str) -> Checked<Option<u8>> {
        self.read(key, delimiter)
    }

    /// A complaint about the value of an option.
    pub fn bad_value(&self, key: &str, reason: &str) -> OptionProblem {
        bad_value(key, self.text(key).unwrap_or_default(), reason)
    }

    fn read<T>(&self, key: &str, parse: fn(&str) -> Result<T, String>) -> Checked<Option<T>> {
        let Some(text) = self.text(key) else { return Ok(None) };
        parse(text).map(Some).map_err(|reason| bad_value(key, text, &reason))
    }

    fn spec(&self, key: &str) -> Option<&'static OptionSpec> {
        self.known.iter().find(|spec| spec.is(key)).copied()
    }

    fn unknown(&self, key: &str) -> OptionProblem {
        let supported = self.spelled_out();
        let hint = match kobel_model::nearest(key, supported.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("supported options: {}", self.listed()),
        };
        let connector = self.text("connector").unwrap_or_default();
        OptionProblem {
            key: Some(key.to_owned()),
            concerns_value: false,
            message: format!("unknown option `{key}` of connector `{connector}`"),
            hint: Some(hint),
        }
    }

    /// The keys that may be written for this table, with `#` replaced by each column.
    fn spelled_out(&self) -> Vec<String> {
        let offered = self.known.iter().filter(|spec| spec.support != Support::Refused);
        let mut keys = Vec::new();
        for spec in offered {
            if spec.key.contains('#') {
                keys.extend(self.table.physical.iter().map(|column| spec.key.replace('#', &column.name)));
            } else {
                keys.push(spec.key.to_owned());
            }
        }
        keys
    }

    fn listed(&self) -> String {
        let offered = self.known.iter().filter(|spec| spec.support != Support::Refused);
        let mut keys: Vec<String> = offered.map(|spec| format!("`{}`", spec.key)).collect();
        keys.sort();
        keys.join(", ")
    }
}

/// A complaint about the value of an option.
fn bad_value(key: &str, value: &str, reason: &str) -> OptionProblem {
    OptionProblem {
        key: Some(key.to_owned()),
        concerns_value: true,
        message: format!("`{value}` is no value of option `{key}`: {reason}"),
        hint: None,
    }
}

fn check_kind(spec: &OptionSpec, key: &str, value: &str) -> Checked<()> {
    let outcome = match spec.kind {
        OptionKind::Text => Ok(()),
        OptionKind::Boolean => boolean(value).map(drop),
        OptionKind::Whole => whole(value).map(drop),
        OptionKind::Rate => rate(value).map(drop),
        OptionKind::Duration => duration(value).map(drop),
        OptionKind::Memory => memory(value).map(drop),
        OptionKind::Character => character(value).map(drop),
        OptionKind::Delimiter => delimiter(value).map(drop),
        OptionKind::Choice(words) => choice(value, words),
    };
    outcome.map_err(|reason| bad_value(key, value, &reason))
}

fn is_default(spec: &OptionSpec, value: &str) -> bool {
    spec.default.is_some_and(|default| default.eq_ignore_ascii_case(value))
}

fn refusal_hint(key: &str) -> &'static str {
    if key.ends_with("parallelism") {
        "leave it out: `parallelism.default` sets the parallelism of the whole job"
    } else if key == "source.monitor-interval" {
        "leave it out: the files that are there when the job starts are read"
    } else if key.starts_with("partition.") || key.starts_with("sink.partition-commit.") {
        "partitioned tables need Apache Flink"
    } else {
        "leave it out, or run this script with Apache Flink"
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err("expected `true` or `false`".to_owned())
    }
}

fn whole(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
            format!("expected a whole number from {} to {}", i64::MIN, i64::MAX)
        }
        _ => "expected a whole number".to_owned(),
    })
}

fn rate(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number.filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn memory(text: &str) -> Result<u64, String> {
    parse_memory(text).map_err(|error| error.to_string())
}

fn character(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("expected one ASCII character".to_owned()),
    }
}

/// Reads a character as Java's `StringEscapeUtils.unescapeJava` would.
fn delimiter(text: &str) -> Result<u8, String> {
    let byte = match text {
        "\\t" => b'\t',
        "\\\\" => b'\\',
        "\\'" => b'\'',
        "\\\"" => b'"',
        "\\b" => 8,
        "\\f" => 12,
        _ => match text.strip_prefix("\\u") {
            Some(digits) if digits.len() == 4 => u8::from_str_radix(digits.trim_start_matches("00"), 16)
                .ok()
                .filter(u8::is_ascii)
                .ok_or_else(|| "expected one ASCII character".to_owned())?,
            _ => character(text)
                .map_err(|_| "expected one ASCII character or an escape such as `\\t` or `\\u0001`".to_owned())?,
        },
    };
    match byte {
        b'\n' | b'\r' => Err("line ends separate rows".to_owned()),
        _ => Ok(byte),
    }
}

fn choice(text: &str, words: &[&str]) -> Result<(), String> {
    if words.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Ok(());
    }
    let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    Err(format!("expected {}", listed.join(" or ")))
}

/// The error for a problem that was not found when the statement was bound.
pub(crate) fn invalid(table: &TableSpec, problem: OptionProblem) -> Error {
    let error = Error::invalid(format!("table `{}`: {}", table.name, problem.message));
    match problem.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests;
