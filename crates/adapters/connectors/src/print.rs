//! The sink that prints rows with their kinds, as Flink's `print`: `id:1> +I[a, b]`.
//!
//! Lines are handed to the terminal batch by batch, so lines of several subtasks do not mix.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use kobel_dataflow::batch::Batch;
use kobel_dataflow::ports::{RestoredSink, Sink, SinkWriter, WriterContext};
use kobel_model::{Error, Result};
use kobel_sql::catalog::{PhysicalColumn, TableSpec};
use kobel_sql::functions::cast::java_double::{push_f32, push_f64};

use crate::constraint::enforce_not_null;
use crate::formats::calendar::{self, Fraction};
use crate::formats::cells::{Cell, Cells};
use crate::formats::numbers::{DecimalForm, write_decimal};
use crate::options::{Checked, Options, catalogue, invalid};
use crate::terminal::{RowOutput, Terminal};

struct PrintOptions {
    identifier: String,
    is_standard_error: bool,
}

impl PrintOptions {
    fn read(table: &TableSpec) -> Checked<Self> {
        let options = Options::of(table, &[catalogue::TABLE, catalogue::SINK, catalogue::PRINT])?;
        Ok(Self {
            identifier: options.text("print-identifier").unwrap_or_default().to_owned(),
            is_standard_error: options.boolean("standard-error")?,
        })
    }
}

/// Checks the options of a table.
pub(crate) fn check(table: &TableSpec) -> Checked<()> {
    PrintOptions::read(table).map(drop)
}

/// Makes the sink.
pub(crate) fn sink(table: &TableSpec, terminal: &Terminal) -> Result<Arc<dyn Sink>> {
    let options = PrintOptions::read(table).map_err(|problem| invalid(table, problem))?;
    let output = if options.is_standard_error { &terminal.stderr } else { &terminal.stdout };
    Ok(Arc::new(Print {
        identifier: options.identifier,
        output: Arc::clone(output),
        physical: table.physical.clone().into(),
    }))
}

struct Print {
    identifier: String,
    output: RowOutput,
    physical: Arc<[PhysicalColumn]>,
}

impl Sink for Print {
    fn open(&self, _lineage: &str, _restored: Option<&RestoredSink>) -> Result<()> {
        Ok(())
    }

    fn writer(&self, context: WriterContext, _states: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(PrintWriter {
            prefix: prefix(&self.identifier, &context),
            output: Arc::clone(&self.output),
            physical: Arc::clone(&self.physical),
            lines: String::new(),
            bytes: 0,
        }))
    }
}

/// `id:1> `, without the subtask if there is only one, without the identifier if there is none.
fn prefix(identifier: &str, context: &WriterContext) -> String {
    match (identifier, context.parallelism > 1) {
        ("", false) => String::new(),
        ("", true) => format!("{}> ", context.subtask + 1),
        (_, false) => format!("{identifier}> "),
        (_, true) => format!("{identifier}:{}> ", context.subtask + 1),
    }
}

struct PrintWriter {
    prefix: String,
    output: RowOutput,
    physical: Arc<[PhysicalColumn]>,
    lines: String,
    bytes: u64,
}

impl SinkWriter for PrintWriter {
    fn write(&mut self, batch: &Batch) -> Result<()> {
        enforce_not_null(&self.physical, batch.records())?;
        self.lines.clear();
        write_rows(&self.prefix, batch, &mut self.lines)?;
        self.bytes += self.lines.len() as u64;
        (self.output)(&self.lines).map_err(|error| Error::io("cannot print rows", error))
    }

    fn bytes_written(&self) -> u64 {
        self.bytes
    }
}

/// Appends a line per row.
pub(crate) fn write_rows(prefix: &str, batch: &Batch, out: &mut String) -> Result<()> {
    let columns = cells(batch.records())?;
    for row in 0..batch.num_rows() {
        out.push_str(prefix);
        out.push_str(batch.kind(row).short());
        out.push('[');
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            write_cell(column.get(row), out);
        }
        out.push_str("]\n");
    }
    Ok(())
}

fn cells(records: &RecordBatch) -> Result<Vec<Cells<'_>>> {
    records.columns().iter().map(|column| Cells::of(column.as_ref())).collect()
}

/// Prints a value as Java prints the object that Flink hands to `Row.toString`.
fn write_cell(cell: Cell<'_>, out: &mut String) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
        Cell::Integer(value) => push(out, format_args!("{value}")),
        Cell::Float(value) => push_f32(out, value),
        Cell::Double(value) => push_f64(out, value),
        Cell::Decimal(value, scale) => write_decimal(out, value, scale, DecimalForm::Java),
        Cell::Text(value) => out.push_str(value),
        Cell::Bytes(value) => write_bytes(value, out),
        Cell::Date(days) => calendar::write_date(out, i64::from(days)),
        Cell::Time(millis) => calendar::write_java_time(out, millis),
        Cell::Timestamp(moment) => calendar::write_java_timestamp(out, moment),
        Cell::Instant(moment) => {
            calendar::write_timestamp(out, moment, 'T', Fraction::Thousands);
            out.push('Z');
        }
    }
}

/// Java's bytes are signed.
fn write_bytes(value: &[u8], out: &mut String) {
    out.push('[');
    for (index, byte) in value.iter().enumerate() {
        let separator = if index > 0 { ", " } else { "" };
        push(out, format_args!("{separator}{}", byte.cast_signed()));
    }
    out.push(']');
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests;
