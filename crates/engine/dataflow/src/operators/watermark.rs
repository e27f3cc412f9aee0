//! Watermarks of a source: per split, combined, and emitted so that batching cannot change what is late.
//!
//! Each split has its own watermark: the largest value of the strategy over its rows so far. As in Flink it is emitted
//! when it grew by more than the interval since the last emission. The source's watermark is the least over the splits
//! that count. A batch is cut only where that crosses the end of a window downstream: every other emission could not be
//! told from a later one.
//!
//! # Source
//! Flink `WatermarkAssignerOperator`, `WatermarkOutputMultiplexer`; FLIP-27.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use kobel_model::{Error, Result};
use serde::{Deserialize, Serialize};

use super::calc::evaluate;
use crate::batch::Batch;
use crate::graph::WatermarkSpec;
use crate::operator::Element;

/// Makes the watermarks of one source subtask.
pub struct WatermarkGenerator {
    spec: WatermarkSpec,
    splits: BTreeMap<Arc<str>, SplitWatermark>,
    /// The last combined watermark that was sent on.
    sent: i64,
    /// The combined watermark from which on a batch must be cut.
    cut_at: i64,
    is_idle: bool,
}

/// The watermark of one split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitWatermark {
    /// Largest so far.
    pub largest: i64,
    /// Largest that was emitted.
    pub emitted: i64,
    /// Processing time of its last row.
    #[serde(skip)]
    active_ms: i64,
    #[serde(skip)]
    is_idle: bool,
}

impl WatermarkGenerator {
    /// A generator that has seen nothing.
    pub fn new(spec: WatermarkSpec) -> Self {
        let cut_at = if spec.windows.is_empty() { i64::MAX } else { i64::MIN };
        Self { spec, splits: BTreeMap::new(), sent: i64::MIN, cut_at, is_idle: false }
    }

    /// Lets a split count before its first row.
    pub fn register(&mut self, split: &str, watermark: Option<SplitWatermark>) {
        let unseen = SplitWatermark { largest: i64::MIN, emitted: i64::MIN, active_ms: 0, is_idle: false };
        self.splits.insert(split.into(), watermark.unwrap_or(unseen));
    }

    /// The watermark of a split, for a snapshot.
    pub fn split(&self, split: &str) -> Option<SplitWatermark> {
        self.splits.get(split).copied()
    }

    /// The last combined watermark that was sent on, `i64::MIN` if none.
    pub fn sent(&self) -> i64 {
        self.sent
    }

    /// Goes on from a restored watermark and sends it on, before any row.
    pub fn resume(&mut self, sent: i64, out: &mut Vec<Element>) {
        if sent > i64::MIN {
            self.send(sent, out);
        }
    }

    /// Takes rows of a split; yields them, cut where needed, and watermarks.
    ///
    /// # Errors
    /// Invalid if a rowtime is NULL.
    pub fn rows(&mut self, split: &Arc<str>, batch: &Batch, now_ms: i64, out: &mut Vec<Element>) -> Result<()> {
        if !self.splits.contains_key(split) {
            self.register(split, None);
        }
        if std::mem::take(&mut self.is_idle) {
            // A watermark says that rows come again, so that it is held back from here on.
            out.push(Element::Watermark(self.sent));
        }
        let rowtime = batch.records().column(self.spec.rowtime);
        if let Some(nulls) = rowtime.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            let row = (0..nulls.len()).find(|row| nulls.is_null(*row)).unwrap_or(0);
            return Err(Error::invalid(format!(
                "the rowtime column `{}` is NULL in row {} of a batch from `{split}`",
                self.spec.column,
                row + 1
            ))
            .with_hint("a rowtime must not be NULL: filter such rows out in the table's source, or compute the column with COALESCE"));
        }
        let marks = evaluate(&self.spec.expr, batch.records())?;
        let marks = marks
            .as_primitive_opt::<TimestampMillisecondType>()
            .ok_or_else(|| Error::bug(format!("a watermark has type {}", marks.data_type())))?;
        let others = self.combined_without(split);
        let Some(mut state) = self.splits.get(split).copied() else { return Ok(()) };
        (state.active_ms, state.is_idle) = (now_ms, false);
        let mut start = 0;
        for (row, mark) in marks.values().iter().enumerate() {
            if *mark <= state.largest || marks.is_null(row) {
                continue;
            }
            state.largest = *mark;
            if state.emitted == i64::MIN || mark.saturating_sub(state.emitted) > self.spec.interval_ms {
                state.emitted = *mark;
                let combined = others.min(*mark);
                if combined >= self.cut_at && combined > self.sent {
                    out.push(Element::Batch(batch.slice(start, row + 1 - start)));
                    start = row + 1;
                    self.send(combined, out);
                }
            }
        }
        if start < batch.num_rows() {
            out.push(Element::Batch(batch.slice(start, batch.num_rows() - start)));
        }
        self.splits.insert(split.clone(), state);
        self.advance(out);
        Ok(())
    }

    /// A split has ended: it no longer holds the watermark back.
    pub fn split_end(&mut self, split: &str, out: &mut Vec<Element>) {
        self.splits.remove(split);
        self.advance(out);
    }

    /// There is no row now: what was held back by the interval is emitted, and splits that have been silent for too
    /// long stop to count.
    pub fn idle(&mut self, now_ms: i64, out: &mut Vec<Element>) {
        let timeout = self.spec.idle_timeout_ms;
        for split in self.splits.values_mut() {
            split.emitted = split.largest;
            if split.active_ms == 0 {
                split.active_ms = now_ms;
            }
            split.is_idle = timeout > 0 && now_ms - split.active_ms >= timeout;
        }
        self.advance(out);
        let all_idle = !self.splits.is_empty() && self.splits.values().all(|split| split.is_idle);
        if all_idle && !self.is_idle {
            self.is_idle = true;
            out.push(Element::Idle);
        }
    }

    fn combined_without(&self, split: &str) -> i64 {
        let others = self.splits.iter().filter(|(id, state)| &***id != split && !state.is_idle);
        others.map(|(_, state)| state.emitted).min().unwrap_or(i64::MAX)
    }

    /// Sends the combined watermark on if it grew.
    fn advance(&mut self, out: &mut Vec<Element>) {
        let active = self.splits.values().filter(|split| !split.is_idle);
        if let Some(combined) = active.map(|split| split.emitted).min()
            && combined > self.sent
        {
            self.send(combined, out);
        }
    }

    fn send(&mut self, watermark: i64, out: &mut Vec<Element>) {
        self.sent = watermark;
        let next_end = |(size, offset): &(i64, i64)| {
            let since = watermark.saturating_add(1).saturating_sub(*offset);
            since.div_euclid(*size).saturating_mul(*size).saturating_add(offset + size).saturating_sub(1)
        };
        self.cut_at = self.spec.windows.iter().map(next_end).min().unwrap_or(i64::MAX);
        out.push(Element::Watermark(watermark));
    }
}
