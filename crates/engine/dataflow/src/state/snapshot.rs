//! What a snapshot of an operator consists of, in memory; the runtime writes it and reads it back.

use arrow_array::RecordBatch;

/// What a snapshot should hold and whether it moves the baseline of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotMode {
    /// The contents of pages that changed since the last `Incremental` or `Full` snapshot.
    Incremental,
    /// The contents of all pages; the next `Incremental` counts from here.
    Full,
    /// The contents of all pages; the baseline stays where it is.
    Savepoint,
}

/// A page of keyed state.
#[derive(Debug, Clone)]
pub struct Page {
    /// The table of the operator: 0, or the end of a window in epoch milliseconds.
    pub table: i64,
    /// Number of the page in its table.
    pub page: u32,
    /// Key columns, then state columns, of the live groups; `None` if nothing changed since the baseline.
    pub content: Option<RecordBatch>,
}

/// The state of one subtask of an operator.
#[derive(Debug, Clone, Default)]
pub struct OperatorState {
    /// Small state, in the operator's own encoding; taken whole by every snapshot.
    pub inline: Vec<u8>,
    /// All pages that the state consists of.
    pub pages: Vec<Page>,
}
