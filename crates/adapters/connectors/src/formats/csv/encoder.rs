//! Csv records from rows, byte for byte as Flink writes them.
//!
//! # Source
//! Jackson 2.18 `CsvEncoder`: numbers, booleans and NULL are written as they are; text is quoted by its "loose" rule,
//! which quotes more than needed: text longer than 24 characters, and text with a character that is not above the
//! delimiter and the quote in ASCII, blanks included.

use std::fmt::Write;

use arrow_array::RecordBatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kobel_model::Result;
use kobel_sql::functions::cast::java_double::{push_f32, push_f64};

use super::{CsvOptions, Dialect};
use crate::formats::Encoder;
use crate::formats::calendar::{self, Fraction};
use crate::formats::cells::{Cell, Cells};
use crate::formats::numbers::{DecimalForm, write_decimal};

/// Longer text is quoted without looking at it.
const UNQUOTED_LENGTH_MAX: usize = 24;

/// Writes csv.
pub(crate) struct CsvEncoder {
    dialect: Dialect,
    null_literal: String,
    decimals: DecimalForm,
    /// The text of a value before it is known whether it needs quotes.
    text: String,
}

impl CsvEncoder {
    /// An encoder with the options of a table.
    pub fn new(options: &CsvOptions) -> Self {
        Self {
            dialect: options.dialect,
            null_literal: options.null_literal.clone().unwrap_or_default(),
            decimals: if options.is_scientific { DecimalForm::Stripped } else { DecimalForm::Plain },
            text: String::new(),
        }
    }

    fn write(&mut self, cell: Cell<'_>, out: &mut String) {
        self.text.clear();
        match cell {
            Cell::Null => return out.push_str(&self.null_literal),
            Cell::Boolean(value) => return out.push_str(if value { "true" } else { "false" }),
            Cell::Integer(value) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "{value}");
                return;
            }
            Cell::Float(value) => return push_f32(out, value),
            Cell::Double(value) => return push_f64(out, value),
            Cell::Decimal(value, scale) => return write_decimal(out, value, scale, self.decimals),
            Cell::Text(value) => return write_text(self.dialect, value, out),
            Cell::Bytes(value) => STANDARD.encode_string(value, &mut self.text),
            Cell::Date(days) => calendar::write_date(&mut self.text, i64::from(days)),
            Cell::Time(millis) => calendar::write_time(&mut self.text, millis),
            Cell::Timestamp(moment) => {
                calendar::write_timestamp(&mut self.text, moment, ' ', Fraction::Trimmed);
            }
            Cell::Instant(moment) => {
                calendar::write_timestamp(&mut self.text, moment, ' ', Fraction::Trimmed);
                self.text.push('Z');
            }
        }
        write_text(self.dialect, &self.text, out);
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, records: &RecordBatch, out: &mut String) -> Result<()> {
        let columns: Vec<Cells<'_>> =
            records.columns().iter().map(|column| Cells::of(column.as_ref())).collect::<Result<_>>()?;
        let delimiter = char::from(self.dialect.delimiter);
        for row in 0..records.num_rows() {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(delimiter);
                }
                self.write(column.get(row), out);
            }
            out.push('\n');
        }
        Ok(())
    }
}

fn write_text(dialect: Dialect, text: &str, out: &mut String) {
    let Some(quote) = dialect.quote.filter(|quote| needs_quotes(dialect, *quote, text)) else {
        return out.push_str(text);
    };
    let quote = char::from(quote);
    let escape = dialect.escape.map(char::from);
    out.push(quote);
    for c in text.chars() {
        if c == quote || escape == Some(c) {
            out.push(c);
        }
        out.push(c);
    }
    out.push(quote);
}

fn needs_quotes(dialect: Dialect, quote: u8, text: &str) -> bool {
    // Java counts UTF-16 units; a text of no more bytes has no more of them.
    if text.len() > UNQUOTED_LENGTH_MAX && text.encode_utf16().count() > UNQUOTED_LENGTH_MAX {
        return true;
    }
    let highest = dialect.delimiter.max(quote).max(b'\n');
    let escape = dialect.escape.unwrap_or(b'\\');
    text.bytes().any(|byte| byte <= highest || byte == escape)
}
