//! The sink of a bare SELECT: rows in a box on standard output, each batch as soon as it arrives.
//!
//! What is on the screen cannot be taken back: a job that is resumed after a crash prints the rows that followed its
//! last checkpoint once more. A stop with a savepoint prints each row once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;
use kobel_dataflow::Batch;
use kobel_dataflow::ports::{RestoredSink, Sink, SinkWriter, WriterContext};
use kobel_model::{Error, Result};
use kobel_sql::plan::{ChangelogMode, Rel};
use kobel_sql::types::TypeKind;

use crate::terminal::Terminal;
use crate::terminal::progress::counted;
use crate::terminal::table::{Layout, Overflow};
use crate::terminal::value::push_value;

/// The result table of a query.
#[derive(Clone)]
pub(crate) struct ResultTable {
    shared: Arc<Shared>,
}

struct Shared {
    terminal: Arc<Terminal>,
    layout: Layout,
    kinds: Vec<TypeKind>,
    mode: ChangelogMode,
    zone: TimeZone,
    rows: AtomicU64,
}

impl ResultTable {
    /// The table of the rows of `query`; a TIMESTAMP_LTZ is shown in `zone`.
    pub(crate) fn new(terminal: Arc<Terminal>, query: &Rel, zone: TimeZone) -> Self {
        let overflow = if terminal.shows_rows() { Overflow::Cut } else { Overflow::Keep };
        let mode = query.changelog_mode();
        let layout = Layout::of_query(&query.schema, mode, overflow);
        let kinds = query.schema.columns.iter().map(|column| column.ty.kind).collect();
        Self { shared: Arc::new(Shared { terminal, layout, kinds, mode, zone, rows: AtomicU64::new(0) }) }
    }

    /// The sink that prints into it.
    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::new(self.clone())
    }

    /// Prints what stands above the rows.
    ///
    /// # Errors
    /// Unavailable if standard output cannot be written.
    pub(crate) fn begin(&self) -> Result<()> {
        self.shared.print(&self.shared.layout.header())
    }

    /// Prints what stands below the rows, and tells how many they are.
    ///
    /// # Errors
    /// As [`ResultTable::begin`].
    pub(crate) fn end(&self) -> Result<()> {
        self.shared.print(&self.shared.layout.border())?;
        let rows = self.shared.rows.load(Ordering::Relaxed);
        self.shared.terminal.inform(&format!("{} in set", counted(rows, "row")));
        Ok(())
    }
}

impl Shared {
    fn print(&self, lines: &str) -> Result<()> {
        self.terminal.rows(lines).map_err(|error| Error::io("cannot write to standard output", error))
    }
}

impl Sink for ResultTable {
    fn open(&self, _lineage: &str, _restored: Option<&RestoredSink>) -> Result<()> {
        Ok(())
    }

    fn writer(&self, _context: WriterContext, _states: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let cells = vec![String::new(); self.shared.kinds.len() + 1];
        Ok(Box::new(ResultWriter { shared: Arc::clone(&self.shared), lines: String::new(), cells, bytes: 0 }))
    }
}

struct ResultWriter {
    shared: Arc<Shared>,
    lines: String,
    /// The texts of a row: its kind, then its values.
    cells: Vec<String>,
    bytes: u64,
}

impl SinkWriter for ResultWriter {
    fn write(&mut self, batch: &Batch) -> Result<()> {
        self.lines.clear();
        let first = usize::from(self.shared.mode == ChangelogMode::InsertOnly);
        for row in 0..batch.num_rows() {
            self.cells.iter_mut().for_each(String::clear);
            let mut cells = self.cells.iter_mut();
            if let Some(kind) = cells.next() {
                kind.push_str(batch.kind(row).short());
            }
            let columns = batch.records().columns().iter().zip(&self.shared.kinds);
            for (cell, (column, kind)) in cells.zip(columns) {
                push_value(cell, column.as_ref(), row, *kind, &self.shared.zone)?;
            }
            self.shared.layout.push_row(&mut self.lines, self.cells.iter().skip(first).map(String::as_str));
        }
        self.shared.print(&self.lines)?;
        self.shared.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        self.bytes += self.lines.len() as u64;
        Ok(())
    }

    fn bytes_written(&self) -> u64 {
        self.bytes
    }
}
