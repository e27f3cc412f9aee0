//! Rows from csv records; only the fields that are asked for are parsed.

use arrow_array::RecordBatch;
use kobel_model::Result;
use kobel_sql::catalog::PhysicalColumn;

use super::CsvOptions;
use super::record::{Extent, Split, Splitter};
use crate::formats::calendar::Style;
use crate::formats::columns::RowsBuilder;
use crate::formats::{Decoder, Fault, OnFault, Step, Tail, Taken};

/// Reads csv.
pub(crate) struct CsvDecoder {
    options: CsvOptions,
    splitter: Splitter,
    rows: RowsBuilder,
    /// For each column asked for, its place in a record.
    asked: Vec<usize>,
    /// Number of columns of the table.
    width: usize,
    /// Number of fields that reach the last column asked for: a row that lacks others is not noticed, as in Flink.
    needed: usize,
}

impl CsvDecoder {
    /// A decoder of the columns `asked`.
    ///
    /// # Errors
    /// Bug if a column cannot be built.
    pub fn new(options: CsvOptions, physical: &[PhysicalColumn], asked: &[usize]) -> Result<Self> {
        Ok(Self {
            // One more than the columns: whether the last delimiter ends the row depends on what is behind it.
            splitter: Splitter::new(options.dialect, physical.len() + 1),
            rows: RowsBuilder::new(physical, asked)?,
            asked: asked.to_vec(),
            width: physical.len(),
            needed: asked.iter().max().map_or(0, |last| last + 1),
            options,
        })
    }

    /// Checks the number of fields.
    fn check_width(&self, record: &[u8]) -> std::result::Result<(), Fault> {
        let (found, expected) = (self.splitter.fields(), self.width);
        let rules = self.options.fields;
        if found > expected {
            let is_last_empty = self.splitter.field(expected, record).is_some_and(<[u8]>::is_empty);
            let is_trailing = rules.may_end_with_delimiter && found == expected + 1 && is_last_empty;
            if is_trailing || rules.may_exceed {
                return Ok(());
            }
        } else if found == expected
            || (!rules.must_be_complete && (found >= self.needed || self.options.on_fault == OnFault::Ignore))
        {
            return Ok(());
        }
        let noun = if found == 1 { "field" } else { "fields" };
        Err(Fault::of_record(format!("the row has {found} {noun}: expected {expected}")))
    }

    /// Appends the record that was split last.
    fn append(&mut self, record: &[u8]) -> std::result::Result<(), Fault> {
        for (column, place) in self.rows.columns_mut().iter_mut().zip(&self.asked) {
            let Some(bytes) = self.splitter.field(*place, record) else {
                column.append_null()?;
                continue;
            };
            // The record is UTF-8 and fields are cut at ASCII characters; an escaped byte alone may break that.
            let text = str::from_utf8(bytes).map_err(|_| Fault::of_column(column.name(), "is no UTF-8"))?;
            let is_null =
                self.options.null_literal.as_deref() == Some(text) || (self.options.is_empty_null && text.is_empty());
            if is_null {
                column.append_null()?;
            } else if let Err(fault) = column.append_text(text, Style::Csv) {
                match self.options.on_fault {
                    OnFault::Fail => return Err(fault),
                    OnFault::Ignore => column.append_null()?,
                }
            }
        }
        self.rows.end_row();
        Ok(())
    }

    fn row(&mut self, record: &[u8]) -> std::result::Result<usize, Fault> {
        let checked = match str::from_utf8(record) {
            Ok(_) => self.check_width(record),
            Err(error) => Err(Fault::of_record(format!("byte {} is no UTF-8", error.valid_up_to() + 1))),
        };
        match (checked, self.options.on_fault) {
            (Ok(()), _) => self.append(record).map(|()| 1),
            (Err(_), OnFault::Ignore) => Ok(0),
            (Err(fault), OnFault::Fail) => Err(fault),
        }
    }
}

impl Decoder for CsvDecoder {
    fn decode(&mut self, bytes: &[u8], tail: Tail) -> std::result::Result<Step, Fault> {
        let taken = |extent: Extent, rows| Step::Taken(Taken { bytes: extent.bytes, lines: extent.lines, rows });
        match self.splitter.split(bytes, tail) {
            Split::Incomplete => Ok(Step::Incomplete),
            Split::Skipped(extent) => Ok(taken(extent, 0)),
            Split::Broken(extent, _) if self.options.on_fault == OnFault::Ignore => Ok(taken(extent, 0)),
            Split::Broken(_, fault) => Err(fault),
            Split::Record(extent) => {
                let record = bytes.get(..extent.text).unwrap_or_default();
                let rows = self.row(record)?;
                Ok(taken(extent, rows))
            }
        }
    }

    fn rows(&self) -> usize {
        self.rows.rows()
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        self.rows.finish()
    }
}
