//! The head of a task that reads a table: reader, computed columns, watermarks, and the position of each split.

use std::sync::Arc;
use std::time::Duration;

use kobel_model::{Error, Result};
use serde::{Deserialize, Serialize};

use super::watermark::{SplitWatermark, WatermarkGenerator};
use crate::batch::Batch;
use crate::graph::{Calc, SourceSpec};
use crate::operator::Element;
use crate::ports::{Pending, Poll, SourceReader, Split};

/// What a step of a source did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStep {
    /// There may be more at once.
    More,
    /// There is nothing for this long.
    Idle(Duration),
    /// The input has ended.
    End,
}

/// A source subtask.
pub struct SourceOperator {
    reader: Box<dyn SourceReader>,
    calc: Option<Calc>,
    watermarks: Option<WatermarkGenerator>,
    rows: u64,
    /// The restored watermark, until it has been sent.
    resume: Option<i64>,
}

/// The state of a source subtask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    splits: Vec<SplitState>,
    /// The last combined watermark, `None` before the first.
    watermark: Option<i64>,
}

/// The state of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SplitState {
    id: String,
    position: Vec<u8>,
    watermark: Option<SplitWatermark>,
}

impl SourceState {
    /// The state of fresh splits.
    pub fn fresh(splits: Vec<Split>) -> Self {
        let fresh = |split: Split| SplitState { id: split.id, position: split.position, watermark: None };
        Self { splits: splits.into_iter().map(fresh).collect(), watermark: None }
    }

    /// Whether nothing is left to read.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty()
    }

    /// Reads the inline state of an operator.
    ///
    /// # Errors
    /// Corrupt if it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::corrupt("the state of a source cannot be read").with_source(error))
    }

    /// Divides the splits of several states among `parallelism` subtasks, in order; the watermark is the least, since
    /// a split may come from any of them.
    pub fn divide(states: Vec<Self>, parallelism: usize) -> Vec<Self> {
        let with_splits = states.iter().filter(|state| !state.splits.is_empty());
        let watermark = with_splits.map(|state| state.watermark).min().flatten();
        let mut divided = vec![Self { splits: Vec::new(), watermark }; parallelism];
        let mut splits: Vec<_> = states.into_iter().flat_map(|state| state.splits).collect();
        splits.sort_by(|left, right| left.id.cmp(&right.id));
        for (index, split) in splits.into_iter().enumerate() {
            divided[index % parallelism].splits.push(split);
        }
        divided
    }
}

impl SourceOperator {
    /// A source subtask that goes on from `state`.
    ///
    /// # Errors
    /// Those of [`crate::ports::Source::reader`].
    pub fn new(spec: &SourceSpec, state: SourceState) -> Result<Self> {
        let mut watermarks = spec.watermark.clone().map(WatermarkGenerator::new);
        if let Some(watermarks) = &mut watermarks {
            for split in &state.splits {
                if split.watermark.is_some() || spec.source.interleaves_splits() {
                    watermarks.register(&split.id, split.watermark);
                }
            }
        }
        let splits = state.splits.into_iter().map(|split| Split { id: split.id, position: split.position });
        let reader = spec.source.reader(splits.collect())?;
        Ok(Self { reader, calc: spec.calc.clone(), watermarks, rows: 0, resume: state.watermark })
    }

    /// Reads up to `max_rows` rows.
    ///
    /// # Errors
    /// Those of the reader, and of expressions over its rows.
    pub fn step(&mut self, max_rows: usize, now_ms: i64, out: &mut Vec<Element>) -> Result<SourceStep> {
        if let (Some(watermark), Some(watermarks)) = (self.resume.take(), &mut self.watermarks) {
            watermarks.resume(watermark, out);
        }
        match self.reader.poll(max_rows, now_ms)? {
            Poll::Rows { split, rows } => {
                self.rows += rows.num_rows() as u64;
                let batch = Batch::insert_only(rows);
                let batch = match &self.calc {
                    Some(calc) => calc.apply(batch)?,
                    None => batch,
                };
                self.forward(&split, batch, now_ms, out)?;
                Ok(SourceStep::More)
            }
            Poll::SplitEnd(split) => {
                if let Some(watermarks) = &mut self.watermarks {
                    watermarks.split_end(&split, out);
                }
                Ok(SourceStep::More)
            }
            Poll::Idle(wait) => {
                if let Some(watermarks) = &mut self.watermarks {
                    watermarks.idle(now_ms, out);
                }
                Ok(SourceStep::Idle(wait))
            }
            Poll::End => Ok(SourceStep::End),
        }
    }

    fn forward(&mut self, split: &Arc<str>, batch: Batch, now_ms: i64, out: &mut Vec<Element>) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        match &mut self.watermarks {
            Some(watermarks) => watermarks.rows(split, &batch, now_ms, out),
            None => {
                out.push(Element::Batch(batch));
                Ok(())
            }
        }
    }

    /// The inline state: positions and watermarks of the splits that have not ended.
    ///
    /// # Errors
    /// Bug if it cannot be encoded.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        let watermarks = self.watermarks.as_ref();
        let splits = self.reader.snapshot().into_iter().map(|split| SplitState {
            watermark: watermarks.and_then(|watermarks| watermarks.split(&split.id)),
            id: split.id,
            position: split.position,
        });
        let sent = watermarks.map(WatermarkGenerator::sent).filter(|sent| *sent > i64::MIN);
        // Before the first step the restored watermark has not reached the generator.
        let state = SourceState { splits: splits.collect(), watermark: self.resume.or(sent) };
        serde_json::to_vec(&state).map_err(|error| Error::bug("cannot encode the state of a source").with_source(error))
    }

    /// Rows read so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes read so far, if the reader counts them.
    pub fn bytes(&self) -> u64 {
        self.reader.bytes_read()
    }

    /// What is known to be left to read.
    pub fn pending(&self) -> Pending {
        self.reader.pending()
    }
}
