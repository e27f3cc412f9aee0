//! One event as one line, without secrets.
//!
//! Each text is scrubbed as it was said and only then quoted or escaped, so that no spelling hides a secret, and so
//! that a line of JSON stays JSON.
//!
//! # Source
//! Apache Flink 2.3, `conf/log4j.properties`: `%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n`, where `%x` is the
//! list of enclosing contexts in brackets.

use std::borrow::Cow;

use jiff::Timestamp;
use kobel_model::settings::{is_secret, redact};
use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::options::Format;
use crate::scrub::Scrubber;

/// The keys of a line of JSON itself; a field of such a name is written as `field.<name>`.
const RESERVED: [&str; 6] = ["timestamp", "level", "logger", "thread", "message", "spans"];

/// One event with what is known about its place.
pub struct Event<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// The level in capitals.
    pub level: &'static str,
    /// The module it comes from, as Rust writes it.
    pub logger: &'a str,
    /// The name of the thread.
    pub thread: &'a str,
    /// The names of the enclosing spans, outermost first.
    pub spans: &'a [&'static str],
    /// Its message, and its values with those of the spans.
    pub fields: &'a Fields,
}

/// The line of an event, with its end.
pub fn render(event: &Event<'_>, format: Format, scrubber: &Scrubber) -> String {
    let mut line = match format {
        Format::Text => text(event, scrubber),
        Format::Json => json(event, scrubber),
    };
    line.push('\n');
    line
}

fn text(event: &Event<'_>, scrubber: &Scrubber) -> String {
    let time = event.time.strftime("%Y-%m-%d %H:%M:%S,%3f");
    let (level, logger) = (event.level, event.logger.replace("::", "."));
    let mut line = format!("{time} {level:<5} {logger:<60} [{}] - ", event.spans.join(", "));
    push_escaped(&mut line, &scrubber.scrub(&event.fields.message));
    for (name, value) in &event.fields.values {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        match scrubbed(name, value, scrubber) {
            Value::String(text) => push_value(&mut line, &text),
            other => line.push_str(&other.to_string()),
        }
    }
    line
}

fn json(event: &Event<'_>, scrubber: &Scrubber) -> String {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("timestamp", Value::String(event.time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()));
    put("level", Value::from(event.level));
    put("logger", Value::String(event.logger.replace("::", ".")));
    put("thread", Value::String(scrubber.scrub(event.thread).into_owned()));
    put("message", Value::String(scrubber.scrub(&event.fields.message).into_owned()));
    if !event.spans.is_empty() {
        put("spans", Value::from(event.spans));
    }
    for (name, value) in &event.fields.values {
        let key = match *name {
            name if RESERVED.contains(&name) => Cow::Owned(format!("field.{name}")),
            name => Cow::Borrowed(name),
        };
        put(&key, scrubbed(name, value, scrubber));
    }
    Value::Object(object).to_string()
}

/// The value of a field as it may be shown.
fn scrubbed(name: &str, value: &Value, scrubber: &Scrubber) -> Value {
    if is_secret(name) {
        return Value::from(redact(name, ""));
    }
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    match scrubber.scrub(&text) {
        Cow::Borrowed(_) => value.clone(),
        Cow::Owned(shown) => Value::String(shown),
    }
}

/// Writes a value bare if that is unmistakable, else in quotes.
fn push_value(line: &mut String, value: &str) {
    let is_odd = |c: char| c.is_whitespace() || must_escape(c) || matches!(c, '"' | '=');
    if !value.is_empty() && !value.contains(is_odd) {
        line.push_str(value);
        return;
    }
    line.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            line.push('\\');
        }
        push_char(line, c);
    }
    line.push('"');
}

/// Writes a text so that it neither ends the line nor steers a terminal.
fn push_escaped(line: &mut String, text: &str) {
    for c in text.chars() {
        push_char(line, c);
    }
}

fn push_char(line: &mut String, c: char) {
    if must_escape(c) {
        line.extend(c.escape_default());
    } else {
        line.push(c);
    }
}

fn must_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(fields: &Fields) -> Event<'_> {
        let time = Timestamp::from_millisecond(1_795_366_083_007).unwrap();
        Event { time, level: "WARN", logger: "kobel_runtime::job", thread: "main", spans: &["job", "vertex"], fields }
    }

    fn fields(message: &str, values: &[(&'static str, Value)]) -> Fields {
        Fields { message: message.to_owned(), values: values.to_vec() }
    }

    #[test]
    fn a_text_line_follows_the_pattern_of_flink() {
        let fields = fields("two\nlines", &[("rows", Value::from(7)), ("path", Value::from("/a b"))]);
        let expected = format!(
            "2026-11-22 16:48:03,007 WARN  {:<60} [job, vertex] - two\\nlines rows=7 path=\"/a b\"\n",
            "kobel_runtime.job"
        );
        assert_eq!(render(&event(&fields), Format::Text, &Scrubber::new()), expected);
    }

    #[test]
    fn a_json_line_is_one_object_and_no_field_hides_another() {
        let fields = fields("say \"hi\"\n", &[("rows", Value::from(7)), ("level", Value::from("x"))]);
        let line = render(&event(&fields), Format::Json, &Scrubber::new());
        let expected = [
            r#"{"timestamp":"2026-11-22T16:48:03.007Z","level":"WARN","logger":"kobel_runtime.job","thread":"main","#,
            r#""message":"say \"hi\"\n","spans":["job","vertex"],"rows":7,"field.level":"x"}"#,
            "\n",
        ];
        assert_eq!(line, expected.concat());
    }

    #[test]
    fn values_are_quoted_when_they_could_be_mistaken() {
        for (value, shown) in [
            ("bare", "bare"),
            ("back\\slash", "back\\slash"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a=b", "\"a=b\""),
            ("a\nb", "\"a\\nb\""),
            ("\u{1b}[0m", "\"\\u{1b}[0m\""),
            ("a\u{2028}b", "\"a\\u{2028}b\""),
            ("say \"hi\\\" ü", "\"say \\\"hi\\\\\\\" ü\""),
        ] {
            let mut line = String::new();
            push_value(&mut line, value);
            assert_eq!(line, shown, "for {value:?}");
        }
    }

    #[test]
    fn fields_of_secret_names_are_hidden_whatever_they_hold() {
        let fields = fields("m", &[("sasl.password", Value::from(12_345)), ("token", Value::from("a b\"c"))]);
        let line = render(&event(&fields), Format::Text, &Scrubber::new());
        assert!(line.ends_with("- m sasl.password=****** token=******\n"), "{line}");
    }
}
