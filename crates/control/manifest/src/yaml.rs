//! The file that Flink reads its configuration from.
//!
//! Lines from 1.19 on read YAML; flat keys are fine there even where one begins with the whole of another, and every
//! value is quoted so that none is taken for a number, a list or a comment. Older lines read `key: value` line by line
//! and know no quotes: a value with a line break or a `#` cannot be told to them at all. They have a directory of their own: a newer line that finds their file reads it instead.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kobel_model::deployment::FlinkVersion;

use crate::launch::File;

/// The oldest line that reads YAML.
const YAML_SINCE: FlinkVersion = FlinkVersion::V1_19;

/// The directory of the configuration of `line`, relative to the folder of the application.
pub(crate) fn directory(line: FlinkVersion) -> &'static str {
    if line < YAML_SINCE { "conf-flat" } else { "conf" }
}

/// The file with the configuration for `line`.
pub(crate) fn file(values: &BTreeMap<String, String>, line: FlinkVersion) -> File {
    let format = if line < YAML_SINCE { Format::Flat } else { Format::Standard };
    File { path: PathBuf::from(directory(line)).join(format.file_name()), text: format.print(values) }
}

/// How a configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `key: value` line by line, without quotes.
    Flat,
    /// YAML.
    Standard,
}

impl Format {
    /// The name by which Flink knows a file of this format.
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::Flat => "flink-conf.yaml",
            Self::Standard => "config.yaml",
        }
    }

    /// Whether a file of this format says exactly this. In the flat one a line ends a value, and `#` begins a comment
    /// wherever it stands; blanks at the ends of a value are nothing to either.
    pub(crate) fn says(self, key: &str, value: &str) -> bool {
        let is_plain = |text: &str| !text.contains(['\n', '\r', '#']);
        self == Self::Standard || (is_plain(key) && !key.contains(": ") && is_plain(value.trim()))
    }

    /// Everything of a configuration.
    pub(crate) fn print(self, values: &BTreeMap<String, String>) -> String {
        let print = match self {
            Self::Flat => flat_line,
            Self::Standard => yaml_line,
        };
        values.iter().map(|(key, value)| print(key, value)).collect()
    }
}

fn yaml_line(key: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !key.is_empty() && key.chars().all(is_plain) {
        return format!("{key}: {}\n", quoted(value));
    }
    format!("{}: {}\n", quoted(key), quoted(value))
}

/// `text` in single quotes, in which nothing but the quote is special; where it holds what cannot stand in them, in
/// double quotes with the escapes of JSON, which are escapes of YAML too.
fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// What the format cannot say is refused before it comes here; if it does all the same, it spoils no other line.
fn flat_line(key: &str, value: &str) -> String {
    format!("{key}: {}\n", value.trim().replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: FlinkVersion) -> String {
        let values = [
            ("$internal.pipeline.job-id", "0a"),
            ("a", "1"),
            ("a.b", "it's # no comment: [x]"),
            ("c", "two\nlines"),
            ("with blank", ""),
        ];
        file(&values.map(|(key, value)| (key.to_owned(), value.to_owned())).into(), line).text
    }

    #[test]
    fn every_value_of_yaml_is_text() {
        assert_eq!(
            written(FlinkVersion::V1_19),
            "'$internal.pipeline.job-id': '0a'\na: '1'\na.b: 'it''s # no comment: [x]'\nc: \"two\\nlines\"\n\
             'with blank': ''\n"
        );
    }

    #[test]
    fn what_the_flat_format_cannot_say_is_known() {
        for (key, value, is_said) in [
            ("a", "1", true),
            ("a", "it's [x]: y", true),
            ("a", "a block of one line\n", true),
            ("a", "", true),
            ("a", "two\nlines", false),
            ("a", "two\rlines", false),
            ("a", "p#ss", false),
            ("a#b", "1", false),
            ("a: b", "1", false),
        ] {
            assert_eq!(Format::Flat.says(key, value), is_said, "{key:?} {value:?}");
            assert!(Format::Standard.says(key, value));
        }
    }

    #[test]
    fn an_older_line_has_its_own_format_and_directory() {
        assert!(written(FlinkVersion::V1_18).contains("a: 1\na.b: it's # no comment: [x]\nc: two lines\n"));
        let paths = [FlinkVersion::V1_18, FlinkVersion::V1_19].map(|line| file(&BTreeMap::new(), line).path);
        assert_eq!(paths, [PathBuf::from("conf-flat/flink-conf.yaml"), PathBuf::from("conf/config.yaml")]);
    }
}
