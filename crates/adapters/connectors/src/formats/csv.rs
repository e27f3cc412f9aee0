//! Format `csv`: RFC 4180 with Flink's options. There is no header line; a line break may stand in quotes.
//!
//! # Source
//! Apache Flink 2.3 `CsvFileFormatFactory`, which reads with Jackson's `CsvParser` and writes with its `CsvEncoder`.

mod decoder;
mod encoder;
mod record;

pub(crate) use decoder::CsvDecoder;
pub(crate) use encoder::CsvEncoder;

use super::OnFault;
use crate::options::{Checked, Options};

/// Options of the format.
#[derive(Debug, Clone)]
pub(crate) struct CsvOptions {
    dialect: Dialect,
    on_fault: OnFault,
    null_literal: Option<String>,
    is_empty_null: bool,
    fields: FieldCount,
    is_scientific: bool,
}

/// The characters with a meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    has_comments: bool,
    is_trimmed: bool,
}

/// How many fields a row may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldCount {
    may_end_with_delimiter: bool,
    may_exceed: bool,
    must_be_complete: bool,
}

impl CsvOptions {
    /// Reads the options.
    pub fn read(options: &Options<'_>) -> Checked<Self> {
        let is_quote_disabled = options.boolean("csv.disable-quote-character")?;
        if is_quote_disabled && options.is_set("csv.quote-character") {
            return Err(options.bad_value(
                "csv.disable-quote-character",
                "`csv.quote-character` cannot be set while quotes are disabled",
            ));
        }
        let quote = options.character("csv.quote-character")?.unwrap_or(b'"');
        let dialect = Dialect {
            delimiter: options.delimiter("csv.field-delimiter")?.unwrap_or(b','),
            quote: (!is_quote_disabled).then_some(quote),
            escape: options.character("csv.escape-character")?,
            has_comments: options.boolean("csv.allow-comments")?,
            is_trimmed: options.boolean("csv.trim-spaces")?,
        };
        if dialect.quote == Some(dialect.delimiter) || dialect.escape == Some(dialect.delimiter) {
            return Err(options.bad_value("csv.field-delimiter", "the quote or escape character is the same"));
        }
        let is_ignored = options.boolean("csv.ignore-parse-errors")?;
        Ok(Self {
            dialect,
            on_fault: if is_ignored { OnFault::Ignore } else { OnFault::Fail },
            null_literal: options.text("csv.null-literal").map(str::to_owned),
            is_empty_null: options.boolean("csv.empty-string-as-null")?,
            fields: FieldCount {
                may_end_with_delimiter: options.boolean("csv.allow-trailing-comma")?,
                may_exceed: options.boolean("csv.ignore-trailing-unmappable")?,
                must_be_complete: options.boolean("csv.fail-on-missing-columns")?,
            },
            is_scientific: options.boolean("csv.write-bigdecimal-in-scientific-notation")?,
        })
    }
}

#[cfg(test)]
mod tests;
