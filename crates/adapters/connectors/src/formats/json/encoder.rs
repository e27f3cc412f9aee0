//! JSON lines from rows, byte for byte as Flink writes them.

use std::fmt::Write;

use arrow_array::RecordBatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kobel_model::Result;
use kobel_sql::catalog::PhysicalColumn;
use kobel_sql::functions::cast::java_double::{push_f32, push_f64};

use super::JsonOptions;
use crate::formats::Encoder;
use crate::formats::calendar::{self, Fraction, Style};
use crate::formats::cells::{Cell, Cells};
use crate::formats::numbers::{DecimalForm, write_decimal};

/// Writes JSON lines.
pub(crate) struct JsonEncoder {
    /// `"name":` by column.
    keys: Vec<String>,
    separator: char,
    decimals: DecimalForm,
    is_null_left_out: bool,
}

impl JsonEncoder {
    /// An encoder with the options of a table.
    pub fn new(options: &JsonOptions, physical: &[PhysicalColumn]) -> Self {
        let key = |column: &PhysicalColumn| {
            let mut key = String::new();
            write_string(&mut key, &column.name, Surrogates::Escaped);
            key.push(':');
            key
        };
        Self {
            keys: physical.iter().map(key).collect(),
            separator: if options.style == Style::JsonIso { 'T' } else { ' ' },
            decimals: if options.is_decimal_plain { DecimalForm::Plain } else { DecimalForm::Stripped },
            is_null_left_out: options.is_null_left_out,
        }
    }

    fn write(&self, cell: Cell<'_>, out: &mut String) {
        match cell {
            Cell::Null => out.push_str("null"),
            Cell::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
            Cell::Integer(value) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "{value}");
            }
            Cell::Float(value) if value.is_finite() => push_f32(out, value),
            Cell::Float(value) => quoted(out, |out| push_f32(out, value)),
            Cell::Double(value) if value.is_finite() => push_f64(out, value),
            Cell::Double(value) => quoted(out, |out| push_f64(out, value)),
            Cell::Decimal(value, scale) => write_decimal(out, value, scale, self.decimals),
            Cell::Text(value) => write_string(out, value, Surrogates::Escaped),
            Cell::Bytes(value) => quoted(out, |out| STANDARD.encode_string(value, out)),
            Cell::Date(days) => quoted(out, |out| calendar::write_date(out, i64::from(days))),
            Cell::Time(millis) => quoted(out, |out| calendar::write_time(out, millis)),
            Cell::Timestamp(moment) => {
                quoted(out, |out| calendar::write_timestamp(out, moment, self.separator, Fraction::Trimmed));
            }
            Cell::Instant(moment) => quoted(out, |out| {
                calendar::write_timestamp(out, moment, self.separator, Fraction::Trimmed);
                out.push('Z');
            }),
        }
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, records: &RecordBatch, out: &mut String) -> Result<()> {
        let columns: Vec<Cells<'_>> =
            records.columns().iter().map(|column| Cells::of(column.as_ref())).collect::<Result<_>>()?;
        for row in 0..records.num_rows() {
            let mut separator = "{";
            for (key, column) in self.keys.iter().zip(&columns) {
                let cell = column.get(row);
                if cell == Cell::Null && self.is_null_left_out {
                    continue;
                }
                out.push_str(separator);
                separator = ",";
                out.push_str(key);
                self.write(cell, out);
            }
            out.push_str(if separator == "{" { "{}\n" } else { "}\n" });
        }
        Ok(())
    }
}

fn quoted(out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('"');
    write(out);
    out.push('"');
}

/// What becomes of characters that UTF-16 needs two units for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surrogates {
    /// Written as they are.
    Raw,
    /// Written as two escapes, which is what Jackson does when it writes bytes.
    Escaped,
}

/// Writes a string with its quotes.
pub(crate) fn write_string(out: &mut String, text: &str, surrogates: Surrogates) {
    out.push('"');
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            c if c < ' ' || (c.len_utf16() == 2 && surrogates == Surrogates::Escaped) => "",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        from = at + c.len_utf8();
        if escape.is_empty() {
            write_units(out, c);
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}

fn write_units(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\u{unit:04X}");
    }
}
