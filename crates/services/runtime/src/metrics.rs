//! Counters that slots write and everybody may read: relaxed atomics, no lock on the way of a row.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counters of one subtask of an operator.
#[derive(Debug, Default)]
pub struct SubtaskMetrics {
    /// Rows taken (of a source: read).
    pub rows_in: AtomicU64,
    /// Bytes read or written, if the connector counts them.
    pub bytes: AtomicU64,
    /// Groups in keyed state.
    pub groups: AtomicU64,
    /// Rows dropped because they were late.
    pub late_rows: AtomicU64,
    watermark: AtomicI64,
    has_watermark: AtomicU64,
}

impl SubtaskMetrics {
    /// Notes the current watermark.
    pub(crate) fn set_watermark(&self, watermark: i64) {
        self.watermark.store(watermark, Ordering::Relaxed);
        self.has_watermark.store(1, Ordering::Release);
    }

    /// The current watermark, if there has been one.
    pub fn watermark(&self) -> Option<i64> {
        (self.has_watermark.load(Ordering::Acquire) == 1).then(|| self.watermark.load(Ordering::Relaxed))
    }
}

/// What an operator is, as far as progress cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorRole {
    /// Reads a table.
    Source,
    /// Writes a table.
    Sink,
    /// In between.
    Inner,
}

/// Counters of one operator.
#[derive(Debug)]
pub struct OperatorMetrics {
    /// Name, for people.
    pub name: String,
    /// What it is.
    pub role: OperatorRole,
    /// By subtask.
    pub subtasks: Vec<SubtaskMetrics>,
}

/// Counters of a job.
#[derive(Debug)]
pub struct JobMetrics {
    /// In the order of the graph.
    pub operators: Vec<OperatorMetrics>,
}

impl JobMetrics {
    fn sum(&self, role: Option<OperatorRole>, counter: impl Fn(&SubtaskMetrics) -> &AtomicU64) -> u64 {
        let operators = self.operators.iter().filter(|operator| role.is_none_or(|role| operator.role == role));
        operators.flat_map(|operator| &operator.subtasks).map(|subtask| counter(subtask).load(Ordering::Relaxed)).sum()
    }

    /// Rows that sources have read.
    pub fn rows_in(&self) -> u64 {
        self.sum(Some(OperatorRole::Source), |subtask| &subtask.rows_in)
    }

    /// Rows that sinks have taken.
    pub fn rows_out(&self) -> u64 {
        self.sum(Some(OperatorRole::Sink), |subtask| &subtask.rows_in)
    }

    /// Rows dropped because they were late.
    pub fn late_rows(&self) -> u64 {
        self.sum(None, |subtask| &subtask.late_rows)
    }

    /// Groups in keyed state.
    pub fn groups(&self) -> u64 {
        self.sum(None, |subtask| &subtask.groups)
    }

    /// The least watermark of the sources' subtasks that have one and have not ended.
    pub fn watermark(&self) -> Option<i64> {
        let sources = self.operators.iter().filter(|operator| operator.role == OperatorRole::Source);
        sources.flat_map(|operator| &operator.subtasks).filter_map(SubtaskMetrics::watermark).min()
    }
}
