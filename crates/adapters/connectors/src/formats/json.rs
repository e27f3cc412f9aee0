//! Format `json`: one object per line.
//!
//! # Source
//! Apache Flink 2.3 `JsonParserRowDataDeserializationSchema` and `JsonRowDataSerializationSchema`. Two of its habits
//! are errors here, because they lose rows in silence: text behind the object, and an array around objects.

mod decoder;
mod encoder;
mod scanner;

pub(crate) use decoder::JsonDecoder;
pub(crate) use encoder::JsonEncoder;

use super::OnFault;
use super::calendar::Style;
use crate::options::{Checked, Options};

/// Options of the format.
#[derive(Debug, Clone)]
pub(crate) struct JsonOptions {
    on_fault: OnFault,
    must_be_complete: bool,
    style: Style,
    is_decimal_plain: bool,
    is_null_left_out: bool,
}

impl JsonOptions {
    /// Reads the options.
    pub fn read(options: &Options<'_>) -> Checked<Self> {
        let must_be_complete = options.boolean("json.fail-on-missing-field")?;
        let is_ignored = options.boolean("json.ignore-parse-errors")?;
        if must_be_complete && is_ignored {
            return Err(options.bad_value(
                "json.fail-on-missing-field",
                "`json.ignore-parse-errors` cannot be `true` at the same time",
            ));
        }
        let standard = options.text("json.timestamp-format.standard").unwrap_or("SQL");
        Ok(Self {
            on_fault: if is_ignored { OnFault::Ignore } else { OnFault::Fail },
            must_be_complete,
            style: if standard.eq_ignore_ascii_case("ISO-8601") { Style::JsonIso } else { Style::JsonSql },
            is_decimal_plain: options.boolean("json.encode.decimal-as-plain-number")?,
            is_null_left_out: options.boolean("json.encode.ignore-null-fields")?,
        })
    }
}

#[cfg(test)]
mod tests;
