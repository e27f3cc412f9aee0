//! The ports through which the dataflow meets the outside: sources and sinks. Adapters implement them.
//!
//! A [`Source`] or [`Sink`] is a factory that is made once per job; readers and writers are made per subtask and are
//! driven by one thread, step by step. None of them may block for longer than a disk access.

use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use kobel_model::Result;

use crate::batch::Batch;

/// A part of a source's input that is read in order, with the position of its next row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Stable name, e.g. the path of a file; unique within the source.
    pub id: String,
    /// Where to go on, in the source's own encoding; the source writes and reads it.
    pub position: Vec<u8>,
}

/// What a reader has to say.
#[derive(Debug)]
pub enum Poll {
    /// Rows of one split, 1 ..= `max_rows` of them.
    Rows {
        /// [`Split::id`].
        split: std::sync::Arc<str>,
        /// The rows, in the source's schema.
        rows: RecordBatch,
    },
    /// The split has ended; it is never heard of again.
    SplitEnd(std::sync::Arc<str>),
    /// Nothing now; ask again after the given time at the latest.
    Idle(Duration),
    /// All splits of this reader have ended.
    End,
}

/// Makes the readers of one table.
pub trait Source: Send + Sync {
    /// What the rows look like.
    fn schema(&self) -> SchemaRef;

    /// All splits at their beginning, in the order in which they should be read. Called once on a fresh start, never
    /// when restoring.
    ///
    /// # Errors
    /// Missing or Denied if the input cannot be listed.
    fn splits(&self, parallelism: usize) -> Result<Vec<Split>>;

    /// A reader of these splits (none: it ends at once).
    ///
    /// # Errors
    /// Missing, Denied or Corrupt if a split cannot be opened at its position.
    fn reader(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>>;

    /// Whether the input ends.
    fn is_bounded(&self) -> bool;

    /// Whether a reader takes rows from all of its splits in turn, so that each holds the watermark back from the
    /// start; otherwise it reads one after the other and only the one being read counts.
    fn interleaves_splits(&self) -> bool {
        false
    }
}

/// Reads some splits.
pub trait SourceReader: Send {
    /// The next rows, at most `max_rows`; must not wait. `now_ms` is processing time in epoch milliseconds.
    ///
    /// # Errors
    /// Invalid if a row is malformed, naming the split, line and column; Unavailable if reading failed.
    fn poll(&mut self, max_rows: usize, now_ms: i64) -> Result<Poll>;

    /// The splits that have not ended, each at the position after the last row that `poll` returned.
    fn snapshot(&self) -> Vec<Split>;

    /// Bytes of input consumed so far, if the source counts them.
    fn bytes_read(&self) -> u64 {
        0
    }

    /// What is known to be left to read; must be cheap, since it is asked after every batch.
    fn pending(&self) -> Pending {
        Pending::default()
    }
}

/// What a reader knows to be left of its input.
///
/// # Source
/// Flink `SourceReaderMetricGroup` (FLIP-33): `pendingRecords`, `pendingBytes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pending {
    /// Rows, if they are known.
    pub rows: Option<u64>,
    /// Bytes, if they are known.
    pub bytes: Option<u64>,
}

/// What a job was restored from, for a sink.
#[derive(Debug, Clone)]
pub struct RestoredSink {
    /// The id of the snapshot.
    pub checkpoint_id: u64,
    /// When it was triggered, in epoch milliseconds.
    pub triggered_ms: i64,
    /// The states of all writers of the snapshot by old subtask.
    pub states: Vec<Vec<u8>>,
}

/// Where a writer stands.
#[derive(Debug, Clone)]
pub struct WriterContext {
    /// Index of the subtask.
    pub subtask: usize,
    /// Number of subtasks.
    pub parallelism: usize,
    /// Its own for every sink of a run, and the same through restores: output files carry it.
    pub lineage: String,
    /// The id of the last snapshot that was taken or restored; 0 on a fresh start.
    pub last_checkpoint_id: u64,
}

/// Makes the writers of one table.
pub trait Sink: Send + Sync {
    /// Checks the target before anything runs. On restore it also puts right what a dead run left behind: what the
    /// snapshot had prepared is committed, what came after the snapshot is taken back. Must be idempotent.
    ///
    /// # Errors
    /// Denied or Missing if the target cannot be written; Corrupt if prepared output is lost.
    fn open(&self, lineage: &str, restored: Option<&RestoredSink>) -> Result<()>;

    /// A writer. `states` are the states that this subtask goes on from (of old subtasks that are equal to the subtask
    /// modulo the parallelism); empty on a fresh start.
    ///
    /// # Errors
    /// As [`Sink::open`].
    fn writer(&self, context: WriterContext, states: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>>;
}

/// Writes the rows of one subtask, exactly once together with the checkpoints.
///
/// The order of calls is: `write`*, then per checkpoint `snapshot` … `commit` (or a later checkpoint's), at the end of
/// input `finish`, a last `snapshot` and its `commit`. A writer whose rows are visible at once has nothing to prepare or
/// commit and leaves these as they are.
pub trait SinkWriter: Send {
    /// Takes rows.
    ///
    /// # Errors
    /// Invalid if a row cannot be written in the format, Unavailable if the target fails.
    fn write(&mut self, batch: &Batch) -> Result<()>;

    /// Hands on what is buffered, so that a person sees it; called when the input is idle.
    ///
    /// # Errors
    /// As [`SinkWriter::write`].
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Makes everything written so far durable but not visible (first phase) and returns the state from which it can
    /// be committed by another process.
    ///
    /// # Errors
    /// As [`SinkWriter::write`].
    fn snapshot(&mut self, _checkpoint_id: u64, _now_ms: i64) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// Makes visible what snapshots up to `checkpoint_id` prepared (second phase). Idempotent.
    ///
    /// # Errors
    /// As [`SinkWriter::write`].
    fn commit(&mut self, _checkpoint_id: u64) -> Result<()> {
        Ok(())
    }

    /// The input has ended: nothing will be written any more.
    ///
    /// # Errors
    /// As [`SinkWriter::write`].
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    /// Bytes written so far, if the sink counts them.
    fn bytes_written(&self) -> u64 {
        0
    }
}
